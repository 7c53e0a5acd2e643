"""The real program, run as its users run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECEIPT = ROOT / "examples" / "receipt.png"
RECEIPT_TEXT = (ROOT / "examples" / "receipt.txt").read_text(encoding="utf-8")
START_S = 60


def environment() -> dict[str, str]:
    """Give our own variables without settings of whoever runs the tests."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("SHIZI_")}
    return ours | {"PYTHONPATH": str(ROOT / "src")}


@dataclass(frozen=True)
class Service:
    """A running `shizi serve`.

    Attributes:
        url: where it listens, without a slash at the end.
        process: its first process.
        log: file of its standard error.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def pids(self, name: str) -> list[int]:
        """Give the processes of a program, such as "engine" or "web", the eldest first."""
        return [pid for pid in _descendants(self.process.pid) if _is_named(pid, name)]


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _descendants(child)


def _is_named(pid: int, name: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text() == f"shizi-{name}\n"
    except OSError:
        return False


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Service]:
    """Serve on a free port until the block ends."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "shizi", "serve", "--port", "0", *arguments]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, cwd=folder, env=environment(), stderr=errors) as process,
    ):
        try:
            yield Service(_wait_for_url(process, log), process, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"reading pages at (http://\S+)/ ", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")
