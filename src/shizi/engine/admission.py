"""Who is let in: a bounded queue before a few places, and an honest no where time will not do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shizi.core.deadline import current_terms
from shizi.core.errors import Busy
from shizi.engine.gate import Gate

# Weight of the last call in the running mean of how long a call takes.
_WEIGHT = 0.1
# Who would wait for more than this share of his time is told so at once.
_SHARE = 0.8


class Admission:
    """Lets calls in as places come free; safe to share between threads.

    Args:
        places: calls in work at once.
        waiting: calls that may wait.
    """

    def __init__(self, places: int, waiting: int) -> None:
        self._places = places
        self._most_waiting = waiting
        self._gate = Gate(places)
        self._lock = threading.Lock()
        self._inside = 0
        self._mean_s = 0.0
        self._last_s = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Give the seconds since the last call ended; 0 while one is in work."""
        return 0.0 if self._inside else time.monotonic() - self._last_s

    @property
    def working(self) -> int:
        """Count the calls in work."""
        return self._inside

    @property
    def waiting(self) -> int:
        """Count the calls that wait."""
        return self._gate.waiting

    @property
    def wait_s(self) -> float:
        """Guess how long a call that comes now would wait."""
        ahead = self._gate.waiting + max(0, self._inside - self._places + 1)
        return ahead * self._mean_s / self._places

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place under the terms of the call, and keep it for the block.

        Raises:
            Busy: too many wait, or so many that the time of the call would run out.
            DeadlineExceeded: it did.
        """
        wait_s = self.wait_s
        late = wait_s > _SHARE * current_terms().deadline.left_s()
        if late or self._gate.waiting >= self._most_waiting:
            raise Busy(max(1.0, wait_s))
        with self._gate.turn():
            started = time.monotonic()
            self._count(1)
            try:
                yield
            finally:
                self._count(-1, time.monotonic() - started)

    def _count(self, change: int, took_s: float | None = None) -> None:
        with self._lock:
            self._inside += change
            self._last_s = time.monotonic()
            if took_s is not None:
                known = self._mean_s or took_s
                self._mean_s = (1 - _WEIGHT) * known + _WEIGHT * took_s
