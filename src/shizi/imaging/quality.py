"""What a page looks like in numbers: light, contrast, noise, blur, tilt, size of its text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage
from shizi.imaging.tilt import measure_tilt

#: Everything but noise and blur is measured on a copy of at most so many pixels.
WORK_PIXELS: Final = 500_000
_TILE_PX: Final = 128
_TILES_A_SIDE: Final = 3
_RANGE_KERNEL_PX: Final = 15
_INK_BLOCK_PX: Final = 31
_CELLS_A_SIDE: Final = 12
_GAUSS_PEAK: Final = math.sqrt(2 * math.pi)
#: Median of |x| for a normal x of unit deviation, times the norm of the noise kernel.
_NOISE_NORM: Final = 0.6745 * 6.0
_NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_LEAST_PARTS: Final = 12


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured properties of a page.

    Attributes:
        brightness: median gray, 0 to 255; mostly the paper.
        contrast: local range between ink and paper, gray levels, 0 to 255; shadows do not count.
        noise: standard deviation of the grain, gray levels.
        blur_px: deviation of the Gaussian that would spread a sharp edge as the sharpest edges
            here are spread, pixels; about 0.4 to 0.6 for a crisp page.
        tilt_deg: direction of the text lines, clockwise, in [-20, 20]; 0 where unsure.
        unevenness: how much darker the darkest part of the paper is than the lightest, 0 to 1.
        text_px: height of the ink of the larger characters, pixels, about three quarters of a
            line; 0 where no text stands out.
        ink_is_light: whether light text stands on dark ground.
    """

    brightness: float = 255.0
    contrast: float = 255.0
    noise: float = 0.0
    blur_px: float = 0.5
    tilt_deg: float = 0.0
    unevenness: float = 0.0
    text_px: float = 0.0
    ink_is_light: bool = False


def measure(image: RgbImage) -> Quality:
    """Measure a page; its size hardly matters, 10 to 20 ms for any.

    Args:
        image: (H, W, 3) uint8 RGB, any H >= 1 and W >= 1.
    """
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    small, factor = _reduce(gray)
    calm = np.asarray(cv2.medianBlur(small, 3), dtype=np.uint8)
    contrast = _local_contrast(calm)
    ink_is_light = _light_ink(calm, contrast)
    mask = _ink_mask(255 - calm if ink_is_light else calm, contrast)
    tiles = _sample_tiles(gray)
    noise = _noise_sigma(tiles)
    return Quality(
        brightness=_percentile(small, 50),
        contrast=contrast,
        noise=noise,
        blur_px=_edge_spread(tiles, contrast, noise),
        tilt_deg=measure_tilt(mask),
        unevenness=_unevenness(calm, ink_is_light=ink_is_light),
        text_px=_text_height(mask) * factor,
        ink_is_light=ink_is_light,
    )


def _reduce(gray: GrayImage) -> tuple[GrayImage, float]:
    """Give a copy of at most WORK_PIXELS and how many original pixels make one of its."""
    height, width = gray.shape
    factor = math.sqrt(height * width / WORK_PIXELS)
    if factor <= 1:
        return gray, 1.0
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), factor


def _percentile(values: NDArray[np.uint8], percent: float) -> float:
    """Read a percentile of uint8 values off their histogram."""
    counts = np.bincount(values.ravel(), minlength=256).cumsum()
    return float(np.searchsorted(counts, counts[-1] * percent / 100))


def _local_contrast(gray: GrayImage) -> float:
    """Take the range within small windows, at the windows where it is nearly greatest."""
    kernel = np.ones((_RANGE_KERNEL_PX, _RANGE_KERNEL_PX), np.uint8)
    spread = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, kernel)
    return _percentile(np.asarray(spread, dtype=np.uint8), 97)


