from __future__ import annotations

import math

import pytest

from shizi.release.bounds import climb, least_rise, mean_and_error, wilson


def test_intervals_are_those_of_the_literature() -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I."""
    assert wilson(81, 263, 1.96) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148, 1.96) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20, 1.96) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0, 1.96) == (0.0, 1.0)


def test_differences_are_those_of_the_literature() -> None:
    """Newcombe, "Interval estimation for the difference", 1998, table II, 56/70 - 48/80."""
    assert least_rise(56, 70, 48, 80, 1.96) == pytest.approx(0.0524, abs=1e-4)
    assert least_rise(0, 0, 1, 5, 1.96) is None
    assert least_rise(1, 5, 0, 0, 1.96) is None


def test_a_sum_falls_by_successes_to_nothing_and_rises_by_failures() -> None:
    assert climb(3.0, 0, 10_000, 0.015, 0.06) == 0.0
    assert climb(0.0, 1, 1, 0.015, 0.06) == pytest.approx(math.log(4))
    assert climb(0.0, 5, 5, 0.015, 0.06) == pytest.approx(5 * math.log(4))
    assert climb(0.0, 10, 100, 0.015, 0.06) > 6.9
    assert climb(0.0, 10, 1_000, 0.015, 0.06) < 6.9


def test_samples_taken_together_climb_as_one_by_one() -> None:
    together = climb(1.0, 4, 80, 0.015, 0.06)
    height = 1.0
    for _ in range(4):
        height = climb(climb(height, 0, 16, 0.015, 0.06), 1, 1, 0.015, 0.06)
    height = climb(height, 0, 12, 0.015, 0.06)

    assert together == pytest.approx(height, abs=0.1)


def test_a_mean_of_one_says_nothing() -> None:
    assert mean_and_error(0.0, 0.0, 0) == (0.0, math.inf)
    assert mean_and_error(0.5, 0.25, 1) == (0.5, math.inf)
    assert mean_and_error(3.0, 5.0, 2) == (1.5, pytest.approx(0.5))
