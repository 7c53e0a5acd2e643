"""Decides what happens next to a release; pure, so that a month of them is tried in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shizi.core.sections import RoutingSettings
from shizi.release.document import Document, Phase
from shizi.release.evidence import Evidence, Facts, take_in
from shizi.release.guards import Reading, count_streaks, read_guards
from shizi.release.plan import BASIS_POINTS
from shizi.release.transitions import Change, Event, target

LEADER = "leader"
CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one look comes to.

    Attributes:
        evidence: to keep for the next look.
        readings: of all guards.
        change: of the release; None where it stays.
        missing: what the present stage still waits for, one sentence; empty where nothing.
    """

    evidence: Evidence
    readings: tuple[Reading, ...]
    change: Change | None
    missing: str = ""


def decide(
    document: Document,
    evidence: Evidence,
    facts: Facts,
    routing: RoutingSettings,
    elapsed_s: float,
    at_s: float,
) -> Decision:
    """Look at a release once.

    Args:
        document: its state.
        evidence: of the look before.
        facts: seen now.
        routing: what its owner wants now.
        elapsed_s: seconds since the look before; 0 for a leader's first.
        at_s: seconds since the epoch of time.
    """
    guards = document.guards
    if routing.auto_rollback_threshold is not None:
        guards = replace(guards, failure_rate=routing.auto_rollback_threshold)
    evidence = take_in(evidence, document, facts, guards, elapsed_s)
    readings = read_guards(guards, evidence, facts)
    evidence = count_streaks(evidence, readings)
    if document.ended:
        return Decision(evidence, readings, None)
    missing = _missing(document, evidence, facts) or _unsettled(readings)
    change = (
        _rolled_back(readings, at_s)
        or _by_config(document, routing, at_s)
        or _by_plan(document, evidence, facts, missing, at_s)
    )
    return Decision(evidence, readings, change, missing)


def _rolled_back(readings: tuple[Reading, ...], at_s: float) -> Change | None:
    for reading in readings:
        if reading.broken:
            reason = f"{reading.guard}: {reading.detail}"
            return Change(Event.ROLL_BACK, LEADER, reason, at_s)
    return None


def _by_config(document: Document, routing: RoutingSettings, at_s: float) -> Change | None:
    """Bring the share to what the configuration wants, and give it back to the plan afterwards."""
    if not routing.crnn_enabled:
        wanted, reason = 0, "crnn_enabled is false"
    elif routing.gray_scale_ratio is not None:
        wanted = round(routing.gray_scale_ratio * BASIS_POINTS)
        reason = f"gray_scale_ratio is {routing.gray_scale_ratio:g}"
    elif document.phase is Phase.HOLD and document.actor == CONFIG:
        return Change(Event.RESUME, CONFIG, "the share is left to the plan again", at_s)
    else:
        return None
    held = document.phase is Phase.HOLD and document.actor == CONFIG
    if (held and document.ratio_bp == wanted) or target(document, Event.SHARE) is None:
        return None
    return Change(Event.SHARE, CONFIG, reason, at_s, share_bp=wanted, by_hand=True)


def _by_plan(
    document: Document, evidence: Evidence, facts: Facts, missing: str, at_s: float
) -> Change | None:
    # On numbers that nobody renews, nothing goes on.
    if not facts.live:
        return None
    if document.phase is Phase.HOLD:
        if document.by_hand or missing:
            return None
        return Change(Event.RESUME, LEADER, "what was missing has come", at_s)
    if not missing:
        event = _NEXT.get(document.phase, Event.ADVANCE)
        return Change(event, LEADER, _done(document, evidence, facts), at_s)
    if evidence.watched_s > document.plan.patience_s:
        return Change(Event.HOLD, LEADER, f"still {missing}", at_s)
    return None


_NEXT = {Phase.LOADING: Event.LOADED, Phase.VERIFY: Event.VERIFIED}


def _missing(document: Document, evidence: Evidence, facts: Facts) -> str:
    """Say what the stage waits for; empty where it is complete."""
    if not facts.live:
        return facts.waiting or "nobody counts"
    plan, phase = document.plan, document.within
    if phase is Phase.LOADING:
        return "" if facts.ready else "loading"
    if phase is Phase.VERIFY:
        return "" if facts.verified else "verifying"
    now = facts.counts.since(evidence.base)
    if phase is Phase.SHADOW:
        have, want, least_s = now.shadow.requests, plan.shadow_requests, plan.shadow_s
    else:
        have, want = now.canary.requests, plan.step_requests
        least_s = plan.soak_s if phase is Phase.SOAK else plan.step_s
    if have < want:
        return f"waiting for requests, {have} of {want}"
    if evidence.watched_s < least_s:
        return f"waiting for time, {evidence.watched_s:.0f} of {least_s:.0f} s"
    return ""


def _unsettled(readings: tuple[Reading, ...]) -> str:
    """Name a guard that is crossed, but not for long enough to roll back: nothing goes on by it."""
    crossed = next((reading.guard for reading in readings if reading.crossed), None)
    return f"waiting for the guard {crossed} to settle" if crossed else ""


def _done(document: Document, evidence: Evidence, facts: Facts) -> str:
    if document.phase is Phase.LOADING:
        return "every host has it loaded"
    if document.phase is Phase.VERIFY:
        return "it reads the verification set"
    now = facts.counts.since(evidence.base).tried
    return f"{now.faults} of {now.requests} requests failed, every guard holds"
