"""By when work must be done, and whose turn it is; the same in every process of a machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from shizi.core.errors import DeadlineExceeded
from shizi.core.options import Lane


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all work of one call.

    Attributes:
        deadline: by when it must be done.
        lane: whose turn it is where several calls wait.
    """

    deadline: Deadline = Deadline()
    lane: Lane = Lane.INTERACTIVE


_ANY_TIME = Terms()
_terms = ContextVar("terms", default=_ANY_TIME)


def current_terms() -> Terms:
    """Give the terms of the call this thread works for; without any, there is time for ever."""
    return _terms.get()


@contextmanager
def under(terms: Terms) -> Iterator[None]:
    """Do the block's work under these terms."""
    token = _terms.set(terms)
    try:
        yield
    finally:
        _terms.reset(token)
