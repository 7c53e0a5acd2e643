"""What ends a release: each guard is a figure, its bound, and whether it is broken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from shizi.release.bounds import least_rise, mean_and_error, wilson
from shizi.release.evidence import Counts, Evidence, Facts
from shizi.release.observations import Tally
from shizi.release.plan import Guards


class Guard(StrEnum):
    """What is watched."""

    LOAD = "load"
    """The canary cannot be loaded, or does not read what it must."""
    BREAKER = "breaker"
    """A process stopped asking it."""
    FAILURES = "failures"
    """Its failures come as they do from a sick version."""
    FAILURE_RATE = "failure_rate"
    """It surely fails more than it may."""
    MEDIAN_SECONDS = "median_seconds"
    SLOWEST_SECONDS = "slowest_seconds"
    EMPTY = "empty"
    GARBLED = "garbled"
    CONFIDENCE = "confidence"
    AGREEMENT = "agreement"
    CORRECTIONS = "corrections"
    SPOT_CHECKS = "spot_checks"


_AT_ONCE = frozenset(
    {Guard.LOAD, Guard.BREAKER, Guard.FAILURES, Guard.FAILURE_RATE, Guard.SPOT_CHECKS}
)
_LEAST_SPOT_CHECKS = 5
# Two failures among the first five requests say nothing; the sum of failures watches those.
_LEAST_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """How a guard stands.

    Attributes:
        guard: which.
        value: the figure; None where there is too little to tell.
        bound: it must not pass.
        samples: the figure rests on.
        crossed: the bound is passed at this look.
        broken: it has been for as many looks as the guard asks; the release is rolled back.
        detail: one sentence.
    """

    guard: Guard
    value: float | None
    bound: float
    samples: int
    crossed: bool
    broken: bool = False
    detail: str = ""


def read_guards(guards: Guards, evidence: Evidence, facts: Facts) -> tuple[Reading, ...]:
    """Look at all guards; numbers are those of the present stage."""
    now = facts.counts.since(evidence.base)
    readings = [
        _said(Guard.LOAD, facts.failed),
        _said(Guard.BREAKER, facts.tripped),
        _sum_of_failures(guards, evidence),
        _failure_rate(guards, now),
        *_seconds(guards, now, facts.counts),
        *_quality(guards, now, facts.counts),
        _corrections(guards, now, facts.counts),
        _spot_checks(guards, now),
    ]
    return tuple(_broken(reading, guards, evidence) for reading in readings)


def count_streaks(evidence: Evidence, readings: tuple[Reading, ...]) -> Evidence:
    """Keep for how many looks in a row each guard was crossed, this one included."""
    streaks = {
        reading.guard.value: evidence.streaks.get(reading.guard, 0) + 1
        for reading in readings
        if reading.crossed
    }
    return replace(evidence, streaks=streaks)


def _broken(reading: Reading, guards: Guards, evidence: Evidence) -> Reading:
    needed = 1 if reading.guard in _AT_ONCE else guards.sustained
    streak = evidence.streaks.get(reading.guard, 0) + 1
    return replace(reading, broken=reading.crossed and streak >= needed)


def _said(guard: Guard, why: str) -> Reading:
    return Reading(guard, float(bool(why)), 0.0, 1, bool(why), detail=why)


def _sum_of_failures(guards: Guards, evidence: Evidence) -> Reading:
    return Reading(
        Guard.FAILURES,
        evidence.alarm,
        guards.alarm,
        evidence.tried,
        evidence.alarm > guards.alarm,
        detail=f"{evidence.faults} of {evidence.tried} requests failed",
    )


def _failure_rate(guards: Guards, now: Counts) -> Reading:
    tried, stable = now.tried, now.stable
    low, _ = wilson(tried.faults, tried.requests, guards.confidence_z)
    bound = guards.failure_rate + (stable.faults / stable.requests if stable.requests else 0.0)
    return Reading(
        Guard.FAILURE_RATE,
        low if tried.requests else None,
        bound,
        tried.requests,
        tried.requests >= _LEAST_REQUESTS and low > bound,
        detail=f"{tried.faults} of {tried.requests} requests failed",
    )


def _seconds(guards: Guards, now: Counts, whole: Counts) -> Iterator[Reading]:
    """Compare quantiles; at a share of 100 % the stable version's are those of earlier stages."""
    base = _enough(guards.latency_requests, now.stable, whole.stable)
    samples = min(now.canary.ok, base.ok)
    for guard, share in ((Guard.MEDIAN_SECONDS, 0.5), (Guard.SLOWEST_SECONDS, 0.95)):
        # What the canary's quantile surely reaches, and the stable version's surely does not pass:
        # the ranks of an interval that holds for seconds of any distribution.
        mine = now.canary.quantile_s(share - _ranks(share, now.canary.ok, guards.confidence_z))
        others = base.quantile_s(share + _ranks(share, base.ok, guards.confidence_z))
        if samples < guards.latency_requests or mine is None or others is None:
            yield Reading(guard, None, guards.latency_ratio, samples, crossed=False)
            continue
        ratio = mine / others
        yield Reading(
            guard,
            ratio,
            guards.latency_ratio,
            samples,
            ratio > guards.latency_ratio,
            detail=f"surely over {mine:.2f} s against {others:.2f} s at most",
        )


