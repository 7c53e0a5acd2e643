"""Work is done at once, by as few threads as that takes."""

from __future__ import annotations

import contextvars
import threading
import weakref

import pytest

from shizi.core.deadline import Deadline
from shizi.engine.crew import Crew

LONG_S = 30.0


def _long() -> Deadline:
    return Deadline.after(LONG_S)


def test_one_thread_does_what_comes_one_after_the_other() -> None:
    crew, threads = Crew(), list[threading.Thread]()

    for _ in range(20):
        crew.start(lambda: threads.append(threading.current_thread()))
        assert crew.wait(_long())
        _until_idle(crew)

    assert len(threads) == 20
    assert len(set(threads)) == 1


def test_what_comes_at_once_is_done_at_once() -> None:
    crew, together = Crew(), threading.Barrier(6)

    for _ in range(5):
        crew.start(lambda: together.wait(LONG_S))

    together.wait(LONG_S)
    assert crew.wait(_long())


def test_it_is_told_when_the_time_to_end_is_over() -> None:
    crew, go = Crew(), threading.Event()
    crew.start(lambda: go.wait(LONG_S))

    assert not crew.wait(Deadline.after(0.05))
    go.set()
    assert crew.wait(_long())


def test_work_begins_with_an_empty_context_and_leaves_nothing() -> None:
    name = contextvars.ContextVar[str]("name", default="nobody")
    crew, seen = Crew(), list[str]()

    def look() -> None:
        seen.append(name.get())
        name.set("somebody")

    for _ in range(3):
        crew.start(look)
        assert crew.wait(_long())

    assert seen == ["nobody"] * 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_is_over_and_others_are_done() -> None:
    crew = Crew()

    def fail() -> None:
        raise RuntimeError

    crew.start(fail)
    assert crew.wait(_long())
    done = threading.Event()
    crew.start(done.set)
    assert done.wait(LONG_S)


def test_what_was_done_is_not_kept() -> None:
    class Work:
        def __call__(self) -> None:
            pass

    crew, work = Crew(), Work()
    trace = weakref.ref(work)
    crew.start(work)
    del work
    assert crew.wait(_long())
    _until_idle(crew)

    assert trace() is None


def _until_idle(crew: Crew) -> None:
    """Wait until a thread waits for the next piece."""
    deadline = _long()
    while not crew._idle and deadline.left_s() > 0:
        threading.Event().wait(0.001)
