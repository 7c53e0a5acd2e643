"""Measured quality agrees with what was drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from shizi.imaging.quality import WORK_PIXELS, measure
from shizi.imaging.tilt import measure_tilt
from tests.unit.imaging.drawing import draw_page, grain, shade, turn_page


def test_a_clean_page_has_nothing_wrong() -> None:
    quality = measure(draw_page())
    assert quality.brightness == 255
    assert quality.contrast > 200
    assert quality.noise < 0.5
    assert quality.blur_px < 1
    assert quality.tilt_deg == pytest.approx(0, abs=0.1)
    assert quality.unevenness < 0.02
    assert not quality.ink_is_light


@pytest.mark.parametrize("angle", [-14.0, -8.0, -3.0, -0.6, 0.4, 1.0, 5.0, 9.3, 17.0])
def test_measures_tilt(angle: float) -> None:
    assert measure(turn_page(draw_page(), angle)).tilt_deg == pytest.approx(angle, abs=0.25)


@pytest.mark.parametrize("angle", [-6.0, 0.0, 4.0])
def test_measures_tilt_of_columns(angle: float) -> None:
    columns = np.ascontiguousarray(np.rot90(draw_page(1000, 800), -1))
    assert measure(turn_page(columns, angle)).tilt_deg == pytest.approx(angle, abs=0.25)


def test_is_unsure_of_tilt_without_lines() -> None:
    rng = np.random.default_rng(4)
    speckle = (rng.random((400, 400)) < 0.02).astype(np.uint8)
    assert measure_tilt(speckle) == 0
    assert measure_tilt(np.zeros((50, 50), np.uint8)) == 0
    disc = np.asarray(cv2.circle(np.zeros((300, 300), np.uint8), (150, 150), 90, 1, -1))
    assert measure_tilt(disc) == 0


@pytest.mark.parametrize("sigma", [4.0, 10.0, 20.0])
def test_measures_noise(sigma: float) -> None:
    gray_paper = (draw_page() * 0.5 + 64).astype(np.uint8)
    assert measure(grain(gray_paper, sigma)).noise == pytest.approx(sigma, rel=0.25)


def test_measures_noise_at_full_resolution() -> None:
    large = np.full((2400, 2000, 3), 128, np.uint8)
    assert large.shape[0] * large.shape[1] > 4 * WORK_PIXELS
    assert measure(grain(large, 10)).noise == pytest.approx(10, rel=0.15)


def test_blur_grows_with_the_blur() -> None:
    page = draw_page(text_px=40)
    spreads = [measure(page).blur_px]
    for sigma in (1.0, 2.0, 3.0):
        blurred = np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), dtype=np.uint8)
        spreads.append(measure(blurred).blur_px)
        assert spreads[-1] == pytest.approx(sigma, rel=0.5)
    assert spreads == sorted(spreads)


@pytest.mark.parametrize("text_px", [12, 20, 36, 60])
def test_measures_text_height(text_px: int) -> None:
    assert measure(draw_page(text_px=text_px)).text_px == pytest.approx(text_px, rel=0.2)


def test_measures_text_height_of_large_pages_in_their_own_pixels() -> None:
    large = draw_page(2400, 3000, 60)
    assert measure(large).text_px == pytest.approx(60, rel=0.2)


def test_tells_light_ink() -> None:
    assert measure(255 - draw_page()).ink_is_light
    tilted = measure(255 - turn_page(draw_page(), 5))
    assert tilted.ink_is_light
    assert tilted.tilt_deg == pytest.approx(5, abs=0.3)


def test_contrast_is_blind_to_shadows() -> None:
    faint = (draw_page() * 0.2 + 150).astype(np.uint8)
    assert measure(faint).contrast == pytest.approx(51, abs=8)
    assert measure(shade(faint, 0.5)).contrast < 60


def test_unevenness_tells_shadow() -> None:
    assert measure(shade(draw_page(), 0.3)).unevenness == pytest.approx(0.65, abs=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (40, 7), (2, 30_000)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_measures_any_size(shape: tuple[int, int], value: int) -> None:
    quality = measure(np.full((*shape, 3), value, np.uint8))
    assert quality.brightness == value
    assert quality.tilt_deg == 0
    assert quality.text_px == 0
    assert quality.noise == 0
