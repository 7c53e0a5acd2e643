"""One process's part in a release: it routes requests, counts how they went, and tells the leader.

It decides nothing: the share comes from the state of the release, the end of a release from its
leader. The one thing it does by itself is to stop sending requests to a version that keeps failing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from shizi.core.errors import ShiziError
from shizi.engine.fleet import EngineReport, EngineState, active_socket, socket_of
from shizi.engine.link import EngineLink
from shizi.engine.pagereader import PageReader
from shizi.release.breaker import Breaker
from shizi.release.document import Document
from shizi.release.observations import Observation, Side
from shizi.release.router import Route, route
from shizi.release.snapshots import Load, Recorder, Snapshot
from shizi.release.store import ReleaseStore
from shizi.release.watcher import Watcher

_log = logging.getLogger(__name__)

BEAT_S = 0.5
_PUBLISH_S = 1.0
# A canary that is being replaced is not waited for: the stable version answers meanwhile.
_CANARY_PATIENCE_S = 0.25

_LOADS = {
    EngineState.LOADING: Load.LOADING,
    EngineState.READY: Load.READY,
    EngineState.FAILED: Load.FAILED,
}


class Engines(Protocol):
    """The engines of this machine."""

    def reader(self, version: str, side: Side) -> PageReader:
        """Give what reads with a version; an empty one is that which answers by default."""
        ...

    def reports(self) -> Mapping[str, EngineReport]:
        """Tell how far each version's engine is."""
        ...


class LinkedEngines:
    """Engines behind sockets.

    Args:
        folder: of the sockets.
        reports: tells how far each version's engine is.
    """

    def __init__(self, folder: Path, reports: Callable[[], Mapping[str, EngineReport]]) -> None:
        self._folder, self._reports = folder, reports

    def reader(self, version: str, side: Side) -> PageReader:
        """Give what reads with a version."""
        if not version:
            return EngineLink(active_socket(self._folder))
        path = socket_of(self._folder, version)
        if side in (Side.CANARY, Side.SHADOW):
            return EngineLink(path, patience_s=_CANARY_PATIENCE_S, tries=1)
        return EngineLink(path)

    def reports(self) -> Mapping[str, EngineReport]:
        """Tell how far each version's engine is."""
        return self._reports()


@dataclass(frozen=True, slots=True)
class MemberTools:
    """What a member works with.

    Attributes:
        stable: version that answers where there never was a release.
        store: of the state, and of what processes tell.
        watcher: keeps this process at the latest state.
        engines: of this machine.
        recorder: counts.
        breaker: stops this process from using a canary that keeps failing.
        clock: seconds that only grow.
        now: seconds since the epoch of time.
        tell: is given each observation as well, for metrics.
    """

    stable: str
    store: ReleaseStore
    watcher: Watcher
    engines: Engines
    recorder: Recorder
    breaker: Breaker
    clock: Callable[[], float]
    now: Callable[[], float]
    tell: Callable[[Observation], None] = lambda _: None


class Member:
    """Routes and counts; threads share it."""

    def __init__(self, tools: MemberTools) -> None:
        self._tools = tools
        self._deaths = 0
        self._published_s = float("-inf")
        self._problem = ""
        self._in_work = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def engines(self) -> Engines:
        """The engines of this machine."""
        return self._tools.engines

    @property
    def recorder(self) -> Recorder:
        """What counts here."""
        return self._tools.recorder

    @property
    def document(self) -> Document | None:
        """The last good state of the release; None where there never was one."""
        return self._tools.watcher.document

    @property
    def running(self) -> Document | None:
        """The release that goes on; None where none does."""
        document = self.document
        return document if document and not document.ended else None

    @property
    def active(self) -> str:
        """The version that answers by default."""
        document = self.document
        return document.active if document else self._tools.stable

    @property
    def tripped(self) -> str:
        """Why this process sends nothing to the canary; empty while it does."""
        return self._tools.breaker.tripped

    @property
    def in_work(self) -> int:
        """Count the requests this process is at work on; shadow readings are none."""
        return self._in_work

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a request in work for the block."""
        with self._lock:
            self._in_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_work -= 1

    def clock(self) -> float:
        """Give seconds that only grow."""
        return self._tools.clock()

    def route(self, unit: str, wish: Side | None = None) -> Route:
        """Decide who answers a request; to be asked once and kept to.

        Args:
            unit: see `unit_of`; empty where no release goes on and it costs something to know.
            wish: of a tester.
        """
        document = self.document
        if document is None:
            return Route(self._tools.stable)
        chosen = route(document, unit, wish)
        if chosen.side is Side.CANARY and not document.ended and self.tripped:
            return replace(chosen, version=document.stable, side=Side.STABLE)
        return chosen

    def observe(self, observation: Observation) -> None:
        """Count a reading."""
        self._tools.recorder.record(observation)
        self._tools.tell(observation)
        if observation.side is Side.CANARY:
            self._tools.breaker.count(observation.outcome)
            self._tell_trip()

    def beat(self) -> None:
        """Do what is due now: follow the release, and tell the leader."""
        document = self.document
        if document is None:
            return
        tools = self._tools
        tools.breaker.follow(document.release_id)
        tools.recorder.follow(document.release_id)
        reports = tools.engines.reports()
        self._count_deaths(document, reports)
        if tools.clock() - self._published_s >= _PUBLISH_S:
            self._published_s = tools.clock()
            self._publish(document, reports)

    def start(self) -> None:
        """Watch the state and beat, in threads of their own."""
        self._tools.watcher.start()
        self.beat()
        threading.Thread(target=self._run, name="release-member", daemon=True).start()

    def stop(self) -> None:
        """End the threads; what was counted is told once more."""
        self._stop.set()
        self._tools.watcher.stop()
        document = self.document
        if document is not None:
            self._publish(document, self._tools.engines.reports())

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                self.beat()
            except Exception:  # noqa: BLE001 - it is logged, and the next beat may do
                _log.exception("unexpected error while a release is followed")

    def _count_deaths(self, document: Document, reports: Mapping[str, EngineReport]) -> None:
        report = reports.get(document.canary)
        deaths = report.deaths if report else 0
        if deaths > self._deaths and not document.ended:
            for _ in range(deaths - self._deaths):
                self._tools.breaker.count_death()
            self._tell_trip()
        self._deaths = deaths

    def _tell_trip(self) -> None:
        tripped = self.tripped
        if tripped != self._problem:
            self._problem = tripped
            if tripped:
                _log.error("nothing goes to the canary any more: %s", tripped)

    def _publish(self, document: Document, reports: Mapping[str, EngineReport]) -> None:
        snapshot = with_engines(
            self._tools.recorder.snapshot(self._tools.now(), document.epoch, self.tripped), reports
        )
        try:
            self._tools.store.publish(snapshot)
        except ShiziError as error:
            # The next one holds all that this one would have told.
            _log.warning("what was counted could not be told: %s", error.detail)


def with_engines(snapshot: Snapshot, reports: Mapping[str, EngineReport]) -> Snapshot:
    """Add to what a process tells how far the engines are."""
    return replace(
        snapshot,
        loaded={v: _LOADS[r.state] for v, r in reports.items() if r.state in _LOADS},
        why={v: r.error for v, r in reports.items() if r.error},
        deaths={v: r.deaths for v, r in reports.items() if r.deaths},
    )
