"""The state of a release: one document that everybody reads and only one transition changes.

It is written whole, as JSON, and replaced by comparing its epoch: whoever has read epoch 7 may
write epoch 8, once. Everything follows from it: which versions are loaded, who answers whom, what
the leader does next. How one phase follows another is in `shizi.release.transitions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from shizi.release.plan import BASIS_POINTS, Guards, Plan
from shizi.release.stored import decode

SCHEMA = 1


class Phase(StrEnum):
    """How far a release is."""

    LOADING = "loading"
    """The canary is being loaded beside the stable version."""
    VERIFY = "verify"
    """It reads pictures whose text is known."""
    SHADOW = "shadow"
    """It reads what the stable version answers as well; nobody sees its answers."""
    CANARY = "canary"
    """It answers a share of the requests, step by step."""
    SOAK = "soak"
    """It answers everything; the stable version stays loaded."""
    HOLD = "hold"
    """Nothing changes until the reason is gone, or somebody says so."""
    PROMOTED = "promoted"
    """It is the stable version now."""
    ROLLED_BACK = "rolled_back"
    """It is gone; this release is over for good."""


ENDED = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK})
"""Phases in which one version is loaded."""
SERVING = frozenset({Phase.SHADOW, Phase.CANARY, Phase.SOAK})
"""Phases in which the canary has passed its verification and may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The state of the latest release.

    Attributes:
        epoch: raised by one with every change, over all releases of a store.
        release_id: names the release; also the salt of its routing.
        stable: version that answers by default, such as "crnn-s@0.4.0".
        canary: version that is to replace it.
        phase: how far it is.
        step: place in `plan.shares_bp`; 0 before the canary phase.
        ratio_bp: what the canary answers, of 10,000.
        held: phase that goes on after a hold; None in all other phases.
        by_hand: the hold was ordered, so that no rule ends it.
        plan: how it is to go.
        guards: what ends it.
        testers: units the canary answers whatever the share.
        excluded: units the stable version answers whatever the share.
        reason: of the last change, one sentence.
        actor: who made it: "leader", "config", or the name of a person or key.
        started_at_s: seconds since the epoch of time when the release began.
        entered_at_s: when the phase, or the step within it, began.
        changed_at_s: when the document was written.
        schema: of this document.
    """

    epoch: int
    release_id: str
    stable: str
    canary: str
    phase: Phase = Phase.LOADING
    step: int = 0
    ratio_bp: int = 0
    held: Phase | None = None
    by_hand: bool = False
    plan: Plan = Plan()  # noqa: RUF009 - frozen
    guards: Guards = Guards()  # noqa: RUF009 - frozen
    testers: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    reason: str = ""
    actor: str = ""
    started_at_s: float = 0.0
    entered_at_s: float = 0.0
    changed_at_s: float = 0.0
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"schema {self.schema} is not {SCHEMA}")
        if self.epoch < 1:
            raise ValueError(f"epoch {self.epoch} is below 1")
        if not self.release_id or not self.stable or not self.canary:
            raise ValueError("a release needs its name and both versions")
        if not 0 <= self.ratio_bp <= BASIS_POINTS:
            raise ValueError(f"ratio_bp is {self.ratio_bp}; it must be from 0 to {BASIS_POINTS}")
        if not 0 <= self.step < len(self.plan.shares_bp):
            raise ValueError(f"step {self.step} is none of the plan")
        if (self.held is not None) != (self.phase is Phase.HOLD):
            raise ValueError("a phase is held in a hold, and only there")
        if self.held in ENDED or self.held is Phase.HOLD:
            raise ValueError(f"{self.held} cannot be held")
        if self.ratio_bp and self.within not in (Phase.CANARY, Phase.SOAK, Phase.PROMOTED):
            raise ValueError(f"no requests are the canary's in phase {self.within}")

    @property
    def within(self) -> Phase:
        """The phase, or in a hold the one that is held."""
        return self.held or self.phase

    @property
    def ended(self) -> bool:
        """Whether the release is over."""
        return self.phase in ENDED

    @property
    def active(self) -> str:
        """The version that answers by default."""
        return self.canary if self.phase is Phase.PROMOTED else self.stable

    @property
    def wanted(self) -> tuple[str, ...]:
        """The versions to keep loaded, the one that answers by default first."""
        return (self.active,) if self.ended else (self.stable, self.canary)

    @property
    def serves_canary(self) -> bool:
        """Whether the canary may answer anybody."""
        return self.within in SERVING


def document_to_json(document: Document) -> bytes:
    """Write a document."""
    return msgspec.json.encode(document)


def json_to_document(content: bytes) -> Document:
    """Read a document, every value of it checked.

    Raises:
        ReleaseInvalid: it is no document, is torn, or a value lies outside its range.
    """
    return decode(content, Document, "the state of the release is no valid document")
