"""A service in miniature: processes that follow the state of a release and tell their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shizi.core.errors import ShiziError
from shizi.release.document import Document, Phase
from shizi.release.observations import Kind, Observation, Outcome, Side
from shizi.release.plan import Plan
from shizi.release.router import route
from shizi.release.snapshots import Load, Recorder
from shizi.release.store import ReleaseStore
from shizi.release.transitions import Change, Event, start
from shizi.release.watcher import Watcher

SHORT = Plan(
    shares_bp=(3_000, 10_000),
    step_s=1,
    step_requests=20,
    shadow_s=1,
    shadow_requests=10,
    shadow_bp=5_000,
    soak_s=1,
    patience_s=60,
)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def begin(store: ReleaseStore, plan: Plan = SHORT, name: str = "r1") -> Document:
    change = Change(Event.ADVANCE, "anna", "a new model", 10.0)
    previous = store.read()
    document = start(previous, name, "a@1", "a@2", change, plan)
    store.swap(previous.epoch if previous else 0, document)
    return document


@dataclass
class Host:
    """One process that routes requests, reads with both versions, and keeps engines."""

    store: ReleaseStore
    clock: Callable[[], float]
    name: str = "p1"
    load: Load = Load.READY
    why: str = ""
    canary: Outcome = Outcome.OK
    recorder: Recorder = field(init=False)
    watcher: Watcher = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.name)
        self.watcher = Watcher(
            self.store, self.clock, lambda document: self.recorder.follow(document.release_id)
        )

    def live(self, requests: int = 60) -> None:
        """Follow the state, answer some requests, and tell."""
        document = self.watcher.poll().document
        if document is None:
            return
        for _ in range(requests):
            self.sent += 1
            self._answer(document, f"key:{self.name}-{self.sent}")
        self.tell(document)

    def tell(self, document: Document) -> None:
        snapshot = self.recorder.snapshot(self.clock(), document.epoch)
        loads = {"a@2": self.load}
        try:
            self.store.publish(
                type(snapshot)(
                    reporter=snapshot.reporter,
                    release_id=document.release_id,
                    at_s=snapshot.at_s,
                    epoch=snapshot.epoch,
                    tallies=snapshot.tallies,
                    loaded=loads,
                    why={"a@2": self.why} if self.why else {},
                )
            )
        except ShiziError:
            return

    def _answer(self, document: Document, unit: str) -> None:
        side = route(document, unit).side
        outcome = self.canary if side is Side.CANARY else Outcome.OK
        self._record(document, side, outcome)
        if side is Side.STABLE and document.phase in (Phase.SHADOW, Phase.CANARY):
            self._record(document, Side.SHADOW, self.canary)
            self._record(document, Side.TWIN, Outcome.OK)

    def _record(self, document: Document, side: Side, outcome: Outcome) -> None:
        self.recorder.record(
            Observation(
                document.release_id,
                document.epoch,
                "a@1",
                side,
                outcome,
                0.1,
                Kind.CLEAN,
                lines=3,
                confidence=2.7,
                agreement=0.95 if side is Side.SHADOW else None,
            )
        )
