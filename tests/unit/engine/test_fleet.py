"""Engines come and go while others serve: real processes, whose work is to sleep."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shizi.core.errors import ChecksumMismatch, NoHeadroom, StartFailed
from shizi.engine import fleet as module
from shizi.engine.fleet import (
    EngineState,
    Fleet,
    FleetOptions,
    active_socket,
    engine_reports,
    leaving_mark,
    point,
    socket_of,
)
from shizi.engine.keeper import Program
from shizi.engine.starting import Spawner
from tests.program import environment

LONG_S = 30.0

# Reports ready, or the error it is told to, or nothing; ends when asked.
ENGINE = """
import signal, sys, time, os
from shizi.core.errors import ChecksumMismatch
from shizi.engine.messages import error_to_bytes
reports, how = int(sys.argv[1]), sys.argv[2]
asked = []
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0) if how != "counts" else asked.append(1))
if how == "bad":
    os.write(reports, error_to_bytes(ChecksumMismatch("not the file of its manifest")))
    sys.exit(3)
if how == "dies":
    os._exit(9)
if how != "slow":
    os.write(reports, b"ok")
    os.close(reports)
end_s = time.monotonic() + 600
while not asked and time.monotonic() < end_s:
    time.sleep(0.01)
time.sleep(0.3)
sys.exit(len(asked))
"""


class Harbor:
    """A fleet of sleepers, and what it is told."""

    def __init__(self, folder: Path, wanted: tuple[str, ...] = ("m@1",)) -> None:
        self.folder = folder
        self.wanted = wanted
        self.how: dict[str, str] = {}
        self.full: set[str] = set()
        self.busy: set[str] = set()
        self.started: list[str] = []
        self.now_s = 100.0
        (folder / "engine.py").write_text(ENGINE)
        self.fleet = Fleet(
            FleetOptions(
                folder=folder,
                wanted=lambda: self.wanted,
                program=self._program,
                room=self._room,
                idle=lambda version: version not in self.busy,
                load_s=50.0,
                drain_s=500.0,
                clock=lambda: self.now_s,
            ),
            Spawner(environment()),
        )

    def _program(self, version: str) -> Program:
        def command(generation: int, reports: int) -> list[str]:
            self.started.append(f"{version} {generation}")
            how = self.how.get(version, "good")
            return [sys.executable, str(self.folder / "engine.py"), str(reports), how]

        name = socket_of(self.folder, version)
        return Program(
            "engine", command, on_ready=lambda g: point(name, Path(f"{name}-{g}")), grace_s=5.0
        )

    def _room(self, version: str) -> None:
        if version in self.full:
            raise NoHeadroom(f"no memory for {version}")

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG_S
        while not true():
            assert time.monotonic() < end, self.states()
            time.sleep(0.01)
            self.fleet.look()

    def states(self) -> dict[str, EngineState]:
        reports = engine_reports(self.fleet.status())  # type: ignore[arg-type]
        return {version: report.state for version, report in reports.items()}

    def default(self) -> str:
        return Path(active_socket(self.folder).readlink()).name

    def start(self) -> None:
        self.fleet.start()
        self.until(lambda: self.fleet.ready)

    def end_of_two(self) -> list[int | None]:
        """Start two, end them, and give what they left with."""
        self.start()
        self.wanted = ("m@1", "m@2")
        self.until(lambda: self.states().get("m@2") is EngineState.READY)
        lives = [keeper.life for keeper in self.fleet.keepers]
        self.fleet.end()
        return [life.process.returncode for life in lives if life]


@pytest.fixture
def harbor(tmp_path: Path) -> Iterator[Harbor]:
    made = Harbor(tmp_path)
    yield made
    made.fleet.end()


def name_of(harbor: Harbor, version: str) -> str:
    return socket_of(harbor.folder, version).name


def test_a_version_is_taken_in_switched_to_and_let_go(harbor: Harbor) -> None:
    harbor.start()
    first = harbor.fleet.keepers[0].life
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.READY)
    assert harbor.default() == name_of(harbor, "m@1")

    harbor.wanted = ("m@2",)
    harbor.until(lambda: harbor.default() == name_of(harbor, "m@2"))
    assert harbor.states()["m@1"] is EngineState.READY  # somebody may be on his way
    harbor.now_s += module.LINGER_S + 1
    harbor.until(lambda: "m@1" not in harbor.states())
    assert first is not None
    assert first.process.returncode == 0
    assert not socket_of(harbor.folder, "m@1").is_symlink()
    assert not leaving_mark(harbor.folder, "m@1").exists()
    assert harbor.started == ["m@1 1", "m@2 1"]


def test_an_engine_with_calls_in_work_is_not_ended(harbor: Harbor) -> None:
    harbor.start()
    harbor.busy = {"m@1"}
    harbor.wanted = ("m@2",)
    harbor.until(lambda: harbor.default() == name_of(harbor, "m@2"))
    for _ in range(5):
        harbor.now_s += 60.0
        harbor.fleet.look()
    assert harbor.states()["m@1"] is EngineState.READY
    harbor.busy = set()
    harbor.until(lambda: "m@1" not in harbor.states())


def test_an_engine_that_is_let_go_says_so_until_it_is_wanted_again(harbor: Harbor) -> None:
    harbor.start()
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.READY)
    harbor.busy = {"m@2"}
    mark = leaving_mark(harbor.folder, "m@2")
    assert not mark.exists()

    harbor.wanted = ("m@1",)
    harbor.until(mark.exists)
    harbor.now_s += module.LINGER_S + 1
    harbor.fleet.look()
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: not mark.exists())
    assert harbor.states()["m@2"] is EngineState.READY
    assert not leaving_mark(harbor.folder, "m@1").exists()


def test_an_engine_that_never_gets_done_is_ended_at_last(harbor: Harbor) -> None:
    harbor.start()
    harbor.busy = {"m@1"}
    harbor.wanted = ("m@2",)
    harbor.until(lambda: harbor.default() == name_of(harbor, "m@2"))
    harbor.fleet.look()
    harbor.now_s += 501.0
    harbor.until(lambda: "m@1" not in harbor.states())


def test_what_answers_by_default_stays_until_another_can(harbor: Harbor) -> None:
    harbor.start()
    harbor.how["m@2"] = "slow"
    harbor.wanted = ("m@2",)
    for _ in range(10):
        harbor.now_s += 4.0
        harbor.fleet.look()
    assert harbor.default() == name_of(harbor, "m@1")
    assert harbor.fleet.ready
    harbor.now_s += 20.0
    harbor.fleet.look()
    assert harbor.states() == {"m@1": EngineState.READY, "m@2": EngineState.FAILED}
    assert harbor.fleet.ready


@pytest.mark.parametrize(("how", "told"), [("bad", "checksum: not the file"), ("dies", "status 9")])
def test_a_version_that_cannot_be_loaded_is_told_and_not_tried_again(
    harbor: Harbor, how: str, told: str
) -> None:
    harbor.start()
    harbor.how["m@2"] = how
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.FAILED)
    report = engine_reports(harbor.fleet.status())["m@2"]  # type: ignore[arg-type]
    assert told in report.error
    for _ in range(20):
        harbor.fleet.look()
    assert harbor.started == ["m@1 1", "m@2 1"]
    # Once nobody wants it, it is forgotten; who wants it again has it tried again.
    harbor.wanted = ("m@1",)
    harbor.until(lambda: "m@2" not in harbor.states())
    harbor.how.clear()
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.READY)


def test_without_room_nothing_is_started(harbor: Harbor) -> None:
    harbor.start()
    harbor.full = {"m@2"}
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.FAILED)

    assert harbor.started == ["m@1 1"]
    report = engine_reports(harbor.fleet.status())["m@2"]  # type: ignore[arg-type]
    assert report.error == "no_headroom: no memory for m@2"


def test_deaths_are_counted_and_made_up_for(harbor: Harbor) -> None:
    harbor.start()
    harbor.wanted = ("m@1", "m@2")
    harbor.until(lambda: harbor.states().get("m@2") is EngineState.READY)
    life = harbor.fleet.keepers[1].life
    assert life is not None
    os.kill(life.process.pid, signal.SIGKILL)
    harbor.until(lambda: harbor.started[-1] == "m@2 2")
    harbor.until(lambda: harbor.fleet.keepers[1].ready)

    assert engine_reports(harbor.fleet.status())["m@2"].deaths == 1  # type: ignore[arg-type]
    assert harbor.default() == name_of(harbor, "m@1")


def test_a_first_version_that_cannot_be_loaded_ends_the_start(tmp_path: Path) -> None:
    for how, error in (("bad", ChecksumMismatch), ("dies", StartFailed)):
        folder = tmp_path / how
        folder.mkdir()
        harbor = Harbor(folder)
        harbor.how["m@1"] = how
        with pytest.raises(error):
            harbor.start()
        harbor.fleet.end()


def test_the_end_waits_for_all_of_them(harbor: Harbor) -> None:
    assert harbor.end_of_two() == [0, 0]


def test_each_is_asked_to_end_once(harbor: Harbor) -> None:
    harbor.how = {"m@2": "counts"}

    assert harbor.end_of_two() == [0, 1]
