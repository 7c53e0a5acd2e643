"""Hands the files of a job to workers and writes down what becomes of them.

It is the only one that claims, and the workers are its children: it knows at once which files were
in work when one of them died. Such a file is tried again alone, so that one that kills cannot take
others with it, and is a dead letter once it has killed often enough.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from shizi.core.errors import DeadlineExceeded, FileAccessError, Quarantined
from shizi.engine.signals import WakeUp
from shizi.jobs.batch.crew import Crew, Event, Gone, Mate
from shizi.jobs.batch.files import to_path
from shizi.jobs.batch.messages import Done, Full, Started, Task, WorkerPlan
from shizi.jobs.batch.tally import Rate, Tally
from shizi.jobs.ledger import Ledger
from shizi.jobs.values import Item, Lease, Outcome, Source

#: Tasks a worker has beyond those it works on, so that it never waits for the next one.
_AHEAD = 2
_LISTED_AT_ONCE = 500
_REPORT_S = 0.2
_WAIT_S = 0.5
#: Beyond its time a page is given this long to end by itself before its worker is ended.
_GRACE_S = 10.0
#: Files in work are given this long to end when the batch is stopped.
_STOP_S = 60.0


class Targets(Protocol):
    """Tells where results go."""

    def __call__(self, name: str, /) -> tuple[str, ...]:
        """Give the files that the result of a source of this name goes to."""
        ...


@dataclass(slots=True)
class _Flight:
    """A file that was handed to a worker."""

    lease: Lease
    item: Item
    started_s: float | None = None
    overdue: bool = False


class Dispatcher:
    """Runs one job of a batch to its end, or until it is stopped.

    Args:
        ledger: that keeps the job.
        job_id: of the job; it is open for more sources.
        crew: that reads.
        targets: tells where results go.
        sources: of the job, found as they are asked for.
        plan: of the workers.
        monotonic: seconds that nobody can set.
    """

    def __init__(
        self,
        ledger: Ledger,
        job_id: str,
        crew: Crew,
        targets: Targets,
        sources: Iterator[Source],
        plan: WorkerPlan,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._crew = crew
        self._targets = targets
        self._sources: Iterator[Source] | None = sources
        self._page_s = plan.page_s
        self._window = plan.at_once + _AHEAD
        self._monotonic = monotonic
        self._todo: deque[tuple[Lease, Item]] = deque()
        self._suspects: deque[tuple[Lease, Item]] = deque()
        self._flights: dict[Mate, dict[int, _Flight]] = {mate: {} for mate in crew.mates}
        self._outcomes: dict[Lease, list[Outcome]] = {}
        self._rate = Rate(monotonic)
        self._look()

    def run(self, wake: WakeUp, report: Callable[[Tally], None]) -> Tally:
        """Run until nothing is left to do or a signal asks to stop.

        Args:
            wake: takes the signals.
            report: told a few times a second how far it is.

        Returns:
            How far it came.

        Raises:
            FileAccessError: results cannot be written any more.
            LedgerFailed: the ledger cannot be written any more.
            ShiziError: the workers cannot work at all.
        """
        self._crew.watch(wake.socket)
        reported = -_REPORT_S
        try:
            while not wake.drain() and not self._is_over():
                self._crew.start()
                self._list()
                self._feed()
                for mate, event in self._crew.wait(0 if self._sources else _WAIT_S):
                    self._take(mate, event)
                self._end_overdue()
                self._write_down()
                if self._monotonic() - reported >= _REPORT_S:
                    reported = self._monotonic()
                    report(self._told())
            if wake.ending:
                self._stop(wake, report)
            else:
                # Not before: a job that is sealed takes no file that is new when it goes on.
                self._ledger.seal(self._job_id)
        finally:
            self._crew.close()
            self._write_down()
            for lease in self._held():
                self._ledger.release(lease)
        return self._told()

    def _is_over(self) -> bool:
        return (
            self._sources is None
            and not self._todo
            and not self._suspects
            and not any(self._flights.values())
            and not self._claim()
        )

    def _list(self) -> None:
        """Add the next files found; the first are read while the last are not known yet."""
        if self._sources is None:
            return
        found = list(islice(self._sources, _LISTED_AT_ONCE))
        if not found:
            self._sources = None
        if not found or self._ledger.add(self._job_id, found):
            self._look()

    def _claim(self) -> bool:
        """Take the next chunk; what was begun before is a suspect and waits to be alone."""
        chunk = self._ledger.claim("batch", job_id=self._job_id)
        if chunk is None:
            return False
        for item in chunk.items:
            (self._suspects if item.attempts else self._todo).append((chunk.lease, item))
        return True

    def _feed(self) -> None:
        wanted = self._window * len(self._crew.mates)
        while len(self._todo) + len(self._suspects) < wanted and self._claim():
            pass
        tasks: list[tuple[Mate, Task]] = []
        begun: dict[Lease, list[int]] = {}
        for mate, flights in self._flights.items():
            while mate.ready and not mate.leaving and (given := self._next(flights)):
                lease, item = given
                flights[item.number] = _Flight(lease, item)
                begun.setdefault(lease, []).append(item.number)
                name = item.source.name
                tasks.append((mate, Task(item.number, item.source.ref, name, self._targets(name))))
        self._hand_out(tasks, begun)

    def _hand_out(self, tasks: list[tuple[Mate, Task]], begun: dict[Lease, list[int]]) -> None:
        """Send tasks; one that is noted as begun and has its results was finished, for sure."""
        for _, task in tasks:
            for target in task.targets:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(to_path(target))
        for lease, numbers in begun.items():
            self._ledger.begin(lease, numbers)
        for mate, task in tasks:
            self._crew.send(mate, task)

    def _next(self, flights: dict[int, _Flight]) -> tuple[Lease, Item] | None:
        """Give the next file for a worker with these in work."""
        if self._suspects and not flights:
            return self._suspects.popleft()
        alone = any(flight.item.attempts for flight in flights.values())
        if alone or len(flights) >= self._window or not self._todo:
            return None
        return self._todo.popleft()

    def _take(self, mate: Mate, event: Event) -> None:
        flights = self._flights[mate]
        if isinstance(event, Started):
            flights[event.number].started_s = self._monotonic()
        elif isinstance(event, Done):
            self._end(flights.pop(event.number), event)
        elif isinstance(event, Full):
            self._crew.stop(mate)
        elif isinstance(event, Gone):
            self._blame(flights)

    def _end(self, flight: _Flight, done: Done) -> None:
        if done.halt:
            # Not this file's fault: it waits for the next run.
            raise FileAccessError(done.detail)
        outcome = Outcome(flight.item.number, done.code, done.detail, pages=done.pages)
        self._outcomes.setdefault(flight.lease, []).append(outcome)
        if done.code:
            self._count(failed=1)
        else:
            self._count(read=1, pages=done.pages)

    def _blame(self, flights: dict[int, _Flight]) -> None:
        """Try again what a worker died over; what it had not begun goes back into the queue."""
        for number, flight in flights.items():
            if flight.started_s is None:
                self._todo.appendleft((flight.lease, flight.item))
                continue
            code, detail = Quarantined.code, "the process that read it ended, each time"
            if flight.overdue:
                code, detail = DeadlineExceeded.code, "a page took too long, and did not stop"
            outcome = Outcome(number, code, detail, again=True)
            self._outcomes.setdefault(flight.lease, []).append(outcome)
        flights.clear()

    def _end_overdue(self) -> None:
        if self._page_s is None:
            return
        latest = self._monotonic() - self._page_s - _GRACE_S
        for mate, flights in self._flights.items():
            for flight in flights.values():
                if flight.started_s is not None and flight.started_s < latest:
                    flight.overdue = True
                    self._crew.kill(mate)

    def _write_down(self) -> None:
        """Write what ended; what did between two looks is one transaction a chunk."""
        outcomes, self._outcomes = self._outcomes, {}
        for lease, ended in outcomes.items():
            self._ledger.finish(lease, ended)
        if any(outcome.again for ended in outcomes.values() for outcome in ended):
            self._look()

    def _stop(self, wake: WakeUp, report: Callable[[Tally], None]) -> None:
        """Let what is in work end, unless a second signal comes or it takes too long."""
        report(self._told(stopping=True))
        self._crew.stop_all()
        ends_s = self._monotonic() + _STOP_S
        wake.ending = False
        while self._crew.any_there and self._monotonic() < ends_s and not wake.drain():
            for mate, event in self._crew.wait(_WAIT_S):
                if not isinstance(event, Gone):
                    self._take(mate, event)
            self._write_down()

    def _held(self) -> set[Lease]:
        flights = [flight for group in self._flights.values() for flight in group.values()]
        waiting = [lease for lease, _ in (*self._todo, *self._suspects)]
        return {flight.lease for flight in flights} | set(waiting)

    def _look(self) -> None:
        """Take the numbers from the ledger, when all is written down."""
        job, listed = self._ledger.job(self._job_id), self._sources is None
        self._tally = Tally(job.items, listed, job.succeeded, job.failed, job.pages_done)

    def _count(self, read: int = 0, failed: int = 0, pages: int = 0) -> None:
        t = self._tally
        self._tally = replace(
            t, read=t.read + read, failed=t.failed + failed, pages=t.pages + pages
        )

    def _told(self, *, stopping: bool = False) -> Tally:
        t = self._tally
        per_s = self._rate.per_s(t.done)
        left_s = (t.files - t.done) / per_s if per_s > 0 and t.listed else None
        return replace(t, per_s=per_s, left_s=left_s, stopping=stopping)
