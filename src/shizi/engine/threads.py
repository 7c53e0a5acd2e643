"""Threads that are used again."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context

from shizi.core.deadline import Deadline


class Threads:
    """Does pieces of work at once, each in a thread that is free, or in a new one.

    OpenCV keeps 900 bytes of every thread that used it, for ever; a thread a call is a leak. The
    threads are daemons: work that does not end keeps no process alive. There are as many as there
    was work at once; whoever hands it in bounds that.

    Args:
        name: of the threads.
    """

    def __init__(self, name: str = "worker") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._ended = threading.Condition(self._lock)
        self._queue: deque[Callable[[], object]] = deque()
        self._idle = 0
        self._working = 0

    def start(self, work: Callable[[], object]) -> None:
        """Have a piece of work done; it begins with no context variable set."""
        with self._lock:
            self._working += 1
            self._queue.append(work)
            if self._idle >= len(self._queue):
                self._arrived.notify()
                return
        threading.Thread(target=self._loop, name=self._name, daemon=True).start()

    def wait(self, deadline: Deadline) -> bool:
        """Wait until nothing is in work; False where the time is over first."""
        with self._lock:
            return self._ended.wait_for(lambda: not self._working, max(0.0, deadline.left_s()))

    def _loop(self) -> None:
        while True:
            self._do_next()

    def _do_next(self) -> None:
        with self._lock:
            while not self._queue:
                self._idle += 1
                self._arrived.wait()
                self._idle -= 1
            work = self._queue.popleft()
        try:
            Context().run(work)
        finally:
            with self._lock:
                self._working -= 1
                self._ended.notify_all()
