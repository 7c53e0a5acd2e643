"""Batches of many calls' work: nobody loses, delays or sees anything of his mates."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import Canceled, DeadlineExceeded, ModelError
from shizi.core.options import Lane
from shizi.engine.batcher import BatchLimits, BatchReport, MicroBatcher, Piece
from shizi.engine.watch import Watch
from shizi.models.session import Stop

LONG_S = 30.0
LIMITS = BatchLimits(cost=4, items=8)


class Work:
    """Doubles numbers, once it is allowed to; keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.spoiled: set[int] = set()

    def __call__(self, items: Sequence[int], stop: Stop) -> list[int]:
        self.batches.append(list(items))
        self.begun.release()
        assert self.open.wait(LONG_S)
        if stop.is_set:
            raise DeadlineExceeded("stopped")
        if self.spoiled & set(items):
            raise ValueError("spoiled")
        return [2 * item for item in items]


Make = Callable[..., MicroBatcher[int, int]]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch(lambda: None, grace_s=LONG_S)
    yield watch
    watch.close()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def batcher(work: Work, watch: Watch) -> Iterator[MicroBatcher[int, int]]:
    """Give a batcher that is held in its first batch, the number 0, until `work.open`."""
    batcher = MicroBatcher(work, LIMITS, watch)
    batcher.submit([Piece(0, 0, 4)])
    assert work.begun.acquire(timeout=LONG_S)
    yield batcher
    work.open.set()
    batcher.close()


def _answers(futures: list[Future[int]]) -> list[int]:
    return [future.result(LONG_S) for future in futures]


def test_what_waits_is_batched_by_kind_within_the_cost(
    batcher: MicroBatcher[int, int], work: Work
) -> None:
    futures = batcher.submit([Piece(k, k % 2, 1) for k in range(1, 13)])
    work.open.set()

    assert _answers(futures) == [2 * k for k in range(1, 13)]
    assert work.batches[1:] == [[1, 3, 5, 7], [2, 4, 6, 8], [9, 11], [10, 12]]


def test_one_of_four_is_canceled_and_three_answers_arrive(
    batcher: MicroBatcher[int, int], work: Work
) -> None:
    futures = batcher.submit([Piece(k, 0, 1) for k in (1, 2, 3, 4)])
    assert futures[1].cancel()
    work.open.set()

    assert _answers([futures[0], futures[2], futures[3]]) == [2, 6, 8]
    assert work.batches[1:] == [[1, 3, 4]]


def test_a_batch_that_fails_is_tried_again_piece_by_piece(
    batcher: MicroBatcher[int, int], work: Work
) -> None:
    work.spoiled = {2}
    futures = batcher.submit([Piece(k, 0, 1) for k in (1, 2, 3)])
    work.open.set()

    assert _answers([futures[0], futures[2]]) == [2, 6]
    with pytest.raises(ValueError, match="spoiled"):
        futures[1].result(LONG_S)
    assert work.batches[1:] == [[1, 2, 3], [1], [2], [3]]


def test_what_expired_in_the_queue_is_not_computed(
    batcher: MicroBatcher[int, int], work: Work
) -> None:
    with under(Terms(Deadline.after(0.0))):
        (expired,) = batcher.submit([Piece(1, 0, 1)])
    (wanted,) = batcher.submit([Piece(2, 0, 1)])
    work.open.set()

    assert wanted.result(LONG_S) == 4
    with pytest.raises(DeadlineExceeded, match="in the queue"):
        expired.result(LONG_S)
    assert work.batches[1:] == [[2]]


def test_a_batch_goes_on_for_a_mate_that_has_time(work: Work, watch: Watch) -> None:
    stops: list[Stop] = []

    def run(items: Sequence[int], stop: Stop) -> list[int]:
        stops.append(stop)
        return work(items, stop)

    batcher = MicroBatcher(run, LIMITS, watch)
    batcher.submit([Piece(0, 0, 4)])
    assert work.begun.acquire(timeout=LONG_S)
    with under(Terms(Deadline.after(0.2))):
        (hasty,) = batcher.submit([Piece(1, 0, 1)])
    (patient,) = batcher.submit([Piece(2, 0, 1)])
    work.open.set()

    assert patient.result(LONG_S) == 4
    assert hasty.result(LONG_S) == 2
    assert not any(stop.is_set for stop in stops)
    batcher.close()


def test_a_run_is_stopped_once_nobody_has_time(watch: Watch) -> None:
    def run(items: Sequence[int], stop: Stop) -> list[int]:
        ended = threading.Event()
        stop.hook(ended.set)
        assert ended.wait(LONG_S)
        raise DeadlineExceeded("stopped")

    batcher = MicroBatcher(run, LIMITS, watch)
    with under(Terms(Deadline.after(0.05))):
        futures = batcher.submit([Piece(k, 0, 1) for k in (1, 2)])

    for future in futures:
        with pytest.raises(DeadlineExceeded):
            future.result(LONG_S)
    batcher.close()


