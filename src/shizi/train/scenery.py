"""What a page of text lies among: pictures, barcodes and tables that are no text themselves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import RgbImage

_Plane = NDArray[np.float32]
# How often what is put on a page is a barcode, and how often a matrix of squares.
_BARCODE, _MATRIX = 0.35, 0.2


def add_pictures(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    """Put one to three pictures or codes over a page, text below them or not.

    Args:
        image: (H, W, 3) uint8 RGB, at least 24 pixels a side; not changed.
        rng: decides everything.
    """
    page = image.copy()
    rows, columns = page.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        high = min(rows - 1, int(rng.integers(20, max(21, rows // 3))))
        wide = min(columns - 1, int(rng.integers(20, max(21, columns // 2))))
        top, left = int(rng.integers(0, rows - high)), int(rng.integers(0, columns - wide))
        page[top : top + high, left : left + wide] = _picture(high, wide, rng)
    return page


def lay_on_table(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    """Show a page on a surface that is up to a third larger, turned by a few degrees."""
    rows, columns = image.shape[:2]
    high, wide = int(rows * rng.uniform(1, 1.3)), int(columns * rng.uniform(1, 1.3))
    surface = texture(high, wide, rng)
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(rng.normal(0, 3)), 1.0)
    turn[:, 2] += np.array([(wide - columns) / 2, (high - rows) / 2])
    cv2.warpAffine(
        image,
        turn,
        (wide, high),
        surface,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    return surface


def texture(rows: int, columns: int, rng: np.random.Generator) -> RgbImage:
    """Give a colored surface: clouds, stripes, one tone, or shapes; (rows, columns, 3) uint8."""
    makers = (_clouds, _stripes, _tone, _shapes)
    plane = makers[int(rng.integers(0, len(makers)))](rows, columns, rng)
    colored = np.clip(plane[..., None] * rng.uniform(0.7, 1.2, 3), 0, 255)
    grain = rng.normal(0, rng.uniform(0, 8), (rows, columns, 1))
    return np.asarray(np.clip(colored + grain, 0, 255), np.uint8)


def _picture(rows: int, columns: int, rng: np.random.Generator) -> RgbImage:
    kind = rng.random()
    if kind < _BARCODE:
        bars = np.repeat(_bits((columns // 2 + 1,), rng), 2)[:columns]
        return np.broadcast_to(bars[None, :, None], (rows, columns, 3)).copy()
    if kind < _BARCODE + _MATRIX:
        side = int(rng.integers(2, 6))
        bits = _bits((rows // side + 1, columns // side + 1), rng)
        squares = np.kron(bits, np.ones((side, side), np.uint8))[:rows, :columns]
        return np.repeat(squares[..., None], 3, axis=2)
    return texture(rows, columns, rng)


def _bits(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give black and white by chance."""
    return np.asarray((rng.random(shape) < 0.5) * 255, np.uint8)


def _clouds(rows: int, columns: int, rng: np.random.Generator) -> _Plane:
    size = max(2, rows // int(rng.integers(8, 60))), max(2, columns // int(rng.integers(8, 60)))
    small = rng.normal(0, 1, size).astype(np.float32)
    large = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(rng.uniform(40, 220) + large * rng.uniform(5, 40), np.float32)


def _stripes(rows: int, columns: int, rng: np.random.Generator) -> _Plane:
    way = rng.uniform(0, np.pi)
    along = np.arange(columns)[None] * np.cos(way) + np.arange(rows)[:, None] * np.sin(way)
    waves = np.sin(along / rng.uniform(1, 12))
    return np.asarray(rng.uniform(60, 200) + rng.uniform(10, 60) * waves, np.float32)


def _tone(rows: int, columns: int, rng: np.random.Generator) -> _Plane:
    return np.full((rows, columns), rng.uniform(0, 255), np.float32)


def _shapes(rows: int, columns: int, rng: np.random.Generator) -> _Plane:
    """Draw circles and lines, as in drawings and logos."""
    plane = _tone(rows, columns, rng)
    for _ in range(int(rng.integers(3, 25))):
        start = int(rng.integers(0, columns)), int(rng.integers(0, rows))
        shade = float(rng.integers(0, 256))
        if rng.random() < 0.5:
            width = -1 if rng.random() < 0.5 else int(rng.integers(1, 5))
            cv2.circle(plane, start, int(rng.integers(2, max(3, rows // 2))), shade, width)
        else:
            end = int(rng.integers(0, columns)), int(rng.integers(0, rows))
            cv2.line(plane, start, end, shade, int(rng.integers(1, 6)))
    return plane
