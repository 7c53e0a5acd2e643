"""A point in time by which work must be done; it means the same in every process of a machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from shizi.core.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """When work is given up.

    Attributes:
        at_s: on the monotonic clock, which all processes of a machine share; infinite for never.
    """

    at_s: float = math.inf

    @classmethod
    def after(
        cls, timeout_s: float | None, clock: Callable[[], float] = time.monotonic
    ) -> Deadline:
        """Give the deadline that many seconds from now; None for never."""
        return cls() if timeout_s is None else cls(clock() + timeout_s)

    def left_s(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Give the seconds left; below 0 once it has passed."""
        return self.at_s - clock()

    def check(self, when: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Give up once it has passed.

        Args:
            when: where the work stands, for the message: "after the stage detect".
            clock: seconds on the clock of `at_s`.

        Raises:
            DeadlineExceeded: it has passed.
        """
        if self.left_s(clock) <= 0:
            raise DeadlineExceeded(f"the time given ran out {when}")
