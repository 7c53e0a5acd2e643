from __future__ import annotations

import numpy as np
import pytest

from shizi.core.errors import TooLarge, UnsupportedFormat
from shizi.core.options import DecodeOptions, Limits
from shizi.imaging.arrays import array_to_page

RNG = np.random.default_rng(5)


def test_color_is_taken_as_it_is() -> None:
    array = RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    page = array_to_page(array, DecodeOptions(), Limits())
    assert np.array_equal(page.image, array)
    assert (page.size, page.number, page.notices) == ((30, 20), 1, ())


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1)])
def test_gray_becomes_color(shape: tuple[int, ...]) -> None:
    array = RNG.integers(0, 255, shape, dtype=np.uint8)
    page = array_to_page(array, DecodeOptions(), Limits())
    assert page.image.shape == (20, 30, 3)
    assert np.array_equal(page.image[:, :, 1], array.reshape(20, 30))


def test_transparent_pixels_become_white() -> None:
    array = np.zeros((4, 4, 4), np.uint8)
    array[:, 2:, 3] = 255
    image = array_to_page(array, DecodeOptions(), Limits()).image
    assert (image[:, :2] == 255).all()
    assert (image[:, 2:] == 0).all()


def test_a_large_array_is_reduced_and_told() -> None:
    array = np.full((400, 300, 3), 255, np.uint8)
    page = array_to_page(array, DecodeOptions(page_pixels=30_000), Limits())
    assert page.image.shape[0] * page.image.shape[1] <= 30_000
    assert page.notices[0].code == "downscaled"
    height, width = page.image.shape[:2]
    assert page.frame.map((width, height)) == pytest.approx((300, 400))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float64),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((4, 4), bool),
    ],
)
def test_what_is_no_picture_is_refused_with_the_way_out(array: np.ndarray) -> None:
    with pytest.raises(UnsupportedFormat, match="RGB"):
        array_to_page(array, DecodeOptions(), Limits())


def test_the_limit_of_pixels_holds_for_arrays() -> None:
    with pytest.raises(TooLarge) as caught:
        array_to_page(np.zeros((10, 10), np.uint8), DecodeOptions(), Limits(max_pixels=99))
    assert "99" in caught.value.detail
