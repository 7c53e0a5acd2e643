"""What a finished request tells of the version that answered it: numbers alone, never text."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import accumulate
from typing import Self


class Side(StrEnum):
    """The part of a release a reading belongs to."""

    STABLE = "stable"
    CANARY = "canary"
    SHADOW = "shadow"
    """The canary read what the stable version answered; nobody saw it."""
    TWIN = "twin"
    """The stable version's own reading of what was read in the shadow: the same pictures."""


class Outcome(StrEnum):
    """How a reading ended."""

    OK = "ok"
    FAILURE = "failure"
    """The version crashed or erred: our fault."""
    TIMEOUT = "timeout"
    """It took longer than the request allowed: our fault."""
    REJECTED = "rejected"
    """The input was at fault, or the request was given up, or both versions failed at it."""


class Kind(StrEnum):
    """What sort of picture was read, as far as can be told without its text."""

    CLEAN = "clean"
    SCAN = "scan"
    PHOTO = "photo"
    HANDWRITING = "handwriting"
    SIGN = "sign"


_GROWTH = 1.2
_FIRST_S = 0.001
EDGES_S = tuple(_FIRST_S * _GROWTH**n for n in range(64))
"""Upper edges of the buckets of seconds: 1 ms to 97 s, each a fifth above the one before, so that a
quantile is known to a tenth; the last bucket, beyond them, has no upper edge."""
_BUCKETS = len(EDGES_S) + 1


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading of one picture by one version.

    Attributes:
        release_id: of the release it was routed by.
        epoch: of the state it was routed by.
        version: that read.
        side: of the release.
        outcome: how it ended.
        seconds: it took, waiting for a place left out.
        kind: of the picture.
        lines: found; 0 where it did not end well.
        confidence: sum of the calibrated confidences of these lines, each in [0, 1].
        garbled: it looks like no text.
        agreement: with what the stable version read, in [0, 1]; None where not compared.
    """

    release_id: str
    epoch: int
    version: str
    side: Side
    outcome: Outcome
    seconds: float
    kind: Kind = Kind.CLEAN
    lines: int = 0
    confidence: float = 0.0
    garbled: bool = False
    agreement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Many observations, counted; adding two tallies loses nothing.

    Attributes:
        ok: readings that ended well.
        failures: that crashed or erred.
        timeouts: that took too long.
        rejected: that say nothing of the version.
        empty: of the `ok` ones, without a line.
        garbled: of the `ok` ones, that look like no text.
        lines: found in the `ok` ones.
        read: of the `ok` ones, with a line; each has a mean confidence.
        confidence: sum of these means.
        confidence_squares: sum of their squares.
        compared: readings compared with the stable version's.
        agreement: sum of the agreements.
        agreement_squares: sum of their squares.
        corrected: lines that users changed afterwards.
        seconds: of the `ok` ones, by bucket of `EDGES_S`; trailing zeros are left out.
    """

    ok: int = 0
    failures: int = 0
    timeouts: int = 0
    rejected: int = 0
    empty: int = 0
    garbled: int = 0
    lines: int = 0
    read: int = 0
    confidence: float = 0.0
    confidence_squares: float = 0.0
    compared: int = 0
    agreement: float = 0.0
    agreement_squares: float = 0.0
    corrected: int = 0
    seconds: tuple[int, ...] = ()

    @property
    def requests(self) -> int:
        """Readings that say something of the version."""
        return self.ok + self.failures + self.timeouts

    @property
    def faults(self) -> int:
        """Those that were our fault."""
        return self.failures + self.timeouts

    def __add__(self, other: Self) -> Self:
        return self._combine(other, 1)

    def __sub__(self, other: Self) -> Self:
        """Leave out what an earlier tally of the same counter had already."""
        return self._combine(other, -1)

    def _combine(self, other: Self, sign: int) -> Self:
        numbers = {name: getattr(self, name) + sign * getattr(other, name) for name in _NUMBERS}
        width = max(len(self.seconds), len(other.seconds))
        mine, others = (_padded(tally.seconds, width) for tally in (self, other))
        seconds = tuple(a + sign * b for a, b in zip(mine, others, strict=True))
        return type(self)(seconds=seconds, **numbers)

    def mean_confidence(self) -> float:
        """Mean over readings with a line; 0 without any."""
        return self.confidence / self.read if self.read else 0.0

    def quantile_s(self, share: float) -> float | None:
        """Give the seconds that a share of the readings took at most; None without any."""
        total = sum(self.seconds)
        if not total:
            return None
        rank = max(1, math.ceil(share * total))
        bucket = bisect_left(list(accumulate(self.seconds)), rank)
        if bucket >= len(EDGES_S):
            return EDGES_S[-1]
        # The geometric middle: errs by less than a tenth either way.
        return EDGES_S[bucket] / math.sqrt(_GROWTH)


_NUMBERS = tuple(spec.name for spec in fields(Tally) if spec.name != "seconds")


def tally_of(observation: Observation) -> Tally:
    """Count one observation."""
    compared = observation.agreement is not None
    agreement = observation.agreement or 0.0
    if observation.outcome is not Outcome.OK:
        return Tally(
            failures=int(observation.outcome is Outcome.FAILURE),
            timeouts=int(observation.outcome is Outcome.TIMEOUT),
            rejected=int(observation.outcome is Outcome.REJECTED),
            compared=int(compared),
            agreement=agreement,
            agreement_squares=agreement**2,
        )
    read = observation.lines > 0
    mean = observation.confidence / observation.lines if read else 0.0
    bucket = bisect_left(EDGES_S, observation.seconds)
    return Tally(
        ok=1,
        empty=int(not read),
        garbled=int(observation.garbled),
        lines=observation.lines,
        read=int(read),
        confidence=mean,
        confidence_squares=mean**2,
        compared=int(compared),
        agreement=agreement,
        agreement_squares=agreement**2,
        seconds=(*(0,) * bucket, 1),
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """Add tallies up."""
    result = Tally()
    for tally in tallies:
        result = result + tally
    return result


def _padded(counts: tuple[int, ...], width: int) -> tuple[int, ...]:
    return counts + (0,) * (width - len(counts))
