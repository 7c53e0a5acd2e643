from __future__ import annotations

import cv2
import numpy as np
import pytest

from shizi.core.pixels import GrayImage
from shizi.imaging.trim import text_rows


def crop_with_text(rows: int, top: int, height: int, text: str = "HE7DBA") -> GrayImage:
    """Draw capitals of a height whose ink begins at a row of a white crop."""
    crop = np.full((rows, 40 + height * len(text), 1), 255, np.uint8)
    size = height / 21.0
    cv2.putText(crop, text, (20, top + height), cv2.FONT_HERSHEY_SIMPLEX, size, 0, 2)
    return crop[:, :, 0]


def ink_rows(crop: GrayImage) -> tuple[int, int]:
    rows = np.flatnonzero((crop < 128).any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


def test_empty_rows_go_and_a_margin_stays() -> None:
    crop = crop_with_text(60, 18, 24)
    top, bottom = text_rows(crop)
    first, end = ink_rows(crop)
    assert first - 5 <= top < first
    assert end < bottom <= end + 5


def test_text_off_the_middle_is_found() -> None:
    crop = crop_with_text(60, 30, 26)
    top, bottom = text_rows(crop)
    first, end = ink_rows(crop)
    assert top >= 20
    assert top < first
    assert bottom >= end


def test_half_of_the_rows_always_stay() -> None:
    top, bottom = text_rows(crop_with_text(80, 35, 10))
    assert bottom - top == 40
    assert top < 35
    assert bottom > 45


def test_a_ruling_beside_the_line_does_not_count_as_text() -> None:
    crop = crop_with_text(60, 16, 26)
    crop[56:58] = 0
    assert text_rows(crop)[1] < 56


def test_grain_hides_neither_text_nor_margin() -> None:
    crop = crop_with_text(60, 18, 24)
    noise = np.random.default_rng(4).normal(0, 12, crop.shape)
    top, bottom = text_rows((crop.astype(float) - 30 + noise).clip(0, 255).astype(np.uint8))
    first, end = ink_rows(crop)
    assert first - 6 <= top <= first
    assert end <= bottom <= end + 6


@pytest.mark.parametrize("shape", [(1, 1), (7, 90), (30, 1), (40, 200, 3)])
def test_where_nothing_stands_out_all_rows_stay(shape: tuple[int, ...]) -> None:
    assert text_rows(np.full(shape, 200, np.uint8)) == (0, shape[0])