def test_whoever_overfills_the_queue_waits_and_gives_up_in_time(work: Work, watch: Watch) -> None:
    batcher = MicroBatcher(work, BatchLimits(cost=4, queue_cost=10), watch)
    batcher.submit([Piece(0, 0, 4)])
    assert work.begun.acquire(timeout=LONG_S)
    batcher.submit([Piece(k, 0, 4) for k in (1, 2)])
    with (
        under(Terms(Deadline.after(0.02))),
        pytest.raises(DeadlineExceeded, match="room to wait"),
    ):
        batcher.submit([Piece(3, 0, 4)])
    assert batcher.queued_cost == 8

    threading.Timer(0.02, work.open.set).start()
    with under(Terms(Deadline.after(LONG_S))):
        (patient,) = batcher.submit([Piece(4, 0, 4)])
    assert patient.result(LONG_S) == 8
    batcher.close()


def test_what_waits_when_the_batcher_ends_is_canceled(work: Work, watch: Watch) -> None:
    batcher = MicroBatcher(work, LIMITS, watch)
    (held,) = batcher.submit([Piece(1, 0, 4)])
    assert work.begun.acquire(timeout=LONG_S)
    (waiting,) = batcher.submit([Piece(2, 0, 4)])
    threading.Timer(0.02, work.open.set).start()
    batcher.close()

    assert held.result(LONG_S) == 2
    with pytest.raises(Canceled):
        waiting.result(LONG_S)
    with pytest.raises(Canceled):
        batcher.submit([Piece(3, 0, 1)])


def test_a_run_that_gives_too_few_results_fails(watch: Watch) -> None:
    batcher: MicroBatcher[int, int] = MicroBatcher(lambda items, _: [], LIMITS, watch)
    (future,) = batcher.submit([Piece(1, 0, 1)])

    with pytest.raises(ModelError, match="0 results came for 1"):
        future.result(LONG_S)
    batcher.close()


def test_every_batch_is_reported(work: Work, watch: Watch) -> None:
    reports: list[BatchReport] = []
    batcher = MicroBatcher(work, LIMITS, watch, reports.append)
    work.open.set()
    work.spoiled = {1}
    (future,) = batcher.submit([Piece(1, 0, 3)])
    assert future.exception(LONG_S) is not None
    batcher.close()

    (report,) = reports
    assert (report.items, report.cost, report.failed) == (1, 3, True)
    assert report.seconds >= 0
    assert report.waits_s[0] >= 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), st.booleans()), max_size=8),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.integers(0, 40), max_size=4),
)
def test_nobody_gets_the_answer_of_another(
    calls: list[list[tuple[int, int, bool]]], spoiled: set[int]
) -> None:
    """Many threads at once, with failures and cancellations among their mates."""
    work = Work()
    work.open.set()
    work.spoiled = spoiled
    watch = Watch(lambda: None)
    batcher = MicroBatcher(work, LIMITS, watch)
    faults: list[str] = []

    def call(first: int, wanted: list[tuple[int, int, bool]]) -> None:
        lane = Lane.BULK if first % 2 else Lane.INTERACTIVE
        with under(Terms(Deadline.after(LONG_S), lane)):
            numbers = range(first, first + len(wanted))
            futures = batcher.submit(
                [Piece(k, kind, cost) for k, (kind, cost, _) in zip(numbers, wanted, strict=True)]
            )
        for k, future, (_, _, give_up) in zip(numbers, futures, wanted, strict=True):
            if give_up and future.cancel():
                continue
            if k in spoiled:
                if not isinstance(future.exception(LONG_S), ValueError):
                    faults.append(f"{k} did not fail")
            elif future.result(LONG_S) != 2 * k:
                faults.append(f"{k} got {future.result()}")

    threads = [
        threading.Thread(target=call, args=(8 * k, wanted)) for k, wanted in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    batcher.close()
    watch.close()

    assert not faults
    assert all(len(batch) == 1 or len(batch) <= LIMITS.items for batch in work.batches)


class _Crop:
    """Work that can be looked for after it is done."""


def test_what_was_computed_is_not_kept_while_nothing_waits(watch: Watch) -> None:
    batcher = MicroBatcher[_Crop, int](lambda crops, stop: [0] * len(crops), LIMITS, watch)
    crop = _Crop()
    trace = weakref.ref(crop)

    assert batcher.submit([Piece(crop, 0, 1)])[0].result(LONG_S) == 0
    del crop
    # The thread that computed it returns from it a moment after the answer.
    end = time.monotonic() + LONG_S
    while trace() is not None and time.monotonic() < end:
        time.sleep(0.01)

    assert trace() is None
    batcher.close()
