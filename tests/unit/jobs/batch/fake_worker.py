"""A worker that reads nothing: what is in a file tells how it behaves."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from pathlib import Path

from shizi.core.errors import CorruptImage, ModelNotFound
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult, Quad, TextLine
from shizi.jobs.batch.messages import WorkerPlan
from shizi.jobs.batch.worker import FileReader, serve


class FakeReader:
    """Gives a file's own words as its only line, and notes what it read and when it rested.

    Args:
        log: folder of notes, files of their own for each process.
    """

    def __init__(self, log: Path) -> None:
        self._log = log / f"{os.getpid()}.log"
        self._rests = self._log.with_suffix(".rests")

    def read_pages(self, source: str, options: ReadOptions) -> Generator[PageResult, None, None]:
        with self._log.open("a", errors="surrogateescape") as log:
            log.write(f"{source}\n")
        words = Path(source).read_text()
        if words.startswith("kill"):
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        if words.startswith("corrupt"):
            raise CorruptImage("cut short")
        if words.startswith("bug"):
            raise RuntimeError(words)
        if words.startswith("wait"):
            time.sleep(float(words.split()[1]))
        box = Quad.from_rect(0, 0, 9, 9)
        count = int(words.split()[1]) if words.startswith("pages") else 1
        for number in range(1, count + 1):
            yield PageResult(number, 9, 9, (TextLine(words, 1.0, box),), model="fake")

    def relax(self) -> None:
        with self._rests.open("a") as rests:
            rests.write("rest\n")


def open_fake(plan: WorkerPlan) -> FileReader:
    """Open it; without a folder for its notes it cannot work."""
    if not Path(plan.models).is_dir():
        raise ModelNotFound("no model 'fake'")
    return FakeReader(Path(plan.models))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), open_fake)
