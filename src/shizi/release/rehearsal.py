"""Plays releases through with invented traffic, to see what the rules do before real users do.

Everything but the traffic is the real thing: states, transitions, evidence, guards. Traffic is
drawn look by look, with days and nights; versions differ in what they fail, miss, and take.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from shizi.core.sections import RoutingSettings
from shizi.release.document import Document, Phase
from shizi.release.evidence import Counts, Evidence, Facts
from shizi.release.observations import EDGES_S, Tally
from shizi.release.plan import BASIS_POINTS, Guards, Plan
from shizi.release.policy import decide
from shizi.release.transitions import Change, Event, apply, start

DAY_S = 86_400.0
_BEGIN = Change(Event.ADVANCE, "rehearsal", "a rehearsal", 0.0)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a version is like.

    Attributes:
        failure_rate: of its requests.
        empty_rate: of its answers.
        garbled_rate: of its answers.
        confidence: mean over answers.
        agreement: mean with the stable version.
        seconds: median.
    """

    failure_rate: float = 0.01
    empty_rate: float = 0.03
    garbled_rate: float = 0.002
    confidence: float = 0.93
    agreement: float = 0.97
    seconds: float = 0.2


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many come, and how often is looked.

    Attributes:
        requests_an_hour: on average over a day.
        look_s: seconds between two looks.
        begin_s: time of day of the first request, seconds.
        most_s: a release that takes longer is broken off.
    """

    requests_an_hour: float = 3_000.0
    look_s: float = 30.0
    begin_s: float = 9 * 3_600.0
    most_s: float = 2 * DAY_S


@dataclass(frozen=True, slots=True)
class Played:
    """How a release went.

    Attributes:
        document: its last state.
        canary_requests: that the canary answered, or failed to, unseen ones not counted.
        tried: those and the ones it read unseen.
        seconds: it took.
        holds: times it was held.
    """

    document: Document
    canary_requests: int
    tried: int
    seconds: float
    holds: int


_Chance = np.random.Generator


def play(
    chance: _Chance,
    stable: Traits = Traits(),
    canary: Traits = Traits(),
    traffic: Traffic = Traffic(),
    plan: Plan = Plan(),  # noqa: B008 - frozen
    guards: Guards = Guards(),  # noqa: B008 - frozen
) -> Played:
    """Play one release through, to its end or to the end of its time."""
    document = start(None, f"r{chance.integers(1 << 62)}", "a@1", "a@2", _BEGIN, plan, guards)
    evidence, counts = Evidence(), Counts()
    holds, at_s = 0, 0.0
    for at_s in _looks(traffic):
        drawn = _draw(chance, document, stable, canary, _expected(traffic, at_s))
        counts = _added(counts, drawn)
        facts = Facts(counts=counts, ready=True, verified=True)
        decision = decide(document, evidence, facts, RoutingSettings(), traffic.look_s, at_s)
        evidence = decision.evidence
        if decision.change:
            document = apply(document, decision.change)
            holds += document.phase is Phase.HOLD
        if document.ended:
            break
    return Played(document, counts.canary.requests, counts.tried.requests, at_s, holds)


def _looks(traffic: Traffic) -> Iterator[float]:
    yield from (n * traffic.look_s for n in range(1, math.ceil(traffic.most_s / traffic.look_s)))


def _expected(traffic: Traffic, at_s: float) -> float:
    """Give the requests expected in one look: most at noon, few at midnight."""
    day = 2 * math.pi * (traffic.begin_s + at_s) / DAY_S
    return traffic.requests_an_hour * traffic.look_s / 3_600 * (1 - 0.8 * math.cos(day))


def _draw(
    chance: _Chance, document: Document, stable: Traits, canary: Traits, expected: float
) -> Counts:
    requests = int(chance.poisson(expected))
    to_canary = int(chance.binomial(requests, document.ratio_bp / BASIS_POINTS))
    unseen = 0
    if document.phase in (Phase.SHADOW, Phase.CANARY):
        unseen = int(chance.binomial(requests - to_canary, document.plan.shadow_bp / BASIS_POINTS))
    return Counts(
        stable=_tally(chance, stable, requests - to_canary),
        canary=_tally(chance, canary, to_canary),
        shadow=_tally(chance, canary, unseen, canary.agreement),
        twin=_tally(chance, stable, unseen),
    )


def _tally(chance: _Chance, traits: Traits, requests: int, agreement: float | None = None) -> Tally:
    faults = int(chance.binomial(requests, traits.failure_rate))
    ok = requests - faults
    empty = int(chance.binomial(ok, traits.empty_rate))
    compared = ok if agreement is not None else 0
    confidence, confidence_squares = _sums(chance, traits.confidence, ok - empty)
    agreed, agreed_squares = _sums(chance, agreement or 0.0, compared)
    return Tally(
        ok=ok,
        failures=faults,
        empty=empty,
        garbled=int(chance.binomial(ok, traits.garbled_rate)),
        lines=10 * (ok - empty),
        read=ok - empty,
        confidence=confidence,
        confidence_squares=confidence_squares,
        compared=compared,
        agreement=agreed,
        agreement_squares=agreed_squares,
        seconds=_seconds(chance, traits.seconds, ok),
    )


def _sums(chance: _Chance, mean: float, samples: int) -> tuple[float, float]:
    """Draw values in [0, 1] about a mean, most of them high, as confidences are."""
    if not samples or mean <= 0:
        return 0.0, 0.0
    values = chance.beta(20 * mean, 20 * (1 - mean), samples)
    return float(values.sum()), float((values**2).sum())


def _seconds(chance: _Chance, median_s: float, samples: int) -> tuple[int, ...]:
    if not samples:
        return ()
    drawn = chance.lognormal(math.log(median_s), 0.7, samples)
    counts = np.bincount(np.searchsorted(EDGES_S, drawn), minlength=len(EDGES_S) + 1)
    return tuple(int(n) for n in counts)


def _added(counts: Counts, more: Counts) -> Counts:
    return replace(
        counts,
        stable=counts.stable + more.stable,
        canary=counts.canary + more.canary,
        shadow=counts.shadow + more.shadow,
        twin=counts.twin + more.twin,
    )
