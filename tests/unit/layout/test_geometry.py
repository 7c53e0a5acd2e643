from __future__ import annotations

import math

import pytest

from shizi.core.types import Quad
from shizi.layout.geometry import (
    Span,
    area,
    extents,
    gaps,
    hull,
    overlap_ratio,
    shared_area,
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


def test_areas() -> None:
    assert area(SQUARE.points) == 100
    assert area(SQUARE.points[:2]) == 0
    assert shared_area(SQUARE, Quad.from_rect(5, 5, 20, 20)) == pytest.approx(25)
    assert shared_area(SQUARE, Quad.from_rect(11, 0, 20, 10)) == 0
    diamond = Quad(((5, -5), (15, 5), (5, 15), (-5, 5)))
    assert shared_area(SQUARE, diamond) == pytest.approx(100)
    assert overlap_ratio(SQUARE, diamond) == pytest.approx(0.5)


def test_the_sense_of_rotation_does_not_matter() -> None:
    backwards = Quad(tuple(reversed(Quad.from_rect(5, 5, 20, 20).points)))
    assert shared_area(SQUARE, backwards) == pytest.approx(25)


def test_a_flat_quad_shares_nothing() -> None:
    assert overlap_ratio(SQUARE, Quad.from_rect(5, 5, 5, 5)) == 0
    assert overlap_ratio(Quad.from_rect(1, 1, 1, 1), Quad.from_rect(1, 1, 1, 1)) == 0
