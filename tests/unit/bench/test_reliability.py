from __future__ import annotations

import pytest

from shizi.bench.reliability import Reliability


def tally(*lines: tuple[float, bool]) -> Reliability:
    total = Reliability()
    for confidence, right in lines:
        total += Reliability.of(confidence, right=right)
    return total


def test_no_lines_no_error() -> None:
    assert Reliability().expected_error == 0.0


def test_a_reader_that_means_what_it_says_has_no_error() -> None:
    assert tally(*[(0.75, True)] * 3, (0.75, False)).expected_error == pytest.approx(0.0)
    assert tally((1.0, True), (0.0, False)).expected_error == 0.0


def test_bins_do_not_make_up_for_each_other() -> None:
    both = tally((0.9, False), (0.1, True))
    assert both.expected_error == pytest.approx(0.9)


def test_bins_weigh_by_their_lines() -> None:
    mixed = tally(*[(1.0, True)] * 3, (0.5, False))
    assert mixed.expected_error == pytest.approx(0.5 / 4)
