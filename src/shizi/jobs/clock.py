"""Time that only goes forward: the wall clock may be set while a job runs."""

from __future__ import annotations

import time
from collections.abc import Callable


class SteadyClock:
    """Tells the time of day as it was at the start, plus the seconds that passed since.

    Args:
        wall: seconds since 1970.
        monotonic: seconds that nobody can set.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def __call__(self) -> float:
        """Give seconds since 1970."""
        return self._offset + self._monotonic()
