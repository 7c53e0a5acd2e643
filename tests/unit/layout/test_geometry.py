from __future__ import annotations

import math

import pytest

from shizi.core.types import Quad
from shizi.layout.geometry import (
    Span,
    extents,
    gaps,
    hull,
    turned,
)

SQUARE = Quad.from_rect(0, 0, 10, 10)


def test_spans_share_and_join() -> None:
    assert Span(0, 4).overlap(Span(3, 9)) == 1
    assert Span(0, 4).overlap(Span(5, 9)) == 0
    assert Span(0, 4).hull(Span(5, 9)) == Span(0, 9)
    assert hull([Span(3, 4), Span(-1, 2)]) == Span(-1, 4)
    assert (Span(2, 6).length, Span(2, 6).middle) == (4, 4)


def test_gaps_are_what_nothing_covers() -> None:
    spans = [Span(20, 30), Span(0, 10), Span(5, 12), Span(31, 40)]
    assert gaps(spans, 1) == [Span(12, 20), Span(30, 31)]
    assert gaps(spans, 5) == [Span(12, 20)]
    assert gaps([], 1) == []


def test_a_quarter_turn_is_clockwise_on_a_page() -> None:
    assert turned((1, 0), 90) == pytest.approx((0, 1))


def test_extents_follow_the_direction_of_the_text() -> None:
    turn = math.radians(10)
    along = (100 * math.cos(turn), 100 * math.sin(turn))
    across = (-20 * math.sin(turn), 20 * math.cos(turn))
    quad = Quad(((0, 0), along, (along[0] + across[0], along[1] + across[1]), across))
    x, y = extents(quad, 10)
    assert (x.length, y.length) == pytest.approx((100, 20))
    assert extents(SQUARE) == (Span(0, 10), Span(0, 10))
