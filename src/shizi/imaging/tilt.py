"""The tilt of a page, from how sharply its ink falls into lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_TILT_DEG: Final = 20.0
_COARSE_STEP_DEG: Final = 1.0
_FINE_STEPS_DEG: Final = (0.25, 0.05)
#: The coarse search counts ink in squares of so many pixels, the fine one in smaller ones.
_COARSE_SQUARE_PX: Final = 3
_FINE_SQUARE_PX: Final = 2
_LEAST_INK_PX: Final = 300
#: The best angle must gather ink into lines so much better than the middling one. Real pages
#: give 5 to 60, a solid disc 2.7.
_SURE_RATIO: Final = 3.0


@dataclass(frozen=True, slots=True)
class _Ink:
    """Places of ink: (N,) float32 each, in squares, and (N,) float32 shares of ink."""

    xs: NDArray[np.float32]
    ys: NDArray[np.float32]
    shares: NDArray[np.float32]

    def turned(self) -> _Ink:
        """Lay columns down as lines; angles keep their meaning."""
        return _Ink(self.ys, -self.xs, self.shares)


def measure_tilt(mask: NDArray[np.uint8]) -> float:
    """Find the direction of the text lines.

    Args:
        mask: (H, W) uint8, 1 where there is ink, else 0.

    Returns:
        Degrees clockwise, within MAX_TILT_DEG; 0 where no angle stands out. Columns of vertical
        text tell the tilt as lines do.
    """
    if int(np.count_nonzero(mask)) < _LEAST_INK_PX:
        return 0.0
    rough = _gather(mask, _COARSE_SQUARE_PX)
    by_lines, by_columns = _coarse_angle(rough), _coarse_angle(rough.turned())
    angle, sureness = max(by_lines, by_columns, key=lambda pair: pair[1])
    if sureness < _SURE_RATIO or abs(angle) >= MAX_TILT_DEG:
        return 0.0
    fine = _gather(mask, _FINE_SQUARE_PX)
    return _refine(fine if by_lines[1] >= by_columns[1] else fine.turned(), angle)


def _gather(mask: NDArray[np.uint8], square_px: int) -> _Ink:
    """Count ink in squares; dropping single pixels instead would drown the lines in chance."""
    size = max(1, mask.shape[1] // square_px), max(1, mask.shape[0] // square_px)
    shares = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    ys, xs = np.nonzero(shares)
    picked = np.asarray(shares[ys, xs], dtype=np.float32)
    return _Ink(xs.astype(np.float32), ys.astype(np.float32), picked)


def _coarse_angle(ink: _Ink) -> tuple[float, float]:
    """Try whole degrees; give the best and its score over the middling score."""
    count = round(2 * MAX_TILT_DEG / _COARSE_STEP_DEG) + 1
    angles = np.linspace(-MAX_TILT_DEG, MAX_TILT_DEG, count)
    scores = [_line_score(ink, angle) for angle in angles]
    best = int(np.argmax(scores))
    return float(angles[best]), scores[best] / max(float(np.median(scores)), 1e-9)


def _refine(ink: _Ink, angle: float) -> float:
    """Search around an angle in smaller and smaller steps."""
    width = _COARSE_STEP_DEG
    for step in _FINE_STEPS_DEG:
        near = np.arange(angle - width, angle + width + step / 2, step)
        scores = [_line_score(ink, candidate) for candidate in near]
        angle, width = float(near[int(np.argmax(scores))]), step
    return round(angle, 3) + 0.0


def _line_score(ink: _Ink, angle_deg: float) -> float:
    """Project ink across a direction and add up the squared steps of the profile."""
    angle = math.radians(angle_deg)
    across = ink.ys * math.cos(angle) - ink.xs * math.sin(angle)
    bins = (across - across.min()).astype(np.int64)
    return float(np.square(np.diff(np.bincount(bins, weights=ink.shares))).sum())
