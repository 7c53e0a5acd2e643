"""The live side of a release in miniature: a member, and engines that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shizi.core.errors import Unavailable
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.engine.fleet import EngineReport, EngineState
from shizi.release.breaker import Breaker
from shizi.release.document import Document, Phase
from shizi.release.member import Member, MemberTools
from shizi.release.observations import Observation, Side
from shizi.release.plan import Plan
from shizi.release.snapshots import Recorder
from shizi.release.store import MemoryStore
from shizi.release.watcher import Watcher
from tests.fakes import one_page
from tests.unit.release.world import Clock

STABLE, CANARY = "m@1", "m@2"
Answer = Callable[[bytes, ReadOptions], list[PageResult]]


def reads(text: str, version: str = "") -> Answer:
    """Read one line, as a version would."""
    page = replace(one_page(text), model="m", version=version, timing_s=(("recognize", 0.25),))
    return lambda _, __: [page]


def fails(error: BaseException) -> Answer:
    def read(_: bytes, __: ReadOptions) -> list[PageResult]:
        raise error

    return read


@dataclass
class FakeEngines:
    """Engines by version.

    Attributes:
        answers: of each version; one that is not here is gone.
        default: version that answers by default.
        calls: (version asked for, side, options) of every reading.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    default: str = STABLE
    calls: list[tuple[str, Side, ReadOptions]] = field(default_factory=list)
    states: dict[str, EngineReport] = field(default_factory=dict)

    def reader(self, version: str, side: Side) -> FakeEngine:
        return FakeEngine(self, version, side)

    def reports(self) -> Mapping[str, EngineReport]:
        return self.states


@dataclass
class FakeEngine:
    engines: FakeEngines
    version: str
    side: Side

    def read(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        self.engines.calls.append((self.version, self.side, options))
        version = self.version or self.engines.default
        if version not in self.engines.answers:
            raise Unavailable(1.0)
        return self.engines.answers[version](source, options)


@dataclass
class Live:
    """A member with all it works with.

    Attributes:
        told: every observation, in order.
    """

    engines: FakeEngines = field(default_factory=FakeEngines)
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    breaker: Breaker = field(default_factory=Breaker)
    told: list[Observation] = field(default_factory=list)
    member: Member = field(init=False)
    watcher: Watcher = field(init=False)

    def __post_init__(self) -> None:
        self.engines.answers.setdefault(STABLE, reads("stable", "1"))
        self.engines.answers.setdefault(CANARY, reads("canary", "2"))
        self.watcher = Watcher(self.store, self.clock)
        self.member = Member(
            MemberTools(
                stable=STABLE,
                store=self.store,
                watcher=self.watcher,
                engines=self.engines,
                recorder=Recorder("p1", "here"),
                breaker=self.breaker,
                clock=self.clock,
                now=self.clock,
                tell=self.told.append,
            )
        )

    def set(self, phase: Phase, ratio_bp: int = 0, name: str = "r1") -> Document:
        """Put the release into a phase, and let the member see it."""
        before = self.store.read()
        epoch = before.epoch if before else 0
        document = Document(
            epoch=epoch + 1,
            release_id=name,
            stable=STABLE,
            canary=CANARY,
            phase=phase,
            ratio_bp=ratio_bp,
            plan=Plan(shadow_bp=10_000),
        )
        self.store.swap(epoch, document)
        self.watcher.poll()
        self.member.beat()
        return document

    def outcomes(self) -> list[tuple[str, str, str]]:
        """Give (version, side, outcome) of everything that was counted."""
        return [(o.version, o.side.value, o.outcome.value) for o in self.told]


def report(version: str, state: EngineState, deaths: int = 0, error: str = "") -> EngineReport:
    return EngineReport(version, state, error, deaths)
