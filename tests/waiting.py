"""Waiting for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Nothing that comes at all takes longer, on a machine busy with other work.
LONG_S = 90.0


def until(
    condition: Callable[[], object],
    seconds: float = LONG_S,
    what: str = "it",
    *,
    pause_s: float = 0.02,
) -> float:
    """Wait for something; gives the seconds it took.

    Args:
        condition: looked at until it is true.
        seconds: it may take.
        what: is waited for, in words.
        pause_s: between two looks.

    Raises:
        AssertionError: it did not come.
    """
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"waited {seconds:.0f} s for {what}"
        time.sleep(pause_s)
    return time.monotonic() - begun
