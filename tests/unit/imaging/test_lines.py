from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.core.types import Quad
from shizi.imaging.lines import (
    LINE_HEIGHT,
    MAX_WIDTH,
    MIN_WIDTH,
    Canvas,
    Scaling,
    bucket_width,
    crop_line,
    line_to_gray,
    strips_to_batch,
)


def test_an_upright_quad_is_a_slice() -> None:
    image = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    crop = crop_line(image, Quad.from_rect(10, 5, 50, 25))
    assert np.array_equal(crop, image[5:25, 10:50])


def test_a_turned_quad_comes_out_upright() -> None:
    page = np.full((200, 200, 3), 255, np.uint8)
    cv2.putText(page, "TEXT", (40, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
    straight = Quad.from_rect(35, 75, 145, 120)
    matrix = cv2.getRotationMatrix2D((100, 100), -20, 1.0)
    turned = cv2.warpAffine(page, matrix, (200, 200), borderValue=(255, 255, 255))
    corners = cv2.transform(straight.to_array()[None], matrix)[0]
    got = crop_line(np.asarray(turned, np.uint8), Quad.from_array(corners))
    wanted = crop_line(page, straight)
    got_sized = cv2.resize(got, (wanted.shape[1], wanted.shape[0]))
    assert np.abs(got_sized.astype(int) - wanted).mean() < 12


def test_a_quad_beyond_the_page_repeats_its_border() -> None:
    page = np.full((50, 50, 3), 200, np.uint8)
    crop = crop_line(page, Quad(((-10, -10), (60, 0), (60, 20), (-10, 10))))
    assert crop.min() == 200


@given(st.integers(1, 90), st.integers(1, 4000), st.booleans())
def test_strips_keep_their_aspect(height: int, width: int, color: bool) -> None:
    shape = (height, width, 3) if color else (height, width)
    strip = line_to_gray(np.zeros(shape, np.uint8))
    assert strip.shape[0] == LINE_HEIGHT
    wanted = min(MAX_WIDTH, max(MIN_WIDTH, width * LINE_HEIGHT / height))
    assert abs(strip.shape[1] - wanted) <= 1


@given(st.integers(1, 5000))
def test_buckets_are_the_next_multiple(width: int) -> None:
    assert bucket_width(width) % 64 == 0
    assert 0 <= bucket_width(width) - width < 64


def test_padding_is_near_zero_and_ink_in_range() -> None:
    strip = np.array([[0, 255]] * 32, np.uint8).repeat(5, axis=1)
    batch = strips_to_batch([strip])
    assert batch.shape == (1, 1, 32, 64)
    assert batch.dtype == np.float32
    assert batch.min() == -1
    assert batch.max() == 1
    assert np.abs(batch[..., 10:]).max() < 0.01


def test_strips_of_two_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="2 buckets"):
        strips_to_batch([np.zeros((32, 64), np.uint8), np.zeros((32, 65), np.uint8)])


@given(st.integers(1, 3200), st.integers(1, 900), st.integers(1, 900), st.integers(0, 100))
def test_a_canvas_gives_the_smallest_of_its_widths(
    columns: int, first: int, step: int, margin: int
) -> None:
    width = Canvas(first, step, margin).width(columns)
    assert width >= first
    assert (width - first) % step == 0
    assert width >= columns + margin
    assert width == first or width - step < columns + margin


def test_a_foreign_canvas_pads_with_its_own_grey() -> None:
    strip = np.full((32, 10), 128, np.uint8)
    batch = strips_to_batch([strip], Canvas(first=300, step=252, pad=0))
    assert batch.shape == (1, 1, 32, 300)
    assert (batch[..., 10:] == -1).all()


def test_bilinear_scaling_takes_the_nearest_pixels_and_rounds_down() -> None:
    crop = np.zeros((64, 99), np.uint8)
    crop[::4] = 255
    plain = line_to_gray(crop, scaling=Scaling.BILINEAR)
    assert plain.shape == (32, 49)
    assert line_to_gray(crop).shape == (32, 50)
    assert np.array_equal(plain, cv2.resize(crop, (49, 32)))
