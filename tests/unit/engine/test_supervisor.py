"""Processes are started in order, replaced, and ended: real ones, whose work is to sleep."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import environment
from tests.waiting import until

LONG_S = 60.0

# A supervisor of two sleepers, whose doings are written to a file: NAME GENERATION EVENT.
SUPERVISOR = """
import sys
from pathlib import Path
from shizi.core.config import Settings, to_environment
from shizi.engine.keeper import Program
from shizi.engine.starting import Spawner
from shizi.engine.supervisor import Supervisor

folder, options = Path(sys.argv[1]), eval(sys.argv[2])
log = (folder / "log").open("a", buffering=1)
sleeper = folder / "sleeper.py"

def program(name):
    def command(generation, reports):
        log.write(f"{name} {generation} start\\n")
        return [sys.executable, str(sleeper), name, str(generation), str(reports), str(folder)]
    return Program(
        name, command, on_ready=lambda g: log.write(f"{name} {g} ready\\n"),
        **options.get(name, {}),
    )

supervisor = Supervisor(
    [program("first"), program("second")],
    Spawner(to_environment(Settings())),
    folder / "status.json",
)
supervisor.run(lambda: log.write("all 0 ready\\n"))
"""

SLEEPER = """
import os, signal, sys, time
from pathlib import Path
name, generation, reports, folder = sys.argv[1:]
if (Path(folder) / f"{name}-fails").exists():
    os._exit(9)
def end(*_):
    with (Path(folder) / "log").open("a") as log:
        log.write(f"{name} {generation} end\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(int(reports), b"ok")
os.close(int(reports))
kept = b"x" * (int((Path(folder) / "size").read_text()) if generation == "1" else 0)
while True:
    time.sleep(60)
"""


class Running:
    """A supervisor in a process of its own, for signals go to processes."""

    def __init__(self, folder: Path, options: str = "{}") -> None:
        self.folder = folder
        self.errors: bytes | None = None
        (folder / "sleeper.py").write_text(SLEEPER)
        if not (folder / "size").exists():
            (folder / "size").write_text("0")
        (folder / "main.py").write_text(SUPERVISOR)
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "main.py"), str(folder), options],
            env=environment(),
            stderr=subprocess.PIPE,
        )

    def log(self) -> list[str]:
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, line: str) -> None:
        until(lambda: line in self.log())

    def status(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "status.json").read_text())
        return content

    def end(self) -> bytes:
        """End it; gives what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.terminate()
        if self.errors is None:
            self.errors = self.process.communicate(timeout=LONG_S)[1]
        return self.errors


Run = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run supervisors; none outlives its test."""
    started = []

    def start(options: str = "{}") -> Running:
        started.append(Running(tmp_path, options))
        return started[-1]

    yield start
    for running in started:
        running.end()


def test_programs_start_one_after_another_and_end_the_other_way_round(run: Run) -> None:
    running = run()
    running.wait_for("all 0 ready")
    running.end()

    assert running.process.returncode == 0
    assert running.log() == [
        "first 1 start",
        "first 1 ready",
        "second 1 start",
        "second 1 ready",
        "all 0 ready",
        "second 1 end",
        "first 1 end",
    ]


def test_a_program_nobody_wants_yet_keeps_no_one_waiting(tmp_path: Path, run: Run) -> None:
    running = run('{"first": {"is_wanted": lambda: (folder / "wanted").exists()}}')
    running.wait_for("all 0 ready")
    until(lambda: "first" in running.status())
    before = running.status()["first"]
    assert (before["pid"], before["ready"]) == (None, False)
    assert "first 1 start" not in running.log()
    (tmp_path / "wanted").touch()
    running.wait_for("first 1 ready")
    (tmp_path / "wanted").unlink()
    until(lambda: running.status()["first"]["ready"])
    os.kill(running.status()["first"]["pid"], signal.SIGKILL)
    running.wait_for("first 2 ready")
    running.end()


def test_a_program_that_dies_is_replaced_and_counted(run: Run) -> None:
    running = run()
    running.wait_for("all 0 ready")
    for generation in (1, 2):
        until(lambda: running.status()["second"]["ready"])
        os.kill(running.status()["second"]["pid"], signal.SIGKILL)
        running.wait_for(f"second {generation + 1} ready")
    until(lambda: running.status()["second"]["restarts"] == {"signal_9": 2})
    running.end()

    assert "first 2 start" not in running.log()


def test_a_program_that_is_not_well_is_killed_and_replaced(run: Run) -> None:
    running = run('{"first": {"is_well": lambda generation: generation > 1}}')
    running.wait_for("first 2 ready")
    until(lambda: running.status()["first"]["restarts"] == {"hung": 1})
    running.end()


@pytest.mark.parametrize("overlap", [True, False])
def test_a_program_that_has_grown_is_replaced(tmp_path: Path, run: Run, overlap: bool) -> None:
    (tmp_path / "size").write_text(str(200 << 20))
    options = f'{{"first": {{"most_bytes": 100 << 20, "overlap": {overlap}}}}}'
    running = run(options)
    running.wait_for("first 2 ready")
    running.wait_for("first 1 end")
    log = running.log()
    until(lambda: running.status()["first"]["restarts"] == {"memory": 1})
    running.end()

    assert (log.index("first 2 ready") < log.index("first 1 end")) is overlap


def test_a_program_that_cannot_start_stops_everything(tmp_path: Path, run: Run) -> None:
    (tmp_path / "second-fails").touch()
    running = run()
    running.process.wait(LONG_S)
    errors = running.end()

    assert b"the process second ended with status 9" in errors
    assert running.log()[-1] == "first 1 end"


def test_a_later_start_that_fails_is_tried_again(tmp_path: Path, run: Run) -> None:
    running = run()
    running.wait_for("all 0 ready")
    (tmp_path / "second-fails").touch()
    os.kill(running.status()["second"]["pid"], signal.SIGKILL)
    running.wait_for("second 3 start")
    (tmp_path / "second-fails").unlink()
    until(lambda: any(line.startswith("second") and "ready" in line for line in running.log()[5:]))
    running.end()


def test_a_signal_in_the_midst_of_the_start_ends_what_runs(run: Run) -> None:
    running = run()
    running.wait_for("first 1 start")
    running.end()

    assert running.process.returncode == 0
    assert "all 0 ready" not in running.log() or running.log()[-1] == "first 1 end"