def _ranks(share: float, samples: int, z: float) -> float:
    """Give how far, as a share of all ranks, a quantile may be off."""
    return min(1 - share, z * math.sqrt(share * (1 - share) / max(1, samples)))


def _quality(guards: Guards, now: Counts, whole: Counts) -> Iterator[Reading]:
    """Compare answers; on the same pictures where enough were read twice, else on all."""
    mine, base = now.shadow, now.twin
    if min(mine.ok, base.ok) < guards.quality_requests:
        mine, base = now.canary, _enough(guards.quality_requests, now.stable, whole.stable)
    z, least = guards.confidence_z, guards.quality_requests
    samples = min(mine.ok, base.ok)
    for guard, hits, base_hits, bound in (
        (Guard.EMPTY, mine.empty, base.empty, guards.empty_rise),
        (Guard.GARBLED, mine.garbled, base.garbled, guards.garbled_rise),
    ):
        rise = least_rise(hits, mine.ok, base_hits, base.ok, z) if samples >= least else None
        detail = f"{hits} of {mine.ok} answers against {base_hits} of {base.ok}"
        yield Reading(guard, rise, bound, samples, (rise or 0) > bound, detail=detail)
    yield _confidence(guards, mine, base)
    yield _agreement(guards, now.shadow)


def _confidence(guards: Guards, mine: Tally, base: Tally) -> Reading:
    samples = min(mine.read, base.read)
    bound = guards.confidence_fall
    if samples < guards.quality_requests:
        return Reading(Guard.CONFIDENCE, None, bound, samples, crossed=False)
    mean, error = mean_and_error(mine.confidence, mine.confidence_squares, mine.read)
    usual, usual_error = mean_and_error(base.confidence, base.confidence_squares, base.read)
    fall = usual - mean - guards.confidence_z * (error**2 + usual_error**2) ** 0.5
    detail = f"{mean:.3f} against {usual:.3f} on average"
    return Reading(Guard.CONFIDENCE, fall, bound, samples, fall > bound, detail=detail)


def _agreement(guards: Guards, shadow: Tally) -> Reading:
    if shadow.compared < guards.quality_requests:
        return Reading(Guard.AGREEMENT, None, guards.agreement, shadow.compared, crossed=False)
    mean, error = mean_and_error(shadow.agreement, shadow.agreement_squares, shadow.compared)
    best = mean + guards.confidence_z * error
    return Reading(
        Guard.AGREEMENT,
        best,
        guards.agreement,
        shadow.compared,
        best < guards.agreement,
        detail=f"{mean:.3f} on average",
    )


def _corrections(guards: Guards, now: Counts, whole: Counts) -> Reading:
    mine, base = now.canary, _enough(guards.quality_requests, now.stable, whole.stable)
    rise = None
    if min(mine.ok, base.ok) >= guards.quality_requests:
        rise = least_rise(
            min(mine.corrected, mine.lines),
            mine.lines,
            min(base.corrected, base.lines),
            base.lines,
            guards.confidence_z,
        )
    bound = guards.corrected_rise
    detail = f"{mine.corrected} of {mine.lines} lines against {base.corrected} of {base.lines}"
    samples = min(mine.ok, base.ok)
    return Reading(Guard.CORRECTIONS, rise, bound, samples, (rise or 0) > bound, detail=detail)


def _spot_checks(guards: Guards, now: Counts) -> Reading:
    decided = now.judged_canary + now.judged_stable
    judged = decided + now.judged_same
    low = None
    if judged >= _LEAST_SPOT_CHECKS:
        low, _ = wilson(now.judged_stable, judged, guards.confidence_z)
    return Reading(
        Guard.SPOT_CHECKS,
        low,
        guards.wrong_verdicts,
        judged,
        low is not None and low > guards.wrong_verdicts,
        detail=f"{now.judged_stable} of {judged} decided for the stable version",
    )


def _enough(least: int, now: Tally, whole: Tally) -> Tally:
    return now if now.ok >= least else whole
