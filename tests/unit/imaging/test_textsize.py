from __future__ import annotations

import cv2
import numpy as np
import pytest

from shizi.core.pixels import RgbImage
from shizi.imaging.textsize import measure_text_height


def print_page(scale: float, *, ink: int = 20, paper: int = 235) -> RgbImage:
    page = np.full((900, 700, 3), paper, np.uint8)
    for k in range(int(820 / (40 * scale))):
        cv2.putText(
            page,
            "HAND 1234 BOX 5678",
            (30, round(60 + 40 * scale * k)),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            (ink, ink, ink),
            2,
        )
    return page


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.6])
def test_the_height_of_print_is_found(scale: float) -> None:
    sample = np.zeros((200, 200), np.uint8)
    cv2.putText(sample, "H", (50, 150), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 2)
    capital = np.count_nonzero(sample.max(axis=1) > 128)
    assert measure_text_height(print_page(scale)) == pytest.approx(1.2 * capital, rel=0.25)


def test_light_ink_on_dark_paper_counts_as_well() -> None:
    dark = measure_text_height(print_page(1.0))
    assert measure_text_height(print_page(1.0, ink=240, paper=20)) == pytest.approx(dark, rel=0.15)


def test_enlarging_the_page_enlarges_the_estimate() -> None:
    page = print_page(1.0)
    large = np.asarray(cv2.resize(page, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC))
    assert measure_text_height(large) == pytest.approx(2.5 * measure_text_height(page), rel=0.2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (40, 40), (700, 500)])
def test_a_page_without_text_has_no_height(shape: tuple[int, int]) -> None:
    assert measure_text_height(np.full((*shape, 3), 200, np.uint8)) == 0.0
