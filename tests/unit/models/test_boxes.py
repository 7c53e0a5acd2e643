from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shizi.core.options import DetectOptions
from shizi.models.boxes import map_to_boxes

OPTIONS = DetectOptions()


def paint(
    shape: tuple[int, int], *rects: tuple[float, float, float, float, float]
) -> NDArray[np.float32]:
    """Draw cores given as centre x, centre y, width, height, angle."""
    probability = np.zeros(shape, np.float32)
    for x, y, width, height, angle in rects:
        corners = cv2.boxPoints(((x, y), (width, height), angle))
        cv2.fillPoly(probability, [np.round(corners).astype(np.int32)], 0.9)
    return probability


def test_an_empty_map_has_no_boxes() -> None:
    assert map_to_boxes(np.zeros((40, 60), np.float32), OPTIONS) == []


def test_a_core_grows_by_area_over_perimeter() -> None:
    probability = np.zeros((64, 256), np.float32)
    probability[20:30, 40:140] = 0.9
    (box,) = map_to_boxes(probability, OPTIONS)
    left, top = box.corners.min(axis=0)
    right, bottom = box.corners.max(axis=0)
    assert box.score == pytest.approx(0.9)
    assert (left + right) / 2 == pytest.approx(90)
    assert (top + bottom) / 2 == pytest.approx(25)
    width, height = 98.4, 8.4
    grown = 1.6 * width * height / (2 * (width + height))
    assert bottom - top == pytest.approx(height + 2 * grown)
    assert right - left == pytest.approx(width + 2 * grown)


def test_corners_go_clockwise_from_the_top_left() -> None:
    (box,) = map_to_boxes(paint((80, 200), (100, 40, 120, 12, 0)), OPTIONS)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = box.corners
    assert ax == dx < bx == cx
    assert ay == by < dy == cy


@pytest.mark.parametrize("angle", [-30.0, -8.0, 5.0, 20.0, 40.0])
def test_a_leaning_line_keeps_its_lean(angle: float) -> None:
    (box,) = map_to_boxes(paint((300, 300), (150, 150, 180, 14, angle)), OPTIONS)
    (ax, ay), (bx, by) = box.corners[:2]
    assert math.degrees(math.atan2(by - ay, bx - ax)) == pytest.approx(angle, abs=2)


def test_a_tall_core_stays_tall() -> None:
    (box,) = map_to_boxes(paint((300, 100), (50, 150, 14, 200, 0)), OPTIONS)
    width = math.dist(box.corners[0], box.corners[1])
    height = math.dist(box.corners[0], box.corners[3])
    assert height > 5 * width
    assert tuple(box.corners.argmin(axis=0)) in {(0, 0), (3, 0), (0, 1), (3, 1)}


def test_a_short_core_leans_as_the_page_does() -> None:
    lines = [(150.0, 60.0 + 60 * k, 200.0, 14.0, 10.0) for k in range(3)]
    probability = paint((400, 300), *lines)
    cv2.circle(probability, (250, 330), 9, 0.9, -1)
    boxes = map_to_boxes(probability, OPTIONS)
    short = max(boxes, key=lambda box: box.corners[:, 1].max())
    (ax, ay), (bx, by) = short.corners[:2]
    assert math.degrees(math.atan2(by - ay, bx - ax)) == pytest.approx(10, abs=2)


def test_a_nearly_upright_line_is_upright() -> None:
    (box,) = map_to_boxes(paint((80, 300), (150, 40, 60, 13, 1.0)), OPTIONS)
    assert box.corners[0, 1] == box.corners[1, 1]


def test_dirt_and_weak_regions_are_dropped() -> None:
    probability = np.zeros((60, 200), np.float32)
    probability[10:11, 10:12] = 0.99
    probability[30:40, 20:120] = 0.4
    assert map_to_boxes(probability, OPTIONS) == []
    assert len(map_to_boxes(probability, DetectOptions(box_threshold=0.3))) == 1


def test_text_inside_a_ring_is_found_and_the_hole_is_not() -> None:
    probability = np.zeros((120, 220), np.float32)
    cv2.rectangle(probability, (10, 10), (210, 110), 0.9, 6)
    probability[55:65, 60:160] = 0.9
    boxes = map_to_boxes(probability, DetectOptions(box_threshold=0.05))
    assert len(boxes) == 2
