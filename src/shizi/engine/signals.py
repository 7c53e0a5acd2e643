"""Signals as something a loop can wait for."""

from __future__ import annotations

import ctypes
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


class WakeUp:
    """Wakes a loop when a signal comes.

    Attributes:
        socket: becomes readable then.
        ending: whether one of the signals asked the process to end.
    """

    def __init__(self, reading: socket.socket) -> None:
        self.socket = reading
        self.ending = False

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, no longer than this; True once the process is to end."""
        select.select([self.socket], [], [], seconds)
        return self.drain()

    def drain(self) -> bool:
        """Take note of the signals that came; True once the process is to end."""
        try:
            numbers = self.socket.recv(4096)
        except BlockingIOError:
            numbers = b""
        self.ending = self.ending or any(number in _ENDING for number in numbers)
        return self.ending


@contextmanager
def wake_on_signals(*signals: signal.Signals) -> Iterator[WakeUp]:
    """Let these signals do nothing but wake a loop; for the main thread.

    Ctrl-C goes to every process of a terminal: SIGINT is ignored where it is not named.
    """
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in signals:
            signal.signal(number, lambda *_: None)
        yield WakeUp(reading)
        signal.set_wakeup_fd(-1)


def die_with_parent(sig: signal.Signals) -> None:
    """Ask the kernel to send a signal when the parent is gone; nothing happens off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sig))
