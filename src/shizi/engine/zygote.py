"""The process that others are forked from: `python -m shizi.engine.zygote CONTROL MODULE...`.

It imports the modules once and does nothing else: it has one thread, opens no network and holds no
file, so that what is forked from it begins as cleanly as a new interpreter, with most of its memory
shared. A program is forked twice: the process between ends at once, and the program falls to the
supervisor, which has asked to be given orphans. So this process may die at any time; those it
started live on.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from importlib import import_module

import msgspec

from shizi.engine.memory import trim_heap, unmap_clean_files
from shizi.engine.programs import run_program
from shizi.engine.signals import die_with_parent

#: An order is no longer than this, and names no more descriptors.
ORDER_BYTES = 1 << 16
MOST_FILES = 16
_PR_SET_NAME = 15
# The kernel keeps so much of a name.
_NAME_BYTES = 15
_REPARENT_S = 0.0002


class Order(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        name: of the program, for whoever lists the processes of the machine.
        arguments: of `programs.run_program`.
        files: numbers under which it inherits the descriptors that come along.
    """

    name: str
    arguments: tuple[str, ...]
    files: tuple[int, ...]


def _serve(control: socket.socket) -> Order | None:
    """Fork a process for every order.

    Returns:
        None in the zygote, when nobody can ask any more; in each process its order.
    """
    while True:
        content, files, _, _ = socket.recv_fds(control, ORDER_BYTES, MOST_FILES)
        if not content:
            return None
        order = msgspec.json.decode(content, type=Order)
        pid = _fork_twice()
        if not pid:
            control.close()
            _place(files, order.files)
            return order
        for file in files:
            os.close(file)
        control.send(str(pid).encode())


def _fork_twice() -> int:
    """Fork a process that is no child of this one; gives its number here, 0 in it."""
    reading, writing = os.pipe()
    between = os.fork()
    if not between:
        between = os.getpid()
        if child := os.fork():
            os.write(writing, str(child).encode())
            os._exit(0)
        os.close(reading)
        os.close(writing)
        # What is asked of the kernel for the parent's death must mean the supervisor's.
        while os.getppid() == between:
            time.sleep(_REPARENT_S)
        return 0
    os.close(writing)
    os.waitpid(between, 0)
    with os.fdopen(reading, "rb") as answer:
        return int(answer.read())


def _place(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give descriptors the numbers they are known by."""
    above = max(numbers, default=0) + 1
    moved = [fcntl.fcntl(file, fcntl.F_DUPFD, above) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(moved, numbers, strict=True):
        os.dup2(file, number)
        os.close(file)


def _main() -> None:
    die_with_parent(signal.SIGKILL)
    for module in sys.argv[2:]:
        import_module(module)
    # What is collected is written to, and what is written to is no longer shared.
    gc.collect()
    gc.freeze()
    trim_heap()
    unmap_clean_files()
    order = _serve(socket.socket(fileno=int(sys.argv[1])))
    if order is None:
        return
    # What is frozen outlives the modules it needs when an interpreter is taken down.
    atexit.register(gc.unfreeze)
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_NAME, f"shizi-{order.name}".encode()[:_NAME_BYTES])
    run_program(*order.arguments)


if __name__ == "__main__":
    _main()
