from __future__ import annotations

import cv2
import numpy as np
import pytest

from shizi.core.pixels import GrayImage
from shizi.core.types import Quad
from shizi.imaging.vertical import is_tall, lay_out, turn_left, turn_right


def column_of(letters: str, cell: int = 40) -> GrayImage:
    """Write letters one under the other, each as wide as high, black on white."""
    crop = np.full((cell * len(letters), cell), 255, np.uint8)
    ink = cell * 17 // 20
    for k, letter in enumerate(letters):
        drawn = np.full((80, 80, 1), 255, np.uint8)
        cv2.putText(drawn, letter, (10, 65), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 0, 6)
        rows, columns = np.nonzero(drawn[:, :, 0] == 0)
        tight = drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1, 0]
        top, left = k * cell + (cell - ink) // 2, (cell - ink) // 2
        crop[top : top + ink, left : left + ink] = cv2.resize(tight, (ink, ink))
    return crop


@pytest.mark.parametrize("letters", ["ABDE", "HKMNRSXZ", "EE"])
def test_every_letter_gets_a_cell_of_its_own(letters: str) -> None:
    row = lay_out(column_of(letters))
    assert len(row.cuts) == len(letters) + 1
    wanted = np.linspace(0, 1, len(letters) + 1)
    assert np.allclose(row.cuts, wanted, atol=0.2 / len(letters))


def test_a_row_holds_the_letters_from_left_to_right() -> None:
    column = column_of("AB")
    row = lay_out(column).image
    assert row.shape[1] > 1.5 * row.shape[0]
    half = row.shape[1] // 2
    # An A has one hole, a B two.
    assert _holes(row[:, :half]) == 1
    assert _holes(row[:, half:]) == 2


def _holes(gray: GrayImage) -> int:
    _, hierarchy = cv2.findContours((gray < 128).astype(np.uint8), cv2.RETR_CCOMP, 2)[:2]
    return int((hierarchy[0][:, 3] >= 0).sum())


def test_places_along_the_row_lead_back_to_the_line() -> None:
    row = lay_out(column_of("ABDE"))
    assert row.to_line(0.0) == 0.0
    assert row.to_line(1.0) == pytest.approx(1.0)
    assert row.to_line(0.5) == pytest.approx(row.cuts[2])
    places = [row.to_line(x) for x in np.linspace(0, 1, 50)]
    assert places == sorted(places)


@pytest.mark.parametrize("shape", [(1, 1), (200, 3), (300, 40, 3)])
def test_an_empty_crop_is_laid_out_without_complaint(shape: tuple[int, ...]) -> None:
    row = lay_out(np.full(shape, 255, np.uint8))
    assert row.cuts[0] == 0
    assert row.cuts[-1] == 1


def test_turning_left_brings_a_line_that_runs_down_to_the_horizontal() -> None:
    crop = np.zeros((6, 2), np.uint8)
    crop[0] = 255
    assert (turn_left(crop)[:, 0] == 255).all()
    assert (turn_right(crop)[:, -1] == 255).all()


def test_tall_is_told_by_shape() -> None:
    assert is_tall(Quad.from_rect(0, 0, 10, 40))
    assert not is_tall(Quad.from_rect(0, 0, 40, 10))
    assert not is_tall(Quad.from_rect(0, 0, 10, 12))
