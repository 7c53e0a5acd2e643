"""Plane geometry for pages: spans on a line, gaps between them, areas of quads. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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


def area(points: Sequence[Point]) -> float:
    """Measure a simple polygon, in square pixels; 0 for fewer than three corners."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(points, [*points[1:], *points[:1]], strict=True):
        total += ax * by - bx * ay
    return abs(total) / 2


def shared_area(first: Quad, second: Quad) -> float:
    """Measure what two convex quads share, in square pixels.

    A quad whose corners cross is taken by the half-planes of its edges, which gives less, never
    more, than it covers.
    """
    clip = _clockwise(second.points)
    points: list[Point] = list(first.points)
    for start, end in zip(clip, [*clip[1:], *clip[:1]], strict=True):
        points = _cut(points, start, end)
        if len(points) < 3:
            return 0.0
    return area(points)


def overlap_ratio(first: Quad, second: Quad) -> float:
    """Give the shared area over the joint area of two convex quads, in [0, 1]."""
    shared = shared_area(first, second)
    joint = area(first.points) + area(second.points) - shared
    return min(1.0, shared / joint) if joint > 0 else 0.0


def _clockwise(points: Sequence[Point]) -> list[Point]:
    """Order corners so that the inside lies to the right when y runs down."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(points, [*points[1:], *points[:1]], strict=True):
        total += ax * by - bx * ay
    return list(points) if total >= 0 else list(reversed(points))


def _cut(points: list[Point], start: Point, end: Point) -> list[Point]:
    """Keep the part of a polygon on the inner side of a line."""
    kept: list[Point] = []
    for k, point in enumerate(points):
        before = points[k - 1]
        side, side_before = _side(start, end, point), _side(start, end, before)
        if (side >= 0) != (side_before >= 0):
            share = side_before / (side_before - side)
            kept.append(
                (
                    before[0] + share * (point[0] - before[0]),
                    before[1] + share * (point[1] - before[1]),
                )
            )
        if side >= 0:
            kept.append(point)
    return kept


def _side(start: Point, end: Point, point: Point) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
