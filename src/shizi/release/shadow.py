"""Reads a share of what the stable version read with the canary too, while there is room for it.

Nobody waits for it and nobody sees what it reads: two texts are compared, their numbers are kept,
and the pictures are forgotten. It is the first to go under load.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from shizi.core.errors import ShiziError
from shizi.core.options import Lane, ReadOptions
from shizi.core.types import PageResult
from shizi.release.agreement import agreement
from shizi.release.document import Document, Phase
from shizi.release.member import Member
from shizi.release.observations import Side
from shizi.release.outcomes import observe_answer, observe_failure, outcome_of, worked_s
from shizi.release.plan import BASIS_POINTS
from shizi.release.router import Route

_log = logging.getLogger(__name__)

Keep = Callable[[Document, bytes, Sequence[PageResult], Sequence[PageResult]], None]

_PHASES = frozenset({Phase.SHADOW, Phase.CANARY})


@dataclass(frozen=True, slots=True)
class ShadowOptions:
    """What shadow readings may take.

    Attributes:
        busy: they wait while as many requests as this are in work.
        pictures: that may wait.
        held_bytes: of these pictures.
        patience_s: one that waited longer is dropped.
        timeout_s: of a reading.
        pause_s: between two looks whether there is room.
    """

    busy: int = 1
    pictures: int = 16
    held_bytes: int = 32_000_000
    patience_s: float = 30.0
    timeout_s: float = 60.0
    pause_s: float = 0.05


@dataclass(frozen=True, slots=True)
class _Task:
    document: Document
    route: Route
    source: bytes
    options: ReadOptions
    pages: Sequence[PageResult]
    at_s: float


class Shadow:
    """One thread that reads again what was offered.

    Args:
        member: of this process.
        options: bounds.
        rng: draws the share.
        keep: is given the picture and both readings, where people are to judge them; None keeps
            nothing.

    Attributes:
        dropped: pictures that were drawn and not read, for want of room.
    """

    def __init__(
        self,
        member: Member,
        options: ShadowOptions,
        rng: Random,
        keep: Keep | None = None,
    ) -> None:
        self._member, self._options, self._rng, self._keep = member, options, rng, keep
        self._tasks: deque[_Task] = deque()
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.dropped = 0

    def offer(
        self,
        document: Document,
        route: Route,
        source: bytes,
        options: ReadOptions,
        pages: Sequence[PageResult],
    ) -> None:
        """Take a picture that the stable version has read, if it is drawn and there is room.

        Args:
            document: state of the release.
            route: it was read by.
            source: the picture, encoded.
            options: it was read with.
            pages: as read.
        """
        if document.within not in _PHASES or self._member.tripped:
            return
        if self._rng.random() * BASIS_POINTS >= document.plan.shadow_bp:
            return
        bounds = self._options
        with self._lock:
            full = len(self._tasks) >= bounds.pictures
            if full or self._held_bytes + len(source) > bounds.held_bytes:
                self.dropped += 1
                return
            at_s = self._member.clock()
            self._tasks.append(_Task(document, route, source, options, pages, at_s))
            self._held_bytes += len(source)

    def start(self) -> None:
        """Read what is offered, in a thread of its own."""
        threading.Thread(target=self._run, name="release-shadow", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def step(self) -> bool:
        """Read one picture if there is one and room for it; False where there is not."""
        if self._member.in_work >= self._options.busy:
            self._drop_late()
            return False
        task = self._take()
        if task is None:
            return False
        running = self._member.running
        if running and running.release_id == task.document.release_id and not self._member.tripped:
            self._read(task)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self.step()
            except Exception:  # noqa: BLE001 - it is logged, and the next one may do
                _log.exception("unexpected error in a shadow reading")
                worked = False
            if not worked:
                self._stop.wait(self._options.pause_s)

    def _take(self) -> _Task | None:
        with self._lock:
            if not self._tasks:
                return None
            task = self._tasks.popleft()
            self._held_bytes -= len(task.source)
            return task

    def _drop_late(self) -> None:
        now_s = self._member.clock()
        with self._lock:
            while self._tasks and now_s - self._tasks[0].at_s > self._options.patience_s:
                self._held_bytes -= len(self._tasks.popleft().source)
                self.dropped += 1

    def _read(self, task: _Task) -> None:
        options = replace(task.options, timeout_s=self._options.timeout_s, lane=Lane.BULK)
        document, member = task.document, self._member
        route = Route(document.canary, Side.SHADOW, document.release_id, document.epoch)
        started = member.clock()
        try:
            pages = member.engines.reader(document.canary, Side.SHADOW).read(task.source, options)
        except ShiziError as error:
            member.observe(observe_failure(route, Side.SHADOW, outcome_of(error)))
            return
        seconds = worked_s(pages, member.clock() - started)
        agreed = agreement(task.pages, pages)
        member.observe(
            observe_answer(route, Side.SHADOW, pages, seconds, like=task.pages, agreed=agreed)
        )
        stable_s = worked_s(task.pages, seconds)
        member.observe(observe_answer(task.route, Side.TWIN, task.pages, stable_s))
        if self._keep is not None:
            self._keep(document, task.source, task.pages, pages)
