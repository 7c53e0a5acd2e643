"""Stops one process from sending requests to a version that keeps failing, before anybody decides.

The leader needs seconds to hear of it; users should not. A tripped process routes to the stable
version at once and says so in its snapshot, which ends the release.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from shizi.release.observations import Outcome


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """When it trips.

    Attributes:
        failures: readings of the canary in a row that fail. A canary that fails one request in
            twenty does so once in ten billion requests.
        deaths: ends of its engine within one release.
    """

    failures: int = 8
    deaths: int = 3


class Breaker:
    """Counts failures in a row; once tripped it stays so for its release. Threads share it."""

    def __init__(self, options: BreakerOptions = BreakerOptions()) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._release_id = ""
        self._failures = self._deaths = 0
        self._tripped = ""

    def follow(self, release_id: str) -> None:
        """Begin anew where it is another release."""
        with self._lock:
            if release_id != self._release_id:
                self._release_id = release_id
                self._failures = self._deaths = 0
                self._tripped = ""

    def count(self, outcome: Outcome) -> None:
        """Take the outcome of a reading by the canary; rejected ones say nothing."""
        with self._lock:
            if outcome is Outcome.OK:
                self._failures = 0
            elif outcome is not Outcome.REJECTED:
                self._failures += 1
            if self._failures >= self._options.failures:
                self._trip(f"{self._failures} readings of the canary failed in a row")

    def count_death(self) -> None:
        """Take an end of the canary's engine that nobody ordered."""
        with self._lock:
            self._deaths += 1
            if self._deaths >= self._options.deaths:
                self._trip(f"the canary's engine ended {self._deaths} times")

    @property
    def tripped(self) -> str:
        """Why nothing goes to the canary any more; empty while it does."""
        return self._tripped

    def _trip(self, why: str) -> None:
        self._tripped = self._tripped or why
