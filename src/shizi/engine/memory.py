"""What processes take of the machine's memory, and how this one gives some back."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


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


def trim_heap() -> None:
    """Give what was freed back to the system, where the C library can; elsewhere do nothing."""
    if sys.platform == "linux":
        # Other libraries than glibc have no such function.
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def free_bytes(limit_bytes: int | None = None, cgroup: Path = _CGROUP) -> int | None:
    """Give the memory that processes of this machine, or of this container, may still take.

    Args:
        limit_bytes: of the container, None where there is none.
        cgroup: where the control files of the own group are mounted.

    Returns:
        Bytes; None where the system does not tell.
    """
    free = _meminfo("MemAvailable:")
    if limit_bytes is None:
        return free
    used = _used(cgroup)
    return min(left for left in (free, limit_bytes - used) if left is not None)


def _meminfo(name: str) -> int | None:
    try:
        lines = (_PROC / "meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def _used(cgroup: Path) -> int:
    """Give what the group takes that it cannot give back: files that are cached it can."""
    try:
        taken = int((cgroup / "memory.current").read_text(encoding="ascii"))
        lines = (cgroup / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    return taken - sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
