"""How far a batch is, and how fast."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: The rate is that of so many seconds: long enough to be steady, short enough to be true.
_WINDOW_S = 60.0
_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a batch is.

    Attributes:
        files: known of.
        listed: whether those are all.
        read: files that were read, those of an earlier run included.
        failed: files that could not be.
        pages: read, those of an earlier run included.
        per_s: files a second of late.
        left_s: seconds left at this rate; None where that is not known.
        stopping: whether it was asked to stop.
    """

    files: int
    listed: bool
    read: int
    failed: int
    pages: int
    per_s: float = 0.0
    left_s: float | None = None
    stopping: bool = False

    @property
    def done(self) -> int:
        """Files that need nothing more."""
        return self.read + self.failed


class Rate:
    """Counts files a second over the last minute.

    Args:
        monotonic: seconds that nobody can set.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._marks: deque[tuple[float, int]] = deque()

    def per_s(self, done: int) -> float:
        """Give the rate at which the number of files grows to this one."""
        now = self._monotonic()
        if not self._marks or now - self._marks[-1][0] >= _STEP_S:
            self._marks.append((now, done))
        while len(self._marks) > 1 and now - self._marks[0][0] > _WINDOW_S:
            self._marks.popleft()
        since, before = self._marks[0]
        return (done - before) / (now - since) if now > since else 0.0
