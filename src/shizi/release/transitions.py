"""From one state of a release to the next: a total table, and the values that change with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shizi.core.errors import ReleaseRefused
from shizi.release.document import ENDED, Document, Phase
from shizi.release.plan import BASIS_POINTS, Guards, Plan


class Event(StrEnum):
    """What moves a release."""

    LOADED = "loaded"
    """All hosts have the canary."""
    VERIFIED = "verified"
    """It reads what it must."""
    ADVANCE = "advance"
    """On to the next step."""
    HOLD = "hold"
    """Stay where it is."""
    RESUME = "resume"
    """Go on after a hold."""
    SHARE = "share"
    """A share by hand; the plan waits."""
    PROMOTE = "promote"
    """Make it the stable version now."""
    ROLL_BACK = "roll_back"
    """End it; the stable version answers everything."""


@dataclass(frozen=True, slots=True)
class Change:
    """An event with who caused it, when and why.

    Attributes:
        event: what moves the release.
        actor: who did it.
        reason: one sentence.
        at_s: seconds since the epoch of time.
        share_bp: of `Event.SHARE`.
        by_hand: a hold that no rule ends.
    """

    event: Event
    actor: str
    reason: str
    at_s: float
    share_bp: int = 0
    by_hand: bool = False


_LIVE = tuple(phase for phase in Phase if phase not in ENDED)
_ANSWERING = (Phase.SHADOW, Phase.CANARY, Phase.SOAK)
# By event: the phases it may happen in (for a hold: in what is held), and the phase that follows.
# After CANARY comes its next step, after the last of them SOAK; RESUME leads to what was held.
_MOVES: dict[Event, dict[Phase, Phase]] = {
    Event.LOADED: {Phase.LOADING: Phase.VERIFY},
    Event.VERIFIED: {Phase.VERIFY: Phase.SHADOW},
    Event.ADVANCE: {
        Phase.SHADOW: Phase.CANARY,
        Phase.CANARY: Phase.CANARY,
        Phase.SOAK: Phase.PROMOTED,
    },
    Event.HOLD: dict.fromkeys(_LIVE, Phase.HOLD),
    Event.RESUME: {},
    Event.SHARE: dict.fromkeys(_ANSWERING, Phase.HOLD),
    Event.PROMOTE: dict.fromkeys(_ANSWERING, Phase.PROMOTED),
    # A version that was promoted may be taken back at once: its predecessor is installed still.
    Event.ROLL_BACK: dict.fromkeys([*_LIVE, Phase.PROMOTED], Phase.ROLLED_BACK),
}
_THROUGH_HOLD = frozenset({Event.ADVANCE, Event.SHARE, Event.PROMOTE})


def target(document: Document, event: Event) -> Phase | None:
    """Give the phase an event leads to; None where it may not happen."""
    if document.phase is Phase.HOLD and event is Event.RESUME:
        return document.held
    phase = document.within if event in _THROUGH_HOLD else document.phase
    following = _MOVES[event].get(phase)
    last = document.step + 1 == len(document.plan.shares_bp)
    if following is Phase.CANARY and phase is Phase.CANARY and last:
        return Phase.SOAK
    return following


def apply(document: Document, change: Change) -> Document:
    """Give the state after a change.

    Raises:
        ReleaseRefused: the event may not happen in this phase, or the share lies outside its range.
    """
    following = target(document, change.event)
    if following is None:
        raise ReleaseRefused(f"{change.event.value} is not possible {_where(document)}")
    if change.event is Event.SHARE and not 0 <= change.share_bp <= BASIS_POINTS:
        raise ReleaseRefused(f"a share of {change.share_bp / 100:g} % is none from 0 to 100 %")
    step = _step_after(document, change, following)
    held = None
    if following is Phase.HOLD:
        held = Phase.CANARY if change.event is Event.SHARE else document.within
    return replace(
        document,
        epoch=document.epoch + 1,
        phase=following,
        step=step,
        ratio_bp=_ratio_after(document, change, following, step),
        held=held,
        by_hand=following is Phase.HOLD and change.by_hand,
        reason=change.reason,
        actor=change.actor,
        entered_at_s=change.at_s,
        changed_at_s=change.at_s,
    )


def _step_after(document: Document, change: Change, following: Phase) -> int:
    if change.event is Event.SHARE:
        reached = [share for share in document.plan.shares_bp if share <= change.share_bp]
        return max(0, len(reached) - 1)
    if change.event is Event.ADVANCE and following is Phase.CANARY:
        return 0 if document.within is Phase.SHADOW else document.step + 1
    return document.step


def _ratio_after(document: Document, change: Change, following: Phase, step: int) -> int:
    if change.event is Event.SHARE:
        return change.share_bp
    if following is Phase.HOLD:
        return document.ratio_bp
    if following in (Phase.SOAK, Phase.PROMOTED):
        return BASIS_POINTS
    if following is not Phase.CANARY:
        return 0
    # Who came to the canary by a share given by hand stays there when the plan goes on.
    share = document.plan.shares_bp[step]
    return max(share, document.ratio_bp) if change.event is Event.RESUME else share


def start(
    previous: Document | None,
    release_id: str,
    stable: str,
    canary: str,
    change: Change,
    plan: Plan = Plan(),  # noqa: B008 - frozen
    guards: Guards = Guards(),  # noqa: B008 - frozen
) -> Document:
    """Begin a release; `change` tells who did, when and why.

    Args:
        previous: the state of the release before; None where there was none.
        release_id: new, and never used before: it also decides who is asked first.
        stable: version that answers now.
        canary: version that is to replace it.
        change: its event is not looked at.
        plan: how it is to go.
        guards: what ends it.

    Raises:
        ReleaseRefused: the release before is not over, or both versions are the same.
    """
    if previous is not None and not previous.ended:
        raise ReleaseRefused(f"release {previous.release_id} is not over: {_where(previous)}")
    if stable == canary:
        raise ReleaseRefused(f"{canary} is the stable version already")
    return Document(
        epoch=previous.epoch + 1 if previous else 1,
        release_id=release_id,
        stable=stable,
        canary=canary,
        plan=plan,
        guards=guards,
        reason=change.reason,
        actor=change.actor,
        started_at_s=change.at_s,
        entered_at_s=change.at_s,
        changed_at_s=change.at_s,
    )


def _where(document: Document) -> str:
    within = f" of {document.held}" if document.held else ""
    return f"in phase {document.phase}{within}"
