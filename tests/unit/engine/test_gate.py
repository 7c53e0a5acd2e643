"""Taking turns before a network."""

from __future__ import annotations

import threading

import pytest

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import DeadlineExceeded
from shizi.engine.gate import Gate

LONG_S = 30.0


def _wait_until(gate: Gate, waiting: int) -> None:
    end = Deadline.after(LONG_S)
    while gate.waiting != waiting:
        end.check("while the threads came to the gate")


def test_who_waits_is_let_through_by_deadline() -> None:
    gate = Gate(1)
    order: list[float] = []

    def pass_through(left_s: float) -> None:
        with under(Terms(Deadline.after(left_s))), gate.turn():
            order.append(left_s)

    threads = [threading.Thread(target=pass_through, args=(s,)) for s in (300.0, 100.0, 200.0)]
    with gate.turn():
        for k, thread in enumerate(threads, start=1):
            thread.start()
            _wait_until(gate, k)
    for thread in threads:
        thread.join(LONG_S)

    assert order == [100.0, 200.0, 300.0]


def test_no_more_are_inside_than_there_are_places() -> None:
    gate = Gate(2)
    inside: list[int] = []
    most: list[int] = []

    def pass_through() -> None:
        for _ in range(50):
            with gate.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=pass_through) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)

    assert len(most) == 300
    assert max(most) <= 2


def test_time_that_runs_out_at_the_gate_is_told_and_the_place_is_not_lost() -> None:
    gate = Gate(1)
    with (
        gate.turn(),
        pytest.raises(DeadlineExceeded, match="while others were served"),
        under(Terms(Deadline.after(0.02))),
        gate.turn(),
    ):
        raise AssertionError("nobody can be here")

    assert gate.waiting == 0
    with gate.turn():
        pass


def test_a_place_is_given_back_after_an_error() -> None:
    gate = Gate(1)
    with pytest.raises(ValueError, match="inside"), gate.turn():
        raise ValueError("inside")

    with gate.turn():
        pass
