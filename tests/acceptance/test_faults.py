"""Processes of the service are killed, stopped and starved while clients ask it."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.marks import ONE_WORKER
from tests.program import RECEIPT, Service, serving
from tests.waiting import LONG_S, until

pytestmark = pytest.mark.acceptance

HEAL_S = 5.0
HONEST = {200, 503, 504}


@pytest.fixture(params=["gthread", "gevent"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Give a service of its own to every test: it is going to be hurt."""
    with serving(tmp_path, "--worker", request.param) as running:
        yield running
    log = running.log.read_text(encoding="utf-8")
    assert "西溪" not in log
    assert "asks for" not in log


def ask(service: Service, picture: bytes, query: str = "") -> tuple[int, dict[str, object]]:
    """Post a picture; gives the status and the answer."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=LONG_S)
    try:
        headers = {"Content-Type": "application/octet-stream"}
        connection.request("POST", f"/ocr{query}", picture, headers)
        answer = connection.getresponse()
        content: dict[str, object] = json.loads(answer.read())
        return answer.status, content
    finally:
        connection.close()


def picture_of(text: str) -> bytes:
    """Draw a line of text."""
    page = Image.new("RGB", (60 + 24 * len(text), 90), "white")
    ImageDraw.Draw(page).text((30, 25), text, "black", ImageFont.load_default(34))
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


class Load:
    """Clients that ask without pause until the block ends; keeps what they were answered."""

    def __init__(self, service: Service, clients: int) -> None:
        self._service = service
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(clients)
        self._futures = [self._pool.submit(self._run) for _ in range(clients)]

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _run(self) -> list[int]:
        statuses = []
        while not self._over.is_set():
            statuses.append(ask(self._service, RECEIPT.read_bytes())[0])
        return statuses

    def statuses(self) -> list[int]:
        """Give all statuses answered."""
        return [status for future in self._futures for status in future.result(LONG_S)]


def _reads(service: Service) -> bool:
    return ask(service, RECEIPT.read_bytes())[0] == 200


def test_an_engine_killed_under_load_costs_no_answer(service: Service) -> None:
    with Load(service, 6) as load:
        for _ in range(2):
            time.sleep(0.5)
            (engine,) = service.pids("engine")
            os.kill(engine, signal.SIGKILL)
            until(lambda pid=engine: service.pids("engine") not in ([], [pid]))  # type: ignore[misc]
            until(lambda: _reads(service), HEAL_S)
    statuses = load.statuses()

    assert set(statuses) <= HONEST
    assert statuses.count(200) > len(statuses) / 2


@ONE_WORKER
def test_decoders_killed_under_load_cost_no_answer(service: Service) -> None:
    with Load(service, 6) as load:
        for _ in range(3):
            time.sleep(0.3)
            mother, *children = service.pids("decoders")
            os.kill(children[0], signal.SIGKILL)
        time.sleep(0.3)
        os.kill(mother, signal.SIGKILL)
        until(lambda: service.pids("decoders")[:1] not in ([], [mother]))
        until(lambda: _reads(service), HEAL_S)
    statuses = load.statuses()

    assert set(statuses) <= HONEST
    assert statuses.count(200) > len(statuses) / 2


@ONE_WORKER
def test_an_engine_that_hangs_is_replaced(service: Service) -> None:
    (engine,) = service.pids("engine")
    os.kill(engine, signal.SIGSTOP)
    until(lambda: service.pids("engine") not in ([], [engine]))

    assert _reads(service)
    hung = rb'restarts_total\{process="engine",reason="hung",version="crnn-s@[^"]+"\} 1.0'
    assert re.search(hung, _metrics(service))


def test_a_web_worker_killed_is_replaced(service: Service) -> None:
    _, worker = service.pids("web")
    os.kill(worker, signal.SIGKILL)
    until(lambda: len(service.pids("web")) == 2 and worker not in service.pids("web"))

    assert _reads(service)


def test_nobody_is_answered_with_the_text_of_another(service: Service) -> None:
    """Sixty-four clients, each with a text of its own, while processes die and times run out."""
    texts = [f"Client {k:02d} asks for {k * 7919 % 10_000:04d}" for k in range(64)]
    pictures = [picture_of(text) for text in texts]
    alone = [ask(service, picture)[1]["text"] for picture in pictures]
    assert len(set(map(str, alone))) == len(texts)
    over = threading.Event()

    def harm() -> None:
        for kind in ("engine", "decoders", "engine"):
            for pid in service.pids(kind)[-1:]:
                os.kill(pid, signal.SIGKILL)
            over.wait(1.5)

    def client(k: int) -> list[tuple[int, object]]:
        answers = []
        for turn in range(6):
            hurry = "?timeout=0.1" if (k + turn) % 5 == 0 else ""
            status, content = ask(service, pictures[k], hurry)
            answers.append((status, content.get("text")))
        return answers

    with ThreadPoolExecutor(65) as pool:
        harmed = pool.submit(harm)
        futures: list[Future[list[tuple[int, object]]]] = [
            pool.submit(client, k) for k in range(len(texts))
        ]
        answered = [future.result(LONG_S) for future in futures]
        over.set()
        harmed.result(LONG_S)

    given = [(k, s, text) for k, answers in enumerate(answered) for s, text in answers]
    assert {status for _, status, _ in given} <= HONEST
    assert all(text == alone[k] for k, status, text in given if status == 200)
    assert sum(status == 200 for _, status, _ in given) > len(given) / 2
    assert any(status == 504 for _, status, _ in given)


def test_what_was_accepted_is_answered_when_the_service_ends(service: Service) -> None:
    with ThreadPoolExecutor(12) as pool:
        futures = [pool.submit(ask, service, RECEIPT.read_bytes()) for _ in range(12)]
        until(lambda: b"shizi_requests_in_flight 13.0" in _metrics(service))
        service.process.send_signal(signal.SIGTERM)
        statuses = [future.result(LONG_S)[0] for future in futures]

    assert statuses == [200] * 12
    assert service.process.wait(LONG_S) == 0
    assert "Traceback" not in service.log.read_text()


def _metrics(service: Service) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=LONG_S)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


@ONE_WORKER
def test_nothing_outlives_the_service(service: Service) -> None:
    pids = [pid for kind in ("web", "engine", "decoders") for pid in service.pids(kind)]
    assert len(pids) >= 5
    service.process.kill()
    service.process.wait(LONG_S)

    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_no_call_is_lost_while_engines_that_grew_are_replaced(tmp_path: Path) -> None:
    """Every engine takes more than is allowed here: each is replaced as soon as it is looked at."""
    config = tmp_path / "small.yaml"
    config.write_text("engine:\n  most_memory: 60MB\n")
    with serving(tmp_path, "--config", str(config)) as service:
        with Load(service, 4) as load:
            replaced = rb'restarts_total\{process="engine",reason="memory",[^}]+\} [3-9]'
            until(lambda: re.search(replaced, _metrics(service)) is not None)
        statuses = load.statuses()

    assert set(statuses) == {200}
    assert len(statuses) >= 4
