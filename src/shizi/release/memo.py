"""What the leader writes down at every look: for the next leader, and for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from shizi.core.errors import ReleaseInvalid
from shizi.release.evidence import Counts, Evidence
from shizi.release.guards import Reading
from shizi.release.observations import Tally
from shizi.release.stored import decode

MOST_POINTS = 240


@dataclass(frozen=True, slots=True)
class Mark:
    """One side of a release within one stretch of its curves.

    Attributes:
        requests: counted.
        faults: of them.
        empty: answers without a line.
        confidence: mean over answers; None without any.
        median_s: seconds; None without any answer.
    """

    requests: int
    faults: int
    empty: int
    confidence: float | None
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """A stretch of the curves.

    Attributes:
        at_s: its end, seconds since the epoch of time.
        ratio_bp: share of the canary at its end.
        stable: what the stable version answered in it.
        canary: what the canary was given in it, seen or not.
    """

    at_s: float
    ratio_bp: int
    stable: Mark
    canary: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """All of it.

    Attributes:
        evidence: to go on from.
        readings: of the guards, at the last look.
        missing: what the stage waits for.
        at_s: of the last look.
        points: of the curves, the oldest first.
        drawn: what the curves have so far.
        stretch_s: seconds a point stands for at least; doubled whenever there are too many.
    """

    evidence: Evidence = Evidence()  # noqa: RUF009 - frozen
    readings: Sequence[Reading] = ()
    missing: str = ""
    at_s: float = 0.0
    points: Sequence[Point] = ()
    drawn: Counts = Counts()  # noqa: RUF009 - frozen
    stretch_s: float = 1.0


def extend(memo: Memo, counts: Counts, ratio_bp: int, at_s: float) -> Memo:
    """Draw the curves on to the present.

    Args:
        memo: of the look before.
        counts: since the release began.
        ratio_bp: share of the canary now.
        at_s: now.
    """
    if memo.points and at_s - memo.points[-1].at_s < memo.stretch_s:
        return memo
    new = counts.since(memo.drawn)
    points = [*memo.points, Point(at_s, ratio_bp, _mark(new.stable), _mark(new.tried))]
    stretch_s = memo.stretch_s
    if len(points) > MOST_POINTS:
        pairs = zip(points[:-1:2], points[1::2], strict=True)
        points = [*(_joined(*pair) for pair in pairs), *points[len(points) // 2 * 2 :]]
        stretch_s *= 2
    return replace(memo, points=points, drawn=counts, stretch_s=stretch_s)


def memo_to_json(memo: Memo) -> bytes:
    """Write a memo."""
    return msgspec.json.encode(memo)


def json_to_memo(content: bytes) -> Memo:
    """Read one; what is empty or damaged begins anew: nothing is decided by its absence."""
    try:
        return decode(content, Memo, "the notes are damaged") if content else Memo()
    except ReleaseInvalid:
        return Memo()


def _mark(tally: Tally) -> Mark:
    return Mark(
        requests=tally.requests,
        faults=tally.faults,
        empty=tally.empty,
        confidence=tally.mean_confidence() if tally.read else None,
        median_s=tally.quantile_s(0.5),
    )


def _joined(first: Point, second: Point) -> Point:
    """Make one stretch of two that follow each other."""
    return Point(
        second.at_s,
        second.ratio_bp,
        _both(first.stable, second.stable),
        _both(first.canary, second.canary),
    )


def _both(one: Mark, other: Mark) -> Mark:
    return Mark(
        one.requests + other.requests,
        one.faults + other.faults,
        one.empty + other.empty,
        _weighed(one.confidence, one.requests, other.confidence, other.requests),
        _weighed(one.median_s, one.requests, other.median_s, other.requests),
    )


def _weighed(one: float | None, weight: int, other: float | None, weight_: int) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return (one * weight + other * weight_) / max(1, weight + weight_)
