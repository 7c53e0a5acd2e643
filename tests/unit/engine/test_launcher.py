"""Programs are forked from one process, and are the supervisor's all the same: real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shizi.core.telemetry import LogFormat
from shizi.engine.launcher import Launcher, make_starter
from shizi.engine.programs import program_command
from shizi.engine.starting import Process, Spawner, Starter
from tests.program import ROOT, environment
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are taken over on Linux")

LONG_S = 30.0
MODULE = "tests.unit.engine.forked"
OURS = environment() | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OF_THE_SERVICE": "yes"}


@dataclass(frozen=True)
class Plan:
    does: str
    writes_to: int
    log_format: LogFormat = LogFormat.AUTO


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    made = Launcher(["csv", MODULE], OURS)
    yield made
    made.close()


def start(starter: Starter, does: str = "sleeps") -> tuple[Process, dict[str, Any]]:
    """Start the program; gives what it wrote down too, nothing where it ended before."""
    reports, reporting = os.pipe()
    notes, noting = os.pipe()
    command = program_command(MODULE, reporting, Plan(does, noting))
    process = starter.start("forked-program", command, [reporting, noting])
    os.close(reporting)
    os.close(noting)
    with os.fdopen(reports, "rb") as told, os.fdopen(notes, "rb") as written:
        line = written.readline()
        assert told.read() == (b"ok" if line else b"")
    return process, {**json.loads(line or b"{}"), "reporting": reporting, "noting": noting}


def stop(process: Process) -> None:
    process.kill()
    process.wait(LONG_S)


def test_a_program_lives_as_if_it_had_been_started_anew(launcher: Launcher) -> None:
    process, told = start(launcher)
    stop(process)

    assert told["pid"] == told["group"] == process.pid
    assert told["parent"] == os.getpid()
    assert told["name"] == "shizi-forked-pr"
    assert told["threads"] == 1
    assert told["variable"] == "yes"
    assert (told["terminates"], told["interrupts"]) == (True, True)


def test_a_program_shares_what_was_imported(launcher: Launcher) -> None:
    process, told = start(launcher)
    stop(process)

    assert told["shared"]


def test_a_program_inherits_its_descriptors_and_no_others(launcher: Launcher) -> None:
    process, told = start(launcher)
    stop(process)

    assert set(told["open"]) == {0, 1, 2, told["reporting"], told["noting"]}


@pytest.mark.parametrize(("does", "status"), [("ends", 0), ("leaves", 7)])
def test_the_status_a_program_ends_with_is_known(
    launcher: Launcher, does: str, status: int
) -> None:
    process, _ = start(launcher, does)

    assert process.wait(LONG_S) == process.poll() == process.returncode == status


def test_a_program_is_asked_to_end_and_ended(launcher: Launcher) -> None:
    asked, _ = start(launcher)
    ended, _ = start(launcher)
    assert asked.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(0.05)
    asked.terminate()
    ended.kill()

    assert asked.wait(LONG_S) == -signal.SIGTERM
    assert ended.wait(LONG_S) == -signal.SIGKILL
    ended.kill()  # it is gone, and its number may be another's


def test_programs_outlive_the_process_they_were_forked_from(launcher: Launcher) -> None:
    before, _ = start(launcher)
    first = launcher.pid
    os.kill(first, signal.SIGKILL)
    after, told = start(launcher)

    assert before.poll() is None
    assert launcher.pid != first
    assert told["parent"] == os.getpid()
    stop(before)
    stop(after)


def test_orphans_are_let_go_and_nobody_else(launcher: Launcher) -> None:
    parent, _ = start(launcher, "bears")
    bystander, _ = start(launcher, "leaves")
    (orphan,) = _children_of(parent.pid)
    stop(parent)
    until(lambda: _state(orphan) == "Z")
    launcher.reap()
    bystander.wait(LONG_S)
    launcher.reap()

    assert bystander.returncode == 7
    assert not Path(f"/proc/{orphan}").exists()


def test_a_command_that_is_none_of_our_programs_is_refused(launcher: Launcher) -> None:
    with pytest.raises(ValueError, match="sleep is none of our programs"):
        launcher.start("sleep", ["sleep", "60"], [])


def test_without_modules_programs_are_started_anew() -> None:
    starter = make_starter((), OURS)
    process, told = start(starter)
    stop(process)
    starter.reap()
    starter.close()

    assert isinstance(starter, Spawner)
    assert told["parent"] == os.getpid()
    assert told["pid"] == told["group"]
    assert not told["shared"]


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
