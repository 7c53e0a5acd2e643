"""Watches work that cannot look at a clock itself, and stops it when its time is over."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shizi.core.deadline import Deadline
from shizi.models.session import Stop

#: A run of the network looks at its flag between two nodes: a few milliseconds, usually.
GRACE_S = 5.0
#: Runs that are kept before those that are over are looked for.
_LEAST_ROOM = 64


@dataclass(order=True, slots=True)
class _Run:
    at_s: float
    number: int
    stop: Stop = field(compare=False)
    over: bool = field(default=False, compare=False)


class Watch:
    """One thread that stops runs at their deadline.

    Args:
        on_stuck: called once for a run that goes on `grace_s` after it was told to stop; nothing
            but ending the process helps then.
        grace_s: how long a run may take to stop.
    """

    def __init__(self, on_stuck: Callable[[], None], grace_s: float = GRACE_S) -> None:
        self._on_stuck = on_stuck
        self._grace_s = grace_s
        self._runs: list[_Run] = []
        self._room = _LEAST_ROOM
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)
        self._thread.start()

    @contextmanager
    def until(self, deadline: Deadline) -> Iterator[Stop]:
        """Watch what the block does; its stop is set when the deadline passes."""
        stop = Stop()
        run = _Run(deadline.at_s, next(self._numbers), stop)
        if deadline.at_s < math.inf:
            self._add(run)
        try:
            yield stop
        finally:
            run.over = True

    def close(self) -> None:
        """End the thread; runs are watched no longer."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _add(self, run: _Run) -> None:
        with self._changed:
            if len(self._runs) >= self._room:
                # Those that are over would stay until their deadline, which may be tomorrow.
                self._runs = [other for other in self._runs if not other.over]
                heapq.heapify(self._runs)
                self._room = max(_LEAST_ROOM, 2 * len(self._runs))
            heapq.heappush(self._runs, run)
            if self._runs[0] is run:
                self._changed.notify()

    def _loop(self) -> None:
        with self._changed:
            while not self._closed:
                while self._runs and self._runs[0].over:
                    heapq.heappop(self._runs)
                wait_s = self._runs[0].at_s - time.monotonic() if self._runs else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                else:
                    self._end(heapq.heappop(self._runs))

    def _end(self, run: _Run) -> None:
        if run.over:
            return
        if run.stop.is_set:
            self._on_stuck()
            return
        run.stop.set()
        heapq.heappush(self._runs, _again(run, self._grace_s))


def _again(run: _Run, grace_s: float) -> _Run:
    run.at_s = time.monotonic() + grace_s
    return run
