"""Cuts the empty rows above and below the text of a line crop.

Detectors draw boxes of small text up to twice as high as its ink. A strip has few rows, and
each empty one is taken from the letters.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage

# Rows at least this fraction as busy as the busiest ones hold text.
_BUSY = 0.12
# Gaps inside a line, as below the dot of an i, are at most this part of the crop's height.
_GAP = 0.12
# Standard deviations that a row of nothing but grain may stray upwards.
_STRAY = 4.0
# Median of the absolute value of a normal variable, in standard deviations.
_MEDIAN_OF_NORMAL = 0.6745
# What is left around the ink, in heights of the ink.
_MARGIN = 0.12
# Never cut below this part of the crop: a line of small letters alone must keep its air, which
# tells them from capitals.
_LEAST = 0.5
# Crops lower than this have nothing to give away.
_LOWEST_PX = 8


def text_rows(crop: RgbImage | GrayImage) -> tuple[int, int]:
    """Find the rows of a line crop that hold its text.

    Args:
        crop: (H, W, 3) or (H, W) uint8, one upright line; its text lies around the middle.

    Returns:
        First row and row after the last, a margin included; all rows where nothing stands out.
    """
    rows = crop.shape[0]
    if rows < _LOWEST_PX:
        return 0, rows
    profile = _busyness(crop)
    top, bottom = _main_run(profile > _BUSY * float(np.percentile(profile, 90)), rows)
    margin = _MARGIN * (bottom - top)
    top, bottom = max(0, round(top - margin)), min(rows, round(bottom + margin))
    missing = _LEAST * rows - (bottom - top)
    if missing > 0:
        top = max(0, min(round(top - missing / 2), rows - round(_LEAST * rows)))
        bottom = min(rows, top + round(_LEAST * rows))
    return top, bottom


def _busyness(crop: RgbImage | GrayImage) -> NDArray[np.float32]:
    """Measure how much changes from left to right in each row, above the noise of quiet rows.

    Rulings above and below a line run along it and change nothing; strokes do.
    """
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    steps = np.abs(np.diff(np.asarray(gray, dtype=np.int16), axis=1)).astype(np.float32)
    if steps.shape[1] == 0:
        return np.zeros(crop.shape[0], dtype=np.float32)
    # Squares let strokes outweigh the many small steps of grain.
    profile = np.square(steps).mean(axis=1)
    # Most steps are paper's: their median tells the grain. A row of nothing else strays about
    # its mean, the more the fewer columns it has.
    variance = (float(np.median(steps)) / _MEDIAN_OF_NORMAL) ** 2
    quiet = variance * (1 + _STRAY * (3 / steps.shape[1]) ** 0.5)
    return np.asarray(np.sqrt(np.maximum(0, profile - quiet)), np.float32)


def _main_run(busy: NDArray[np.bool_], rows: int) -> tuple[int, int]:
    """Choose the run of busy rows, short gaps bridged, that holds most busy rows."""
    places = np.flatnonzero(busy)
    if len(places) == 0:
        return 0, rows
    breaks = np.flatnonzero(np.diff(places) > max(1.0, _GAP * rows))
    runs = np.split(places, breaks + 1)
    main = max(runs, key=len)
    return int(main[0]), int(main[-1]) + 1
