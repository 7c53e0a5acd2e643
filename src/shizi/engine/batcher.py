"""Gathers work of many calls into batches: bounded, in turn, each piece on its own.

The rules, most of them written by other servers' faults: a batch holds one kind only, so that a
result never depends on what it was computed with; nothing waits for a batch to fill, because on a
processor the gain is at most a tenth; what has expired is not computed; a batch that fails is
tried again piece by piece.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shizi.core.deadline import Deadline, current_terms
from shizi.core.errors import Canceled, DeadlineExceeded, ModelError
from shizi.engine.lanes import LaneQueue, Waiting
from shizi.engine.watch import Watch
from shizi.models.session import Stop

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Run(Protocol[T_contra, R_co]):
    """Computes a batch: one result a piece, same order."""

    def __call__(self, items: Sequence[T_contra], stop: Stop, /) -> Sequence[R_co]:
        """Compute; what it raises is tried again piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What a batch, and the queue before it, may hold.

    Attributes:
        cost: of a batch; a piece that costs more makes a batch alone.
        items: of a batch.
        queue_cost: of everything that waits; whoever adds more waits itself.
    """

    cost: int
    items: int = 8
    queue_cost: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """Work to be computed.

    Attributes:
        item: what `Run` takes.
        kind: pieces of one kind may share a batch.
        cost: what it takes, in the unit of the limits.
        padding: the part of the cost that is spent on nothing.
    """

    item: T
    kind: int
    cost: int
    padding: int = 0


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How one batch went, for whoever counts.

    Attributes:
        items: it held.
        cost: they had together.
        padding: part of the cost that was spent on nothing.
        seconds: it took.
        waits_s: for each item, from its arrival to its turn.
        failed: whether it raised.
    """

    items: int
    cost: int
    padding: int
    seconds: float
    waits_s: tuple[float, ...]
    failed: bool


def _ignore(_: BatchReport) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True)
class _Order(Generic[T, R]):
    piece: Piece[T]
    answer: Future[R]


class MicroBatcher(Generic[T, R]):
    """One thread that computes batches of what waits.

    Args:
        run: computes a batch.
        limits: of a batch and of the queue.
        watch: ends a run whose time is over.
        report: called after every batch, by the batcher's thread.
        name: of the thread.
    """

    def __init__(
        self,
        run: Run[T, R],
        limits: BatchLimits,
        watch: Watch,
        report: Callable[[BatchReport], None] = _ignore,
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._limits = limits
        self._watch = watch
        self._report = report
        self._queue: LaneQueue[_Order[T, R]] = LaneQueue()
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._taken = threading.Condition(self._lock)
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    @property
    def queued_cost(self) -> int:
        """Give the cost of everything that waits."""
        return self._queue.cost

    def submit(self, pieces: Sequence[Piece[T]]) -> list[Future[R]]:
        """Queue work under the terms of the calling thread's call.

        Args:
            pieces: in the order their results are wanted.

        Returns:
            One future a piece, same order; each succeeds or fails on its own. One that is
            canceled before its turn is not computed.

        Raises:
            DeadlineExceeded: the queue was full until the time was over.
            Canceled: the batcher is closed.
        """
        futures = []
        for piece in pieces:
            order: _Order[T, R] = _Order(piece, Future())
            with self._lock:
                self._wait_for_room(piece.cost)
                terms = current_terms()
                self._queue.push(
                    order,
                    deadline=terms.deadline,
                    lane=terms.lane,
                    now_s=time.monotonic(),
                    cost=piece.cost,
                    kind=piece.kind,
                )
                self._arrived.notify()
            futures.append(order.answer)
        return futures

    def close(self) -> None:
        """Compute nothing more; what waits is canceled."""
        with self._lock:
            self._closed = True
            self._arrived.notify_all()
            self._taken.notify_all()
        self._thread.join()

    def _wait_for_room(self, cost: int) -> None:
        """Wait until the queue can take the piece; an empty queue takes any."""
        deadline = current_terms().deadline
        while (
            not self._closed and self._queue and self._queue.cost + cost > self._limits.queue_cost
        ):
            left_s = deadline.left_s()
            if left_s <= 0:
                raise DeadlineExceeded("the time given ran out before there was room to wait")
            self._taken.wait(min(left_s, threading.TIMEOUT_MAX))
        if self._closed:
            raise Canceled("the service is ending")

    def _loop(self) -> None:
        while self._compute_next():
            pass
        for waiting in self._queue:
            _fail(waiting.item.answer, Canceled("the service is ending"))

    def _compute_next(self) -> bool:
        """Compute the next batch; False when closed.

        What it was made of is let go of on return: kept while the next one is waited for, a few
        lines would hold their whole page.
        """
        batch = self._next_batch()
        if batch:
            self._compute(batch)
        return batch is not None

    def _next_batch(self) -> list[Waiting[_Order[T, R]]] | None:
        """Wait for work and take a batch of it; None when closed."""
        with self._lock:
            while not self._queue and not self._closed:
                self._arrived.wait()
            if self._closed:
                return None
            for waiting in self._queue.pop_expired(time.monotonic()):
                _fail(waiting.item.answer, DeadlineExceeded("the time given ran out in the queue"))
            batch = self._take_batch()
            self._taken.notify_all()
        return [w for w in batch if w.item.answer.set_running_or_notify_cancel()]

    def _take_batch(self) -> list[Waiting[_Order[T, R]]]:
        if not self._queue:
            return []
        batch = [self._queue.pop()]
        room = self._limits.cost - batch[0].cost
        while len(batch) < self._limits.items:
            more = self._queue.pop_alike(batch[0].kind, room)
            if more is None:
                break
            batch.append(more)
            room -= more.cost
        return batch

    def _compute(self, batch: list[Waiting[_Order[T, R]]]) -> None:
        try:
            results = self._timed(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told to who waits
            if len(batch) > 1 and not isinstance(error, DeadlineExceeded):
                for waiting in batch:
                    self._compute([waiting])
                return
            for waiting in batch:
                _fail(waiting.item.answer, error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                waiting.item.answer.set_result(result)

    def _timed(self, batch: list[Waiting[_Order[T, R]]]) -> Sequence[R]:
        # Mates are not stopped for one whose time is over: the last deadline counts.
        last: Deadline = max(waiting.deadline for waiting in batch)
        started = time.monotonic()
        failed = True
        try:
            with self._watch.until(last) as stop:
                results = self._run([waiting.item.piece.item for waiting in batch], stop)
            if len(results) != len(batch):
                raise ModelError(f"{len(results)} results came for {len(batch)} pieces of work")
            failed = False
            return results
        finally:
            waits = tuple(started - waiting.since_s for waiting in batch)
            cost = sum(waiting.cost for waiting in batch)
            padding = sum(waiting.item.piece.padding for waiting in batch)
            seconds = time.monotonic() - started
            self._report(BatchReport(len(batch), cost, padding, seconds, waits, failed))


def _fail(answer: Future[R], error: Exception) -> None:
    """Tell a failure; one who gave up in the meantime is not told."""
    if answer.running() or answer.set_running_or_notify_cancel():
        answer.set_exception(error)
