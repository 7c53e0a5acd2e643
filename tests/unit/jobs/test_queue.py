"""Celery wakes workers and decides nothing; what it is told, and what is sent."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.errors import ConfigError, Unavailable
from shizi.core.sections import JobSettings
from shizi.jobs.consumer import Echo
from shizi.jobs.opening import open_ledger
from shizi.jobs.queue import (
    QUEUE,
    Announcer,
    celery_options,
    chunk_limit_s,
    make_app,
    visibility_s,
)
from shizi.jobs.run import Pace
from shizi.jobs.site import check_jobs
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import Order, Source
from tests.databases import free_port

pytest.importorskip("celery", reason="celery is not installed")
redis = pytest.importorskip("redis", reason="redis is not installed")


@pytest.mark.parametrize("chunk_s", [10.0, 300.0, 3600.0])
def test_a_message_comes_again_long_after_its_chunk_is_over(chunk_s: float) -> None:
    pace = Pace(chunk_s=chunk_s)
    options = celery_options(pace)

    places = (
        options["visibility_timeout"],
        options["broker_transport_options"]["visibility_timeout"],
        options["result_backend_transport_options"]["visibility_timeout"],
    )
    assert len(set(places)) == 1
    assert places[0] == visibility_s(pace) >= 4 * chunk_limit_s(pace)
    assert options["task_time_limit"] == chunk_limit_s(pace) > chunk_s
    app = make_app(JobSettings(broker="redis://localhost:1/0"), pace)
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.worker_disable_prefetch is True
    assert app.conf.worker_max_memory_per_child
    assert app.conf.result_backend is None


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/") as process:
        client = redis.Redis(port=port)
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        client.close()
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    ledger = open_ledger(tmp_path / "jobs.db")
    yield ledger
    ledger.close()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def announcer(broker: str, ledger: SqlLedger, now: list[float]) -> Iterator[Announcer]:
    with redis.Redis.from_url(broker) as client:
        client.flushall()
    app = make_app(JobSettings(broker=broker), Pace())
    yield Announcer(app, ledger, lambda: now[0])
    app.close()


def _submit(ledger: SqlLedger, chunks: int) -> str:
    sources = tuple(Source(str(k)) for k in range(chunks))
    return ledger.submit(Order(sources, chunk_items=1)).job.id


def _waiting(broker: str) -> int:
    with redis.Redis.from_url(broker) as client:
        return int(client.llen(QUEUE))


def test_a_chunk_is_announced_once(
    announcer: Announcer, ledger: SqlLedger, broker: str, now: list[float]
) -> None:
    _submit(ledger, 3)

    assert announcer.round() == 3
    assert announcer.round() == 0
    now[0] += 10
    assert announcer.round() == 0
    assert _waiting(broker) == 3


def test_what_the_broker_lost_is_announced_again(
    announcer: Announcer, ledger: SqlLedger, broker: str, now: list[float]
) -> None:
    _submit(ledger, 3)
    announcer.round()
    with redis.Redis.from_url(broker) as client:
        client.flushall()
    now[0] += 21

    assert announcer.round() == 3
    assert _waiting(broker) == 3


def test_few_messages_wait_however_many_chunks_do(
    announcer: Announcer, ledger: SqlLedger, broker: str, now: list[float]
) -> None:
    job = _submit(ledger, 500)
    for _ in range(5):
        announcer.round()
        now[0] += 30
    assert _waiting(broker) == 64

    with redis.Redis.from_url(broker) as client:
        client.lpop(QUEUE, 10)
    announcer.round()
    assert _waiting(broker) == 64
    ledger.cancel(job)
    assert announcer.round() == 0


def test_a_broker_that_is_away(ledger: SqlLedger) -> None:
    app = make_app(JobSettings(broker="redis://127.0.0.1:1/0"), Pace())
    announcer = Announcer(app, ledger)
    assert announcer.round() == 0
    _submit(ledger, 1)

    with pytest.raises(Unavailable):
        announcer.round()


def test_settings_for_several_machines_must_fit_together() -> None:
    whole = JobSettings(broker="redis://a", ledger="postgresql://b", folder=Path("/c"))
    check_jobs(whole)
    for wrong in (replace(whole, ledger=""), replace(whole, folder=None)):
        with pytest.raises(ConfigError):
            check_jobs(wrong)
    with pytest.raises(ConfigError, match="webhook_secret"):
        check_jobs(JobSettings(webhooks=True, webhook_secret="short"))


class _Line:
    """A line to the broker that may be cut."""

    def __init__(self) -> None:
        self.sent = 0
        self.cut = False

    def send(self) -> None:
        if self.cut:
            raise ConnectionError
        self.sent += 1


@pytest.fixture
def line() -> _Line:
    return _Line()


def _echo(line: _Line, life: Path, now: list[float]) -> Echo:
    return Echo(line.send, life, lambda: now[0])


def test_a_worker_that_hears_nothing_is_not_well(
    line: _Line, tmp_path: Path, now: list[float]
) -> None:
    life = tmp_path / "life"
    life.touch()
    echo = _echo(line, life, now)

    well = []
    for _ in range(9):
        well.append(echo.is_well())
        now[0] += 10
    assert well[:6] == [True] * 6
    assert well[-1] is False
    assert line.sent == 9


def test_a_worker_that_consumes_or_works_is_well(
    line: _Line, tmp_path: Path, now: list[float]
) -> None:
    life = tmp_path / "life"
    echo = _echo(line, life, now)

    for _ in range(30):
        life.touch()
        assert echo.is_well()
        now[0] += 10
        time.sleep(0.002)


def test_a_broker_that_is_away_is_not_the_workers_fault(
    line: _Line, tmp_path: Path, now: list[float]
) -> None:
    life = tmp_path / "life"
    life.touch()
    echo = _echo(line, life, now)
    line.cut = True

    for _ in range(30):
        assert echo.is_well()
        now[0] += 10
    line.cut = False
    assert echo.is_well()
    now[0] += 55
    assert echo.is_well()
    now[0] += 10
    assert not echo.is_well()
