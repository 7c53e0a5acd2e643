"""Steps that change the tones of a page and leave every pixel in its place.

Each takes (H, W, 3) uint8 RGB and the measured quality and gives a new (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage
from shizi.imaging.quality import Quality

_STRETCH_PERCENTILES: Final = (0.5, 90.0)
_LEAST_STRETCH_RANGE: Final = 8
_CLAHE_CLIP: Final = 2.0
_CLAHE_TILES: Final = 8
_DENOISE_WINDOW_PX: Final = 15
_DENOISE_STRENGTH: Final = 1.1
_LEAST_DENOISE: Final = 3.0
_PAPER_GRID_PX: Final = 256
_PAPER_WINDOW: Final = 0.08
_PAPER_WINDOW_TEXTS: Final = 2.5
_PAPER_LEVEL: Final = 250.0
_LEAST_PAPER: Final = 12
_ADAPTIVE_OFFSET: Final = 0.15
_SHARPEN_AMOUNT: Final = 1.0


def grayscale(image: RgbImage, quality: Quality) -> RgbImage:
    """Drop color; the three channels become equal."""
    del quality
    return _spread(_gray(image))


def stretch(image: RgbImage, quality: Quality) -> RgbImage:
    """Spread the tones between the darkest ink and the paper over 0 to 255, by one table.

    The paper is the 90th percentile and the ink the 0.5th of the gray values, the other way round
    for light ink; what lies beyond is clipped. A page of one tone stays as it is.
    """
    counts = np.bincount(_gray(image).ravel(), minlength=256).cumsum()
    low_part, high_part = _STRETCH_PERCENTILES
    if quality.ink_is_light:
        low_part, high_part = 100 - high_part, 100 - low_part
    low = int(np.searchsorted(counts, counts[-1] * low_part / 100))
    high = int(np.searchsorted(counts, counts[-1] * high_part / 100))
    if high - low < _LEAST_STRETCH_RANGE:
        return image.copy()
    tones = (np.arange(256) - low) * (255.0 / (high - low))
    return _by_table(image, tones)


def clahe(image: RgbImage, quality: Quality) -> RgbImage:
    """Equalize lightness within tiles, limited, and keep color."""
    del quality
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    equalizer = cv2.createCLAHE(clipLimit=_CLAHE_CLIP, tileGridSize=(_CLAHE_TILES, _CLAHE_TILES))
    lightness = np.asarray(equalizer.apply(np.ascontiguousarray(lab[:, :, 0])), dtype=np.uint8)
    joined = np.dstack([lightness, lab[:, :, 1], lab[:, :, 2]])
    return np.asarray(cv2.cvtColor(joined, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def denoise(image: RgbImage, quality: Quality) -> RgbImage:
    """Average similar patches (non-local means) of the gray page, as strong as its noise asks.

    The dearest step by far: about 0.3 s for a million pixels on two cores.
    """
    strength = max(_LEAST_DENOISE, quality.noise * _DENOISE_STRENGTH)
    calm = cv2.fastNlMeansDenoising(
        _gray(image),
        h=strength,
        templateWindowSize=5,
        searchWindowSize=_DENOISE_WINDOW_PX,
    )
    return _spread(np.asarray(calm, dtype=np.uint8))


def otsu(image: RgbImage, quality: Quality) -> RgbImage:
    """Turn the page to black and white at the one threshold that parts its tones best."""
    del quality
    _, mask = cv2.threshold(_gray(image), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return _spread(np.asarray(mask, dtype=np.uint8))


def adaptive(image: RgbImage, quality: Quality) -> RgbImage:
    """Turn the page to black and white by comparing each pixel with its surroundings.

    The window is four characters high, and a pixel is ink where it differs from the window's
    mean by 15 % of the page's contrast; light ink stays light.
    """
    gray = _gray(image)
    window = 2 * round(min(200.0, max(7.0, quality.text_px * 2))) + 1
    offset = max(4.0, quality.contrast * _ADAPTIVE_OFFSET)
    paper_up = 255 - gray if quality.ink_is_light else gray
    mask = cv2.adaptiveThreshold(
        paper_up, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, window, offset
    )
    black_on_white = np.asarray(mask, dtype=np.uint8)
    return _spread(255 - black_on_white if quality.ink_is_light else black_on_white)


def flatten(image: RgbImage, quality: Quality) -> RgbImage:
    """Divide the page by the light that falls on its paper, so that shadows vanish.

    The paper is found on a small copy by a closing wider than any stroke of the text, then
    smoothed. Light
    ink is turned dark for the division and back after it.
    """
    upright = 255 - image if quality.ink_is_light else image
    paper = _paper_light(_gray(upright), quality.text_px)
    flat = [cv2.divide(channel, paper, scale=_PAPER_LEVEL) for channel in cv2.split(upright)]
    joined = np.asarray(cv2.merge(flat), dtype=np.uint8)
    return 255 - joined if quality.ink_is_light else joined


def sharpen(image: RgbImage, quality: Quality) -> RgbImage:
    """Add the difference from a blurred copy (unsharp mask), as wide as the page is blurred."""
    sigma = min(3.0, max(0.8, quality.blur_px))
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    sharp = cv2.addWeighted(image, 1 + _SHARPEN_AMOUNT, soft, -_SHARPEN_AMOUNT, 0)
    return np.asarray(sharp, dtype=np.uint8)


def invert(image: RgbImage, quality: Quality) -> RgbImage:
    """Swap light and dark."""
    del quality
    return 255 - image


def _gray(image: RgbImage) -> GrayImage:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _spread(gray: GrayImage) -> RgbImage:
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _by_table(image: RgbImage, tones: NDArray[np.floating]) -> RgbImage:
    table = tones.clip(0, 255).round().astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), dtype=np.uint8)


def _paper_light(gray: GrayImage, text_px: float) -> GrayImage:
    """Estimate the paper's gray at every pixel: (H, W) uint8, never near black.

    The narrower the window, the sharper a shadow may end; it must still be wider than strokes.
    """
    height, width = gray.shape
    shrink = max(1.0, math.sqrt(height * width) / _PAPER_GRID_PX)
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    window_px = _PAPER_WINDOW_TEXTS * text_px if text_px else _PAPER_WINDOW * min(gray.shape)
    reach = max(3, round(window_px / shrink)) | 1
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    smooth = np.maximum(cv2.GaussianBlur(closed, (0, 0), reach / 3), _LEAST_PAPER)
    light = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(light, dtype=np.uint8)
