"""What processes take of the machine's memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def memory_bytes(pid: int) -> int:
    """Give the proportional set size of a process: what it shares counts by its share.

    Returns:
        Bytes; 0 where the process is gone or the system does not tell.
    """
    try:
        lines = (_PROC / f"{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def family(pid: int) -> Iterator[int]:
    """Give a process and all its descendants."""
    yield pid
    try:
        children = (_PROC / f"{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))
