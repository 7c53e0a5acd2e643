"""Webhooks: signed, to public addresses alone, and kept until they were told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shizi.core.errors import OptionError, Unreachable
from shizi.jobs.hooks import MOST_TRIES, HookBook
from shizi.jobs.opening import open_store
from shizi.jobs.site import Site
from shizi.jobs.spool import Spool
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.upkeep import Upkeep
from shizi.jobs.values import Order, Source
from shizi.jobs.webhook import SIGNATURE, Policy, check_address, deliver, hosts_of, sign

SECRET = "0123456789abcdef"
PUBLIC = Policy(SECRET)


@dataclass
class Listener:
    """A server that is told; it answers with `status`."""

    port: int = 0
    status: int = 204
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.told.append((dict(self.headers), body))
            self.send_response(found.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def _known(listener: Listener) -> tuple[str, Policy]:
    return f"http://127.0.0.1:{listener.port}/x?y=1", Policy(SECRET, frozenset({"127.0.0.1"}))


def test_what_is_told_is_signed(listener: Listener) -> None:
    url, policy = _known(listener)

    deliver(url, b'{"a": 1}', policy, clock=lambda: 1_700_000_000.5)

    ((headers, body),) = listener.told
    assert body == b'{"a": 1}'
    assert headers[SIGNATURE] == sign(SECRET, 1_700_000_000, body)
    # Worked out with another program: printf '1700000000.{"a": 1}' | openssl dgst -sha256 -hmac …
    assert headers[SIGNATURE].startswith("t=1700000000,v1=")
    assert headers["Host"] == f"127.0.0.1:{listener.port}"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 500])
def test_only_a_good_answer_counts_and_redirects_are_not_followed(
    listener: Listener, status: int
) -> None:
    listener.status = status
    url, policy = _known(listener)

    with pytest.raises(Unreachable, match=str(status)):
        deliver(url, b"{}", policy)
    assert len(listener.told) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://user:pass@example.com/",
        "https://example.com:22/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https:///x",
        "https://a b/",
        "https://a\r\nX: y/",
        "https://[/",
        "https://a:x/",
        "x" * 3000,
    ],
)
def test_addresses_that_may_not_be_told(url: str) -> None:
    with pytest.raises(OptionError):
        check_address(url, PUBLIC)


@pytest.mark.parametrize("url", ["https://example.com/a?b=c", "https://example.com:8443/"])
def test_addresses_that_may_be_told(url: str) -> None:
    check_address(url, PUBLIC)


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:10.0.0.1"]]
)
def test_a_name_that_leads_inwards(found: list[str]) -> None:
    with pytest.raises(OptionError, match="not public"):
        deliver("https://example.com/", b"{}", PUBLIC, resolve=lambda *_: found)


def test_the_connection_goes_to_what_was_resolved(listener: Listener) -> None:
    policy = Policy(SECRET, frozenset({"hooks.example"}))
    url = f"http://hooks.example:{listener.port}/"

    deliver(url, b"{}", policy, resolve=lambda *_: ["127.0.0.1"])

    assert listener.told[0][0]["Host"] == f"hooks.example:{listener.port}"


def test_nobody_answers() -> None:
    policy = Policy(SECRET, frozenset({"127.0.0.1"}))
    with pytest.raises(Unreachable):
        deliver("http://127.0.0.1:1/", b"{}", policy)
    with pytest.raises(Unreachable):
        deliver("https://example.com/", b"{}", PUBLIC, resolve=lambda *_: [])


def test_hosts_are_read_with_commas() -> None:
    assert hosts_of(" A.example, b.example ,,") == {"a.example", "b.example"}
    assert hosts_of("") == frozenset()


@dataclass
class Told:
    """A deliverer that fails so many times first."""

    failures: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, url: str, body: bytes) -> None:
        assert url == "https://example.com/"
        if self.failures:
            self.failures -= 1
            raise Unreachable("no")
        self.bodies.append(body)


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def site(address: str, tmp_path: Path, now: list[float]) -> Iterator[Site]:
    store = open_store(address)
    yield Site(SqlLedger(store), Spool(tmp_path / "s", 10**6), HookBook(store, lambda: now[0]))
    store.close()


def test_the_end_of_a_job_is_told_once(site: Site) -> None:
    told = Told()
    job = site.ledger.submit(Order((Source("a"),))).job
    site.hooks.add(job.id, "https://example.com/")
    upkeep, other = (Upkeep(site, 30, told) for _ in range(2))

    upkeep.tell()
    assert told.bodies == []
    site.ledger.cancel(job.id)
    for keeper in (upkeep, other, upkeep):
        keeper.tell()

    (body,) = told.bodies
    assert json.loads(body)["id"] == job.id
    assert json.loads(body)["status"] == "canceled"


def test_who_does_not_answer_is_told_later(site: Site, now: list[float]) -> None:
    told = Told(failures=2)
    job = site.ledger.submit(Order()).job
    site.hooks.add(job.id, "https://example.com/")
    upkeep = Upkeep(site, 30, told)

    for wait_s in (0, 19, 2, 39, 2):
        now[0] += wait_s
        upkeep.tell()
    assert len(told.bodies) == 1


def test_at_last_it_is_given_up(site: Site, now: list[float]) -> None:
    told = Told(failures=10**6)
    job = site.ledger.submit(Order()).job
    site.hooks.add(job.id, "https://example.com/")
    for _ in range(50):
        now[0] += 4000
        Upkeep(site, 30, told).tell()

    assert told.failures == 10**6 - MOST_TRIES
    assert site.hooks.due() == []
