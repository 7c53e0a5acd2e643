"""A folder to read and one to write to, with workers that only pretend to read."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.engine.signals import WakeUp
from shizi.jobs.batch.folder import FAILURES
from shizi.jobs.batch.run import BatchPlan
from tests.program import environment
from tests.unit.jobs.batch.driver import ROOT, fake_plan


class Place:
    """Folders of one batch.

    Attributes:
        folder: of its inputs.
        out: of its results.
        log: of what its workers note.
    """

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.out, self.log = (tmp_path / name for name in ("in", "out", "log"))
        self.folder.mkdir()
        self.log.mkdir()

    def fill(self, count: int, words: str = "hello") -> None:
        """Put files into the input folder, a hundred a folder."""
        for k in range(count):
            file = self.folder / f"{k // 100:03d}" / f"{k:05d}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{words} {k}")

    def put(self, name: str, words: str) -> None:
        """Put one file there."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words)

    def plan(self, **more: object) -> BatchPlan:
        """Plan its batch."""
        return fake_plan(self.folder, self.out, self.log, **more)

    def notes(self) -> Counter[str]:
        """Count how often each file was read."""
        lines = [
            line
            for file in self.log.glob("*.log")
            for line in file.read_text(errors="surrogateescape").splitlines()
        ]
        return Counter(str(Path(line).relative_to(self.folder)) for line in lines)

    def results(self) -> dict[str, str]:
        """Give every result by the name of its input."""
        return {
            str(file.relative_to(self.out)).removesuffix(".txt"): file.read_text()
            for file in self.out.rglob("*.txt")
        }

    def inputs(self) -> set[str]:
        """Name every input."""
        return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*.png")}

    def failures(self) -> list[list[str]]:
        """Give the rows that list what could not be read."""
        head, *lines = (self.out / FAILURES).read_text().splitlines()
        assert head == "file\tcode\tdetail\tattempts"
        return [line.split("\t") for line in lines]

    def start(self) -> subprocess.Popen[str]:
        """Run it in a process of its own."""
        command = [sys.executable, "-m", "tests.unit.jobs.batch.driver"]
        variables = environment()
        variables["PYTHONPATH"] += f":{ROOT}"
        return subprocess.Popen(
            [*command, self.folder, self.out, self.log],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def wake() -> Iterator[WakeUp]:
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        yield WakeUp(reading)
