"""Names of files are forgotten with them: a million of them leave nothing in a process.

Of most versions of Python pathlib interns each part of a path, in a table that grows under names
that are long gone; some never let go of the names themselves.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image

from shizi.core.options import ReadOptions
from shizi.core.types import PageResult, Quad, TextLine
from shizi.engine.signals import WakeUp
from shizi.engine.sources import read_file
from shizi.jobs.batch.messages import Done, Stop, Task, WorkerPlan, line_to_report, to_line
from shizi.jobs.batch.worker import Worker
from tests.unit.jobs.batch.conftest import Place
from tests.unit.jobs.batch.driver import run_fake

NAME = "telling"


class _Reader:
    def read_pages(self, source: str, options: ReadOptions) -> Generator[PageResult, None, None]:
        size = str(len(read_file(source, options.limits)))
        yield PageResult(1, 9, 9, (TextLine(size, 1.0, Quad.from_rect(0, 0, 9, 9)),), model="fake")

    def relax(self) -> None:
        """Keep nothing."""


@pytest.fixture
def interned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of files that are interned while a test runs."""
    names: list[str] = []
    intern = sys.intern

    def note(text: str) -> str:
        if NAME in text:
            names.append(text)
        return intern(text)

    monkeypatch.setattr(sys, "intern", note)
    return names


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pathlib of today does not")
def test_pathlib_interns_names(interned: list[str]) -> None:
    assert Path(f"{NAME}.png").suffix == ".png"

    assert interned == [f"{NAME}.png"]


@pytest.mark.parametrize("pattern", ["", "*.png", "**"])
def test_a_batch_keeps_no_names(
    place: Place, wake: WakeUp, interned: list[str], pattern: str
) -> None:
    place.folder = place.folder / "folder"
    for k in range(3):
        place.put(f"{NAME}-{k}.png", "hello")
    interned.clear()

    # Results lie within the input, which has each name looked at once more.
    out = place.folder / "results"
    place.out = out
    result = run_fake(place.plan(inputs=(str(place.folder / pattern),)), wake)

    assert result.tally.read == 3
    assert interned == []
    assert len(list(out.glob("*.txt"))) == 3


def test_a_worker_keeps_no_names(tmp_path: Path, interned: list[str]) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / f"{NAME}.png")
    size = (tmp_path / f"{NAME}.png").stat().st_size
    plan = WorkerPlan(ReadOptions(), ("txt", "pdf"), str(tmp_path / NAME), "fake", "fake")
    targets = tuple(str(tmp_path / "out" / f"{NAME}.{form}") for form in plan.formats)
    task = Task(0, str(tmp_path / f"{NAME}.png"), f"{NAME}.png", targets)
    Path(plan.parts).mkdir()
    interned.clear()

    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as reports, theirs.makefile("rb") as orders:
        worker = threading.Thread(target=Worker(theirs, plan, _Reader()).work, args=[orders])
        worker.start()
        ours.sendall(to_line(task))
        done = next(said for said in map(line_to_report, reports) if isinstance(said, Done))
        ours.sendall(to_line(Stop()))
        worker.join()

    assert done == Done(0, pages=1)
    assert interned == []
    assert Path(targets[0]).read_text() == f"{size}\n"
    assert list(Path(plan.parts).iterdir()) == []
