"""The one way a line of text becomes the recognizer's input, in training and in serving alike.

quad on a page → upright crop (RGB) → strip of the network's height, aspect kept → padded to its
width bucket with mid-grey → float32 in [-1, 1]. A width bucket is a multiple of 64, and only
equal buckets share a batch, so that a line's reading never depends on its neighbours. Networks
from elsewhere may have learned from lines made differently: `Canvas` and `Scaling` say how.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage
from shizi.core.types import Quad

LINE_HEIGHT = 32
BUCKET_WIDTH = 64
MIN_WIDTH = 8
# A line of 3,200 px at height 32 holds about 300 Latin letters; more is squeezed into it.
MAX_WIDTH = 3200
PAD_VALUE = 128


class Scaling(StrEnum):
    """How a crop is brought to the height of a strip.

    `CAREFUL` averages areas when it shrinks, which keeps thin strokes, and keeps edges when it
    enlarges. `BILINEAR` takes the four nearest pixels, and the width rounded down, for networks
    that learned from lines made so.
    """

    CAREFUL = "careful"
    BILINEAR = "bilinear"


@dataclass(frozen=True, slots=True)
class Canvas:
    """The widths a network takes: strips are padded at their right to the next of them.

    Attributes:
        first: the smallest width.
        step: from one width to the next.
        margin: columns that must be left beyond a strip.
        pad: grey of what lies beyond a strip, 0 to 255.
    """

    first: int = BUCKET_WIDTH
    step: int = BUCKET_WIDTH
    margin: int = 0
    pad: int = PAD_VALUE

    def width(self, columns: int) -> int:
        """Give the width a strip of so many columns is padded to."""
        beyond = columns + self.margin - self.first
        return self.first + max(0, math.ceil(beyond / self.step)) * self.step


OUR_CANVAS = Canvas()


def crop_line(image: RgbImage, quad: Quad) -> RgbImage:
    """Cut a quad out of a page, upright, at the page's own resolution.

    Args:
        image: (H, W, 3) or (H, W) uint8.
        quad: in pixels of `image`; parts outside repeat the border.

    Returns:
        (h, w, 3) or (h, w) uint8, h and w the quad's side lengths, at least 1.
    """
    width = max(1, round(quad.width))
    height = max(1, round(quad.height))
    upright = _upright_crop(image, quad)
    if upright is not None:
        return upright
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    # Pixel centres lie at half coordinates: shifting both sides by 0.5 keeps a crop that needs
    # no warp identical to a slice.
    matrix = cv2.getPerspectiveTransform(quad.to_array() - 0.5, target - 0.5)
    warped = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def _upright_crop(image: RgbImage, quad: Quad) -> RgbImage | None:
    """Slice an axis-parallel quad that begins top-left; None where a warp is needed."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.points
    if max(abs(ay - by), abs(bx - cx), abs(cy - dy), abs(dx - ax)) > 0.5 or bx <= ax or dy <= ay:
        return None
    rows, columns = image.shape[:2]
    left, top = max(0, math.floor(ax)), max(0, math.floor(ay))
    right, bottom = min(columns, math.ceil(cx)), min(rows, math.ceil(cy))
    if right - left < 1 or bottom - top < 1:
        return None
    return np.ascontiguousarray(image[top:bottom, left:right])


def line_to_gray(
    crop: RgbImage | GrayImage, height: int = LINE_HEIGHT, scaling: Scaling = Scaling.CAREFUL
) -> GrayImage:
    """Turn an upright crop into a grey strip of the given height, aspect kept.

    Args:
        crop: (h, w, 3) uint8 RGB or (h, w) uint8, any h and w of at least 1.
        height: rows of the strip.
        scaling: how it is brought to that height.

    Returns:
        (height, W) uint8, W in [MIN_WIDTH, MAX_WIDTH].
    """
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return _to_height(np.asarray(gray, np.uint8), height, scaling)


def line_to_rgb(
    crop: RgbImage | GrayImage, height: int, scaling: Scaling = Scaling.CAREFUL
) -> RgbImage:
    """Turn an upright crop into a strip in color; see `line_to_gray`.

    Returns:
        (height, W, 3) uint8.
    """
    color = crop if crop.ndim == 3 else cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB)
    return _to_height(np.asarray(color, np.uint8), height, scaling)


def _to_height(crop: NDArray[np.uint8], height: int, scaling: Scaling) -> NDArray[np.uint8]:
    rows, columns = crop.shape[:2]
    careful = scaling is Scaling.CAREFUL
    wanted = round(columns * height / rows) if careful else columns * height // rows
    width = min(MAX_WIDTH, max(MIN_WIDTH, wanted))
    if (rows, columns) == (height, width):
        return np.ascontiguousarray(crop)
    # Area averaging keeps thin strokes when shrinking; cubic keeps edges when enlarging.
    interpolation = cv2.INTER_AREA if rows > height else cv2.INTER_CUBIC
    if not careful:
        interpolation = cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (width, height), interpolation=interpolation), np.uint8)


def bucket_width(width: int) -> int:
    """Give the width our own networks' strips are padded to: the next multiple of 64."""
    return OUR_CANVAS.width(width)


def strips_to_batch(
    strips: Sequence[GrayImage | RgbImage], canvas: Canvas = OUR_CANVAS
) -> NDArray[np.float32]:
    """Stack strips of one bucket into the network's input.

    Args:
        strips: (H, W) or (H, W, 3) uint8 each, all of the same form, H and width on the canvas.
        canvas: what they are padded to.

    Returns:
        (B, 1, H, width) float32 in [-1, 1], of colored strips (B, 3, H, width) in the order
        blue, green, red; our own canvas is near 0 (mid-grey) beyond a strip.

    Raises:
        ValueError: the strips do not share a bucket.
    """
    widths = {canvas.width(strip.shape[1]) for strip in strips}
    if len(widths) != 1:
        raise ValueError(f"strips of {len(widths)} buckets cannot share a batch")
    height = strips[0].shape[0]
    planes = 1 if strips[0].ndim == 2 else 3
    batch = np.full((len(strips), planes, height, widths.pop()), canvas.pad, dtype=np.uint8)
    for row, strip in zip(batch, strips, strict=True):
        colors = strip[None] if strip.ndim == 2 else strip[:, :, ::-1].transpose(2, 0, 1)
        row[:, :, : strip.shape[1]] = colors
    return batch.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
