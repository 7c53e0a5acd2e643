"""Plane geometry for pages: spans on a line, gaps between them, the reach of quads. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from shizi.core.types import Point, Quad


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of an axis, `low` <= `high`; pixels."""

    low: float
    high: float

    @property
    def length(self) -> float:
        """How long it is."""
        return self.high - self.low

    @property
    def middle(self) -> float:
        """Its midpoint."""
        return (self.low + self.high) / 2

    def overlap(self, other: Span) -> float:
        """Length shared with another span, 0 where they are apart."""
        return max(0.0, min(self.high, other.high) - max(self.low, other.low))

    def hull(self, other: Span) -> Span:
        """Give the smallest span that holds both."""
        return Span(min(self.low, other.low), max(self.high, other.high))


def hull(spans: Iterable[Span]) -> Span:
    """Give the smallest span that holds all; there must be one at least."""
    spans = list(spans)
    return Span(min(span.low for span in spans), max(span.high for span in spans))


def gaps(spans: Iterable[Span], least: float) -> list[Span]:
    """Find what no span covers, between the first and the last of them.

    Args:
        spans: in any order.
        least: shorter gaps are left out.

    Returns:
        Gaps from low to high.
    """
    found: list[Span] = []
    reach: float | None = None
    for span in sorted(spans):
        if reach is not None and span.low - reach >= least:
            found.append(Span(reach, span.low))
        reach = span.high if reach is None else max(reach, span.high)
    return found


def turned(point: Point, angle_deg: float) -> Point:
    """Turn a point about the origin, clockwise as seen on a page whose y runs down."""
    turn = math.radians(angle_deg)
    x, y = point
    return x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)


def extents(quad: Quad, angle_deg: float = 0.0) -> tuple[Span, Span]:
    """Give the reach of a quad along and across text that runs at an angle.

    Args:
        quad: in pixels.
        angle_deg: direction of the text, clockwise from the x axis.

    Returns:
        Spans along the direction and across it; at angle 0 those of x and y.
    """
    points = [turned(point, -angle_deg) for point in quad.points] if angle_deg else quad.points
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return Span(min(xs), max(xs)), Span(min(ys), max(ys))