def _light_ink(gray: GrayImage, contrast: float) -> bool:
    """Compare how much stands out above and below the surroundings; ink is the lesser part."""
    around = cv2.blur(gray, (_INK_BLOCK_PX, _INK_BLOCK_PX))
    above = cv2.subtract(gray, around)
    below = cv2.subtract(around, gray)
    bound = max(8.0, contrast * 0.35)
    light = int(np.count_nonzero(np.asarray(above) > bound))
    dark = int(np.count_nonzero(np.asarray(below) > bound))
    return light > 1.5 * dark and _percentile(gray, 50) < 128


def _ink_mask(gray: GrayImage, contrast: float) -> NDArray[np.uint8]:
    """Mark dark ink: 1 where a pixel is clearly darker than its surroundings, else 0."""
    bound = max(6.0, contrast * 0.2)
    block = _INK_BLOCK_PX
    mask = cv2.adaptiveThreshold(
        gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, bound
    )
    return np.asarray(mask, dtype=np.uint8)


def _sample_tiles(gray: GrayImage) -> list[NDArray[np.float32]]:
    """Cut a grid of tiles at full resolution: reducing would hide grain and blur."""
    height, width = gray.shape
    tall, wide = min(_TILE_PX, height), min(_TILE_PX, width)
    tops = sorted({round(t) for t in np.linspace(0, height - tall, _TILES_A_SIDE)})
    lefts = sorted({round(t) for t in np.linspace(0, width - wide, _TILES_A_SIDE)})
    cut = [gray[top : top + tall, left : left + wide] for top in tops for left in lefts]
    return [tile.astype(np.float32) for tile in cut]


def _noise_sigma(tiles: list[NDArray[np.float32]]) -> float:
    """Estimate grain by the median response to a kernel that is blind to slopes.

    The kernel is Immerkaer's (1996); the median in place of his mean keeps edges of text out.
    """
    answers = [np.abs(cv2.filter2D(tile, cv2.CV_32F, _NOISE_KERNEL)).ravel() for tile in tiles]
    return float(np.median(np.concatenate(answers)) / _NOISE_NORM)


def _edge_spread(tiles: list[NDArray[np.float32]], contrast: float, noise: float) -> float:
    """Compare the steepest slopes with the contrast: a sharp edge takes one pixel for all of it."""
    slopes = []
    for tile in tiles:
        calm = cv2.GaussianBlur(tile, (0, 0), 0.8) if noise > 2 else tile
        across = cv2.filter2D(calm, cv2.CV_32F, np.array([[-0.5, 0, 0.5]], np.float32))
        down = cv2.filter2D(calm, cv2.CV_32F, np.array([[-0.5], [0], [0.5]], np.float32))
        slopes.append(np.hypot(np.asarray(across), np.asarray(down)).ravel())
    steepest = float(np.percentile(np.concatenate(slopes), 99.5))
    if steepest < 1 or contrast < 1:
        return 0.0
    return float(max(contrast, steepest) / (steepest * _GAUSS_PEAK))


def _unevenness(gray: GrayImage, *, ink_is_light: bool) -> float:
    """Compare the paper's gray in a grid of cells; cells full of ink or pictures are left out."""
    height, width = gray.shape
    if min(height, width) < 4 * _CELLS_A_SIDE:
        return 0.0
    paper = 255 - gray if ink_is_light else gray
    rows = np.array_split(paper, _CELLS_A_SIDE, axis=0)
    cells = [cell for row in rows for cell in np.array_split(row, _CELLS_A_SIDE, axis=1)]
    levels = np.sort([_percentile(np.ascontiguousarray(cell), 75) for cell in cells])
    low, high = levels[len(levels) // 20], levels[-len(levels) // 20]
    return float((high - low) / max(high, 1.0))


def _text_height(mask: NDArray[np.uint8]) -> float:
    """Take the height of the larger connected parts of ink that could be characters."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = np.asarray(stats)[1:]
    wide, tall, area = parts[:, 2], parts[:, 3], parts[:, 4]
    fits = (tall >= 4) & (tall <= mask.shape[0] / 4) & (wide < 6 * tall) & (tall < 6 * wide)
    fits &= area > 0.08 * wide * tall
    if np.count_nonzero(fits) < _LEAST_PARTS:
        return 0.0
    return float(np.percentile(tall[fits], 80))
