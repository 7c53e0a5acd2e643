"""Deadlines on a clock of our own."""

from __future__ import annotations

import math

import pytest

from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded


def test_a_deadline_passes_when_its_seconds_are_over() -> None:
    deadline = Deadline.after(2.0, lambda: 100.0)

    assert deadline.left_s(lambda: 101.5) == 0.5
    deadline.check("early", lambda: 101.99)
    with pytest.raises(DeadlineExceeded, match="ran out after the last page"):
        deadline.check("after the last page", lambda: 102.0)


def test_no_time_given_is_time_for_ever() -> None:
    never = Deadline.after(None, lambda: 100.0)

    assert never.left_s() == math.inf
    never.check("ever", lambda: 1e18)


def test_the_nearer_deadline_is_the_smaller() -> None:
    assert min(Deadline(), Deadline(3.0), Deadline(2.0)) == Deadline(2.0)
