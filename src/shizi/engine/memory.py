"""What processes take of the machine's memory, and how this one gives some back."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: Environment of a process that shall hold no more memory than it works with, and at rest always
#: the same. glibc would give threads heaps of their own, of which it never gives back the top, up
#: to 16 MB, and let each thread hold seven freed blocks of every size below a kilobyte, a quarter
#: of a megabyte in the end. What NumPy asks huge pages for, the kernel fills again after it was
#: given back; its matrix library starts threads nobody uses. No slower in the service
#: (docs/benchmark.md).
LEAN_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    # Of the smallest, which are asked for most often, threads hold some still, without a lock.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_max=128",
    "NUMPY_MADVISE_HUGEPAGE": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}

_CGROUP = Path("/sys/fs/cgroup")
_MADV_DONTNEED = 4
_M_MMAP_THRESHOLD = -3
# NCACHE and NBUCKETS of NumPy 2.4, numpy/_core/src/multiarray; a test looks whether they hold.
_KEPT_PER_SIZE = 7
_KEPT_BELOW_BYTES = 1024
# Of a line that begins an area of memory: start, end, shared or private, path.
_AREA = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ...(.) \S+ \S+ \S+\s*(.*)")


def memory_bytes(pid: int) -> int:
    """Give the proportional set size of a process: what it shares counts by its share.

    Returns:
        Bytes; 0 where the process is gone or the system does not tell.
    """
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def family(pid: int) -> Iterator[int]:
    """Give a process and all its descendants."""
    yield pid
    try:
        children = _read(f"/proc/{pid}/task/{pid}/children").split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def _read(path: str) -> str:
    # pathlib interns each part of a path, and Python's table of interned strings, half a megabyte
    # here, doubles for those that were forgotten too: who asks every second does so in minutes.
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        return file.read()


def trim_heap() -> None:
    """Give what was freed back to the system, where the C library can; elsewhere do nothing."""
    if sys.platform == "linux":
        # Other libraries than glibc have no such function.
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def release_memory() -> None:
    """Free what only cycles still hold, then give what was freed back to the system.

    For a process at rest, or now and then. Left alone Python's collector looks at objects of a
    while ago once there are a quarter more of them, which is after thousands of pages or requests.
    Some hundredths of a second.
    """
    gc.collect()
    trim_heap()


def give_blocks_back(size_bytes: int) -> None:
    """Let blocks of this size and above go back to the system as soon as they are freed.

    Between others' they would leave gaps that are kept. Taking them anew costs time, which a
    process that computes has not. Elsewhere than with glibc do nothing.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, size_bytes)


def fill_small_blocks() -> None:
    """Let NumPy take at once what it keeps of small blocks, 3.6 MB.

    It never frees the first seven blocks of each size below a kilobyte. A process that works on
    ever new shapes needs nearly all of them in the end, but over hours, and each one lies among
    blocks that are freed later: what is kept seems to grow, with gaps beside it. Taken before
    anything else they lie together, and nothing follows. A few milliseconds.
    """
    # Processes without arrays ask for what memory they take, too.
    import numpy as np  # noqa: PLC0415

    for size in range(1, _KEPT_BELOW_BYTES):
        blocks = [np.empty(size, np.uint8) for _ in range(_KEPT_PER_SIZE)]
        del blocks


def unmap_clean_files() -> None:
    """Let go of pages of files that are mapped here and were never written to.

    Linking large libraries reads tables that nothing looks at again, and they count as this
    process's for as long as it lives. What is used after all is mapped anew from the file cache,
    in microseconds. Elsewhere than on Linux do nothing.
    """
    if sys.platform != "linux":
        return
    advise = ctypes.CDLL(None).madvise
    for start, end in _clean_files():
        advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _clean_files() -> list[tuple[int, int]]:
    """Give where files are mapped of which this process has no pages of its own."""
    found: list[tuple[int, int]] = []
    area: tuple[int, int] | None = None
    try:
        lines = _read("/proc/self/smaps").splitlines()
    except OSError:
        return []
    for line in lines:
        if match := _AREA.match(line):
            start, end, is_shared, path = match.groups()
            is_file = path.startswith("/") and not path.startswith(("/dev/", "/memfd:"))
            mapped = is_file and is_shared != "s"
            area = (int(start, 16), int(end, 16)) if mapped else None
        # What was written to is a page of its own, which must not be dropped.
        elif area is not None and line.startswith("Anonymous:"):
            if line.split()[1] == "0":
                found.append(area)
            area = None
    return found


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
        lines = _read("/proc/meminfo").splitlines()
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
