"""Work is done at once, by as few threads as that takes."""

from __future__ import annotations

import contextvars
import threading
import weakref

import pytest

from shizi.core.deadline import Deadline
from shizi.engine.threads import Threads
from tests.waiting import until

LONG_S = 30.0


def _long() -> Deadline:
    return Deadline.after(LONG_S)


def test_one_thread_does_what_comes_one_after_the_other() -> None:
    pool, threads = Threads(), list[threading.Thread]()

    for _ in range(20):
        pool.start(lambda: threads.append(threading.current_thread()))
        assert pool.wait(_long())
        until(lambda: pool._idle)

    assert len(threads) == 20
    assert len(set(threads)) == 1


def test_what_comes_at_once_is_done_at_once() -> None:
    pool, together = Threads(), threading.Barrier(6)

    for _ in range(5):
        pool.start(lambda: together.wait(LONG_S))

    together.wait(LONG_S)
    assert pool.wait(_long())


def test_it_is_told_when_the_time_to_end_is_over() -> None:
    pool, go = Threads(), threading.Event()
    pool.start(lambda: go.wait(LONG_S))

    assert not pool.wait(Deadline.after(0.05))
    go.set()
    assert pool.wait(_long())


def test_work_begins_with_an_empty_context_and_leaves_nothing() -> None:
    name = contextvars.ContextVar[str]("name", default="nobody")
    pool, seen = Threads(), list[str]()

    def look() -> None:
        seen.append(name.get())
        name.set("somebody")

    for _ in range(3):
        pool.start(look)
        assert pool.wait(_long())

    assert seen == ["nobody"] * 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_is_over_and_others_are_done() -> None:
    pool = Threads()

    failed = list[threading.Thread]()

    def fail() -> None:
        failed.append(threading.current_thread())
        raise RuntimeError

    pool.start(fail)
    assert pool.wait(_long())
    # The failure is told when its thread ends, which shall not fall into another test.
    failed[0].join(LONG_S)
    done = threading.Event()
    pool.start(done.set)
    assert done.wait(LONG_S)


def test_what_was_done_is_not_kept() -> None:
    class Work:
        def __call__(self) -> None:
            pass

    pool, work = Threads(), Work()
    trace = weakref.ref(work)
    pool.start(work)
    del work
    assert pool.wait(_long())
    until(lambda: pool._idle)

    assert trace() is None
