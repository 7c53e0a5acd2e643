"""Pages drawn for the tests: words of box-like strokes, whose truth is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import RgbImage


def draw_page(
    width: int = 800, height: int = 1000, text_px: int = 20, *, seed: int = 1
) -> RgbImage:
    """Draw black lines of capital letters on white paper; letters are `text_px` high."""
    rng = np.random.default_rng(seed)
    page = np.full((height, width, 3), 255, np.uint8)
    letters = "ABDEFHKLMNPRSTUVXZ0123456789"
    size = text_px / 21.0
    for base in range(60 + text_px, height - 40, round(text_px * 2.2)):
        words = ["".join(rng.choice(list(letters), rng.integers(2, 9))) for _ in range(30)]
        line, left = "", 50
        for word in words:
            (wide, _), _ = cv2.getTextSize(line + word, cv2.FONT_HERSHEY_SIMPLEX, size, 2)
            if left + wide > width - 50:
                break
            line += word + " "
        cv2.putText(
            page, line, (left, base), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 2, cv2.LINE_AA
        )
    return page


def turn_page(page: RgbImage, angle_deg: float) -> RgbImage:
    """Turn the content clockwise about the middle, on a page as large, on white."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle_deg, 1.0)
    turned = cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255))
    return np.asarray(turned, dtype=np.uint8)


def shade(page: RgbImage, darkest: float) -> RgbImage:
    """Let the light fall off from full at the left edge to `darkest` at the right."""
    light = np.linspace(1.0, darkest, page.shape[1])[None, :, None]
    return (page * light).round().astype(np.uint8)


def grain(page: RgbImage, sigma: float, *, seed: int = 2) -> RgbImage:
    noise: NDArray[np.float64] = np.random.default_rng(seed).normal(0, sigma, page.shape[:2])
    return (page + noise[:, :, None]).clip(0, 255).round().astype(np.uint8)
