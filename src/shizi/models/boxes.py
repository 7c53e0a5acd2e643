"""From the detector's probability map to quads: regions, their rectangles, their growth.

The network marks the core of every line, shrunk away from its neighbours. Each connected core
becomes a rectangle, which is then grown back by the amount the labels were shrunk in training.
All coordinates here are pixels of the map, with pixel (0, 0) covering [0, 1) x [0, 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.options import DetectOptions

FloatMap = NDArray[np.float32]
Corners = NDArray[np.float64]

# A core thinner or smaller than this is dirt, not text.
MIN_CORE_SIDE_PX = 2.0
MIN_CORE_AREA_PX = 6
# From this length over height on, a core's own angle can be trusted.
_LONG = 4.0
# A page whose lines lean by less than this is upright for all purposes.
_UPRIGHT_DEG = 0.4
# A line is cut straight where its own lean is a smaller part of its height than this.
_STRAIGHT_SHARE = 0.12
# The network's map bleeds over the edge of a core by about so much, whatever the scale.
_BLEED_PX = 0.8


@dataclass(frozen=True, slots=True)
class Box:
    """A region of text.

    Attributes:
        corners: (4, 2) float64 of (x, y), clockwise from the corner nearest the top-left.
        score: mean probability inside the core, in [0, 1].
    """

    corners: Corners
    score: float


@dataclass(frozen=True, slots=True)
class _Rect:
    """A rectangle by centre, size and lean; `angle_deg` in (-45, 45], clockwise."""

    x: float
    y: float
    width: float
    height: float
    angle_deg: float

    @property
    def long_over_short(self) -> float:
        return max(self.width, self.height) / max(1e-6, min(self.width, self.height))

    def grown(self, by: float) -> _Rect:
        return _Rect(self.x, self.y, self.width + 2 * by, self.height + 2 * by, self.angle_deg)

    def to_corners(self) -> Corners:
        turn = math.radians(self.angle_deg)
        along = np.array([math.cos(turn), math.sin(turn)]) * self.width / 2
        across = np.array([-math.sin(turn), math.cos(turn)]) * self.height / 2
        center = np.array([self.x, self.y])
        return np.stack(
            [
                center - along - across,
                center + along - across,
                center + along + across,
                center - along + across,
            ]
        )


def map_to_boxes(probability: FloatMap, options: DetectOptions) -> list[Box]:
    """Find the regions of text in a probability map.

    Args:
        probability: (H, W) float32 in [0, 1].
        options: thresholds and growth; its `max_lines` is not applied here.

    Returns:
        Boxes in map pixels, in no meaningful order; corners may lie outside the map.
    """
    cores = _cores(probability, options)
    lean = _page_lean([rect for _, rect, _ in cores])
    boxes = []
    for points, own, score in cores:
        rect = _settle(points, own, lean)
        boxes.append(Box(_unclip(rect, options.unclip_ratio).to_corners(), score))
    return boxes


def _unclip(rect: _Rect, ratio: float) -> _Rect:
    """Grow a core back to its line by the rule the labels were shrunk by: area over perimeter."""
    core = rect.grown(-min(_BLEED_PX, rect.width / 4, rect.height / 4))
    return core.grown(ratio * core.width * core.height / (2 * (core.width + core.height)))


def _cores(
    probability: FloatMap, options: DetectOptions
) -> list[tuple[NDArray[np.int32], _Rect, float]]:
    """Give contour, rectangle and score of every connected core that is worth keeping."""
    mask = np.asarray(probability > options.mask_threshold, dtype=np.uint8)
    # Two levels keep a line inside a ring of text, and tell the ring's hole from a line.
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    kept = []
    for contour, links in zip(contours, [] if hierarchy is None else hierarchy[0], strict=True):
        if links[3] >= 0:
            continue
        points = np.asarray(contour, dtype=np.int32).reshape(-1, 2)
        rect = _smallest_rect(points)
        if min(rect.width, rect.height) < MIN_CORE_SIDE_PX:
            continue
        if rect.width * rect.height < MIN_CORE_AREA_PX:
            continue
        score = _score(probability, rect)
        if score >= options.box_threshold:
            kept.append((points, rect, score))
    return kept


def _smallest_rect(points: NDArray[np.int32]) -> _Rect:
    """Fit the smallest rectangle around pixels given by their indices."""
    (x, y), (width, height), angle = cv2.minAreaRect(points)
    while angle > 45:
        width, height, angle = height, width, angle - 90
    while angle <= -45:
        width, height, angle = height, width, angle + 90
    # Indices are corners of pixels here: the last pixel's own extent is added.
    return _Rect(x + 0.5, y + 0.5, width + 1, height + 1, angle)


def _rect_at_angle(points: NDArray[np.int32], angle_deg: float) -> _Rect:
    """Fit the rectangle of a given lean around pixels given by their indices."""
    turn = math.radians(angle_deg)
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-math.sin(turn), math.cos(turn)])
    u, v = (points + 0.5) @ along, (points + 0.5) @ across
    center = along * (u.min() + u.max()) / 2 + across * (v.min() + v.max()) / 2
    return _Rect(
        float(center[0]), float(center[1]), float(np.ptp(u)) + 1, float(np.ptp(v)) + 1, angle_deg
    )


def _score(probability: FloatMap, rect: _Rect) -> float:
    """Average the map over the pixels of a core's rectangle."""
    rows, columns = probability.shape
    # Back from extents to indices: the outermost pixels are half a pixel inside the edges.
    corners = rect.grown(-0.5).to_corners() - 0.5
    left, top = np.clip(np.round(corners.min(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    right, bottom = np.clip(np.round(corners.max(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    part = probability[top : bottom + 1, left : right + 1]
    if abs(rect.angle_deg) < 1e-3:
        return float(part.mean())
    inside = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (left, top)).astype(np.int32), 1)
    return float(cv2.mean(part, inside)[0])


def _page_lean(rects: list[_Rect]) -> float:
    """Take the median lean of the long regions, 0 where there is none; degrees clockwise."""
    angles = [rect.angle_deg for rect in rects if rect.long_over_short >= _LONG]
    return float(np.median(angles)) if angles else 0.0


def _settle(points: NDArray[np.int32], own: _Rect, page_lean: float) -> _Rect:
    """Choose the lean of a region: its own where it is long enough to have one.

    A short region's smallest rectangle may stand on its corner; it takes the page's lean.
    """
    lean = own.angle_deg if own.long_over_short >= _LONG else page_lean
    long_side = max(own.width, own.height)
    short_side = min(own.width, own.height)
    rise = abs(math.sin(math.radians(lean))) * long_side
    if abs(lean) < _UPRIGHT_DEG or rise < _STRAIGHT_SHARE * short_side:
        lean = 0.0
    return own if lean == own.angle_deg else _rect_at_angle(points, lean)
