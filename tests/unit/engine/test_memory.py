"""What a process takes is counted, and given back where it is not needed."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from shizi.engine.memory import LEAN_MEMORY, family, memory_bytes, release_memory
from tests.cycles import lost_cycle
from tests.program import environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

# Prints the bytes of files that are mapped: at first, after they were let go, after they were used.
UNMAPPING = """
import re
from pathlib import Path
import cv2
import numpy as np
from shizi.engine.memory import unmap_clean_files

def mapped():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    size = {name: int(re.search(name + r": +(\\d+)", rollup)[1]) for name in ("Rss", "Anonymous")}
    return size["Rss"] - size["Anonymous"]

def used():
    small = cv2.resize(np.eye(64, dtype=np.float32), (32, 32))
    return small.sum() + np.linalg.svd(np.eye(9))[1].sum()

answer = used()
before = mapped()
unmap_clean_files()
after = mapped()
print(before, after, mapped() < before, used() == answer)
"""

TAKEN = """
import re
from pathlib import Path

def taken():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"Anonymous: +(\\d+)", rollup)[1]) << 10
"""

# Prints how many bytes more a process takes after threads worked with large arrays than before.
WORKING = (
    TAKEN
    + """
import threading
import numpy as np
from shizi.engine.memory import trim_heap

def work():
    # Begun together, so that glibc gives them heaps of their own where it may.
    together.wait()
    for size in range(1 << 20, 12 << 20, 1 << 20):
        np.ones(size, np.uint8)
    together.wait()

together = threading.Barrier(2)
before = taken()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
trim_heap()
print(taken() - before)
"""
)

# Prints how many bytes more a process takes once large blocks between small ones were freed.
FREEING = (
    TAKEN
    + """
import sys
from shizi.engine.memory import give_blocks_back

if len(sys.argv) > 1:
    give_blocks_back(int(sys.argv[1]))
before = taken()
kept = []
for k in range(1, 5):
    body = bytes([k]) * (k << 20)
    kept.append(bytes([k]) * 5_000)
    del body
print(taken() - before)
"""
)
# Prints how many bytes more a process takes after it asked for others' memory again and again.
ASKING = (
    TAKEN
    + """
import sys
from shizi.engine.memory import family, memory_bytes

# Enough that the table of such strings doubles rather than being swept.
names = [sys.intern(f"name {k}") for k in range(20_000)]
before = taken()
for _ in range(20_000):
    sum(map(memory_bytes, family(1 << 22)))
print(taken() - before)
"""
)

IN_USE = """
import ctypes

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info

def in_use():
    return libc.mallinfo2().uordblks
"""

# Prints how many bytes more are in use after work with arrays of every small size than before.
KEEPING = (
    IN_USE
    + """
import sys
import numpy as np
from shizi.engine.memory import fill_small_blocks

if len(sys.argv) > 1:
    fill_small_blocks()
before = in_use()
for size in range(1, 1024):
    held = [np.ones(size, np.uint8) for _ in range(20)]
print(in_use() - before)
"""
)

# Prints how many bytes more are in use after a thread freed blocks of every small size than before.
FREED = (
    IN_USE
    + """
import threading

def work():
    for size in range(600, 1000, 16):
        held = [bytes(size) for _ in range(20)]
        del held
    done.set()
    asked.wait()

done, asked = threading.Event(), threading.Event()
before = in_use()
threading.Thread(target=work).start()
done.wait()
print(in_use() - before)
asked.set()
"""
)
_counts_blocks = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="only glibc counts its blocks"
)
_LARGE_BLOCKS = {
    name: str(16 << 20) for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
}


def test_files_that_were_only_linked_are_let_go_and_come_back_when_used() -> None:
    run = subprocess.run(
        [sys.executable, "-c", UNMAPPING],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    before, after, *rest = run.stdout.split()

    assert int(after) < int(before) / 2
    assert rest == ["True", "True"]


def test_memory_is_told_of_those_who_live() -> None:
    assert memory_bytes(os.getpid()) > 1e6
    assert memory_bytes(2**22 + 1) == 0


def test_a_family_is_a_process_and_all_below_it() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", f"print(flush=True); {script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while len(members := list(family(process.pid))) < 2:
            pass
        process.communicate(b"\n")

    assert members[0] == process.pid


def test_what_threads_worked_with_goes_back_to_the_system() -> None:
    lean = environment() | _LARGE_BLOCKS | LEAN_MEMORY

    kept = subprocess.check_output([sys.executable, "-c", WORKING], env=lean, text=True)

    assert int(kept) < 4 << 20


@pytest.mark.parametrize(("arguments", "is_back"), [(["262144"], True), ([], False)])
def test_large_blocks_leave_no_gaps(arguments: list[str], is_back: bool) -> None:
    command = [sys.executable, "-c", FREEING, *arguments]

    kept = subprocess.check_output(command, env=environment() | _LARGE_BLOCKS, text=True)

    assert (int(kept) < 1 << 20) is is_back


@_counts_blocks
@pytest.mark.parametrize(("arguments", "is_full"), [(["fill"], True), ([], False)])
def test_small_arrays_of_ever_new_sizes_leave_no_blocks(
    arguments: list[str], is_full: bool
) -> None:
    command = [sys.executable, "-c", KEEPING, *arguments]

    kept = subprocess.check_output(command, env=environment(), text=True)

    assert (int(kept) < 300_000) is is_full


@_counts_blocks
@pytest.mark.parametrize(("lean", "is_free"), [(LEAN_MEMORY, True), ({}, False)])
def test_threads_that_wait_hold_no_freed_blocks(lean: dict[str, str], is_free: bool) -> None:
    command = [sys.executable, "-c", FREED]

    kept = subprocess.check_output(command, env=environment() | lean, text=True)

    assert (int(kept) < 60_000) is is_free


def test_asking_for_memory_takes_none() -> None:
    taken = subprocess.check_output([sys.executable, "-c", ASKING], env=environment(), text=True)

    assert int(taken) < 200_000


def test_what_only_cycles_hold_is_freed() -> None:
    kept = lost_cycle()

    release_memory()

    assert kept() is None
