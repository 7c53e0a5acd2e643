"""What the leader knows when it decides, and what it keeps from one look to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shizi.release.bounds import CEILING, climb
from shizi.release.document import Document, Phase
from shizi.release.observations import Tally
from shizi.release.plan import Guards


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What all processes counted since the release began.

    Attributes:
        stable: requests the stable version answered.
        canary: requests the canary answered, or failed to.
        shadow: what the canary read unseen.
        twin: the stable version's reading of the same.
        judged_canary: spot checks that people decided for the canary.
        judged_stable: for the stable version.
        judged_same: for neither.
    """

    stable: Tally = Tally()  # noqa: RUF009 - frozen
    canary: Tally = Tally()  # noqa: RUF009 - frozen
    shadow: Tally = Tally()  # noqa: RUF009 - frozen
    twin: Tally = Tally()  # noqa: RUF009 - frozen
    judged_canary: int = 0
    judged_stable: int = 0
    judged_same: int = 0

    @property
    def tried(self) -> Tally:
        """All the canary was given, seen or not."""
        return self.canary + self.shadow

    def since(self, base: Counts) -> Counts:
        """Leave out what was counted before; spot checks hold for the whole release."""
        return replace(
            self,
            stable=self.stable - base.stable,
            canary=self.canary - base.canary,
            shadow=self.shadow - base.shadow,
            twin=self.twin - base.twin,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the leader sees at one look.

    Attributes:
        counts: since the release began.
        ready: every process that keeps engines has the canary, and there is one.
        verified: the canary read what it must.
        failed: why it could not be loaded or verified; empty where it could.
        tripped: why a process stopped asking it; empty where none did.
        live: somebody counts, and everybody who does has the present state.
        waiting: why not; empty where `live`.
    """

    counts: Counts = Counts()
    ready: bool = False
    verified: bool = False
    failed: str = ""
    tripped: str = ""
    live: bool = True
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the leader keeps; the next one goes on from it.

    Attributes:
        stage: phase and step it is about.
        watched_s: seconds a leader has watched the stage; time without one does not count.
        base: what had been counted when the stage began.
        tried: requests of the canary that the sum has taken in, over the whole release.
        faults: of them.
        alarm: height of the cumulative sum; it is kept from stage to stage.
        streaks: by guard, how many looks in a row it was broken in.
    """

    stage: str = ""
    watched_s: float = 0.0
    base: Counts = Counts()
    tried: int = 0
    faults: int = 0
    alarm: float = 0.0
    streaks: Mapping[str, int] = field(default_factory=dict)


def stage_of(document: Document) -> str:
    """Name the phase, or what is held, and the step; numbers are compared within it."""
    return f"{document.within}/{document.step}"


def take_in(
    evidence: Evidence, document: Document, facts: Facts, guards: Guards, elapsed_s: float
) -> Evidence:
    """Carry the evidence over to what is seen now.

    Args:
        evidence: of the look before.
        document: state of the release.
        facts: seen now.
        guards: what the canary is held to.
        elapsed_s: seconds since the look before, by one leader; 0 for its first one.
    """
    stage = stage_of(document)
    if stage != evidence.stage:
        evidence = replace(evidence, stage=stage, watched_s=0.0, base=facts.counts, streaks={})
        elapsed_s = 0.0
    tried = facts.counts.tried
    healthy, sick = rates(guards, facts.counts.stable)
    alarm = climb(
        evidence.alarm,
        max(0, tried.faults - evidence.faults),
        max(0, tried.requests - evidence.tried),
        healthy,
        sick,
    )
    watches = facts.live and not (document.phase is Phase.HOLD and document.by_hand)
    return replace(
        evidence,
        watched_s=evidence.watched_s + (elapsed_s if watches else 0.0),
        tried=max(tried.requests, evidence.tried),
        faults=max(tried.faults, evidence.faults),
        alarm=alarm,
    )


# What a canary's failures are held against is a quarter of what is too many: with the default
# bound 1.5 % against 6 %. docs/releases.md has how often that alarms, and how soon.
_SICK_OVER_BOUND = 1.2
_SICK_OVER_HEALTHY = 4.0
_STABLE_MARGIN = 1.5
# The stable version's rate where little is known of it: 1 in 100, as if 100 had been seen.
_PRIOR_FAULTS, _PRIOR_REQUESTS = 1, 100


def rates(guards: Guards, stable: Tally) -> tuple[float, float]:
    """Give the rates of failures that are well and that are not.

    What the stable version fails at the same time is nobody's fault of the canary: it raises both.
    """
    sick = guards.failure_rate * _SICK_OVER_BOUND
    usual = (stable.faults + _PRIOR_FAULTS) / (stable.requests + _PRIOR_REQUESTS)
    healthy = max(sick / _SICK_OVER_HEALTHY, usual * _STABLE_MARGIN)
    sick = min(CEILING, max(sick, healthy * _SICK_OVER_HEALTHY))
    return min(healthy, sick / 1.1), sick
