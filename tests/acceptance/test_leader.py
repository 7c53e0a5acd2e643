"""The leader as a process of its own, killed and cut off: no state is lost, no step is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.errors import ShiziError
from shizi.core.telemetry import LogFormat
from shizi.engine.programs import program_command
from shizi.release.document import Phase
from shizi.release.filestore import FileStore
from shizi.release.lead import LeadPlan
from shizi.release.redisstore import RedisStore
from shizi.release.store import ReleaseStore
from tests.program import environment
from tests.redisserver import RedisServer, redis_server
from tests.unit.release.world import SHORT, Host, begin

pytestmark = pytest.mark.acceptance

PLAN = replace(SHORT, step_s=0.5, shadow_s=0.5, soak_s=0.5)
STEPS = [
    (Phase.LOADING, 0),
    (Phase.VERIFY, 0),
    (Phase.SHADOW, 0),
    (Phase.CANARY, 3_000),
    (Phase.CANARY, 10_000),
    (Phase.SOAK, 10_000),
    (Phase.PROMOTED, 10_000),
]
_LONG_S = 60.0


class _Leader:
    """A real process, started anew whenever it was killed."""

    def __init__(self, place: str, folder: Path) -> None:
        self._place, self._folder = place, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        reading, writing = os.pipe()
        settings = {
            "SHIZI_RELEASES__STORE": self._place,
            "SHIZI_MODEL_ROUTING__CHECK_INTERVAL_SECONDS": "0.1",
        }
        plan = LeadPlan(log_format=LogFormat.JSON)
        with (self._folder / "leader.log").open("ab") as log:
            self._process = subprocess.Popen(
                program_command("shizi.release.lead", writing, plan),
                env=environment() | settings,
                pass_fds=(writing,),
                stderr=log,
            )
        os.close(writing)
        with os.fdopen(reading, "rb") as reports:
            assert reports.read() == b"ok"

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def end(self) -> int:
        assert self._process
        self._process.terminate()
        return self._process.wait(timeout=10)


@contextmanager
def _working(store: ReleaseStore) -> Iterator[Host]:
    """Let a host answer requests in a thread, in real time."""
    stop = threading.Event()
    host = Host(store, time.monotonic)

    def work() -> None:
        while not stop.wait(0.1):
            host.live(requests=30)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield host
    finally:
        stop.set()
        thread.join()


def _wait(store: ReleaseStore, phase: Phase) -> None:
    end = time.monotonic() + _LONG_S
    while time.monotonic() < end:
        try:
            document = store.read()
        except ShiziError:
            document = None
        if document and document.phase is phase:
            return
        time.sleep(0.01)
    raise AssertionError(f"no {phase} in {_LONG_S:.0f} s")


def test_a_leader_killed_in_every_phase_loses_and_doubles_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    leader = _Leader(str(tmp_path / "store"), tmp_path)
    begin(store, PLAN)
    with _working(store):
        for phase in (Phase.LOADING, Phase.VERIFY, Phase.SHADOW, Phase.CANARY, Phase.SOAK):
            leader.start()
            _wait(store, phase)
            leader.kill()
        leader.start()
        _wait(store, Phase.PROMOTED)
    assert leader.end() == 0

    entries = store.entries()
    assert [(e.phase, e.ratio_bp) for e in entries] == STEPS
    assert [e.epoch for e in entries] == list(range(1, len(STEPS) + 1))
    assert not list((tmp_path / "store").glob(".*")), "no half-written file is left"


def test_the_second_leader_takes_over_on_another_host(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server:
        store = RedisStore(server.address)
        first, second = (_Leader(server.address, tmp_path) for _ in range(2))
        begin(store, PLAN)
        first.start()
        second.start()
        with _working(store):
            _wait(store, Phase.SHADOW)
            first.kill()
            second.kill()
            first.start()
            second.start()
            _wait(store, Phase.CANARY)
            first.kill()
            _wait(store, Phase.PROMOTED)
        assert second.end() == 0

        assert [(e.phase, e.ratio_bp) for e in store.entries()] == STEPS
        store.close()


@pytest.mark.parametrize("memory", ["keeps", "loses"])
def test_redis_gone_and_back(tmp_path: Path, memory: str) -> None:
    """While it is gone the share stays; when it is back, even empty, the release goes on."""
    with redis_server(tmp_path / "redis") as server:
        store = RedisStore(server.address)
        leader = _Leader(server.address, tmp_path)
        begin(store, PLAN)
        leader.start()
        with _working(store) as host:
            _wait(store, Phase.SHADOW)
            _break(server, host, memory)
            _wait(store, Phase.PROMOTED)
        assert leader.end() == 0
        entries = store.entries()
        store.close()

    epochs = [e.epoch for e in entries]
    assert epochs == sorted(set(epochs))
    assert [(e.phase, e.ratio_bp) for e in entries] == STEPS[-len(entries) :]
    if memory == "keeps":
        assert len(entries) == len(STEPS)


def _break(server: RedisServer, host: Host, memory: str) -> None:
    server.kill()
    if memory == "loses":
        server.forget()
    before = host.watcher.document
    time.sleep(1.5)
    after = host.watcher.document
    assert before
    assert after
    assert after.epoch <= before.epoch + 1, "what was being read may have come"
    assert host.watcher.view.problem
    server.start()
