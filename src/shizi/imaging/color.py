"""Turn the pixels of any Pillow mode into RGB, a band of rows at a time to spare memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shizi.core.pixels import RgbImage

#: Pixels converted at once: large enough to be fast, small beside the page itself.
BAND_PIXELS: Final = 1 << 18
_DEEP_GRAY_MODES: Final = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_TWELVE_BIT_PEAK: Final = 4095
_TIFF_BITS: Final = 258
_TIFF_PHOTOMETRIC: Final = 262


@dataclass(frozen=True, slots=True)
class Coding:
    """How stored numbers mean light, where the mode alone does not say it.

    Attributes:
        low: stored value of black, for grey of more than 8 bits.
        high: stored value of white; more than `low`.
        inverted: whether the stored values count darkness (or, for CMYK, light).
        measured: whether low and high come from the picture, not from its format.
    """

    low: float = 0.0
    high: float = 255.0
    inverted: bool = False
    measured: bool = False


def coding_of(picture: Image.Image, kind: str) -> Coding:
    """Find out how the stored numbers of a loaded picture mean light.

    Args:
        picture: loaded.
        kind: the format as `sniff` names it.
    """
    if picture.mode == "CMYK":
        # Pillow takes every CMYK JPEG for an inverted one; only Adobe's marker says so.
        return Coding(inverted=kind == "jpeg" and "adobe" not in picture.info)
    if picture.mode not in _DEEP_GRAY_MODES:
        return Coding()
    if kind == "png":
        return Coding(high=65535.0)
    if picture.mode.startswith("I;16"):
        return _sixteen_bit_coding(picture)
    return _measured_coding(np.asarray(picture))


def picture_to_rgb(picture: Image.Image, size: tuple[int, int], coding: Coding) -> RgbImage:
    """Convert a loaded picture to RGB and reduce it.

    Args:
        picture: loaded, of any mode; transparent parts become white.
        size: (width, height) wanted, at most the picture's own.
        coding: from `coding_of`.

    Returns:
        (height, width, 3) uint8 RGB, contiguous.
    """
    width, height = picture.size
    factor = max(1, min(width // size[0], height // size[1]))
    out = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    rows = max(1, BAND_PIXELS // width // factor) * factor
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = _band_to_rgb(picture.crop((0, top, width, bottom)), coding)
        at, until = top // factor, -(-bottom // factor)
        out[at:until] = resize_rgb(band, (out.shape[1], until - at))
    return resize_rgb(out, size)


def resize_rgb(image: RgbImage, size: tuple[int, int]) -> RgbImage:
    """Reduce (H, W, 3) uint8 to (width, height) by averaging areas; itself where it fits."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _sixteen_bit_coding(picture: Image.Image) -> Coding:
    """Take the range from the TIFF's tags; 12-bit scanners fill 16-bit fields from below."""
    tags = getattr(picture, "tag_v2", {})
    bits = int(tags.get(_TIFF_BITS, (16,))[0])
    inverted = tags.get(_TIFF_PHOTOMETRIC) == 0
    if bits == 16 and not inverted and int(np.asarray(picture).max()) <= _TWELVE_BIT_PEAK:
        return Coding(high=float(_TWELVE_BIT_PEAK), measured=True)
    return Coding(high=float((1 << bits) - 1), inverted=inverted)


def _measured_coding(values: NDArray[np.int32] | NDArray[np.float32]) -> Coding:
    """Guess the range of 32-bit values: 0..1, 0..255, or from the least to the greatest."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Coding()
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= 255:
        is_unit = values.dtype.kind == "f" and high <= 1
        return Coding(high=1.0 if is_unit else 255.0)
    return Coding(low, max(high, low + 1.0), measured=True)


def _band_to_rgb(band: Image.Image, coding: Coding) -> RgbImage:
    """Convert a band of rows to (h, w, 3) uint8 RGB."""
    if band.mode in _DEEP_GRAY_MODES:
        return _deep_gray_to_rgb(np.asarray(band), coding)
    if band.mode == "CMYK":
        return _cmyk_to_rgb(np.asarray(band), inverted=coding.inverted)
    if band.mode == "LAB":
        return _lab_to_rgb(np.asarray(band))
    if band.has_transparency_data:
        return over_white(np.asarray(band.convert("RGBA")))
    return np.asarray(band.convert("RGB"), dtype=np.uint8)


def _deep_gray_to_rgb(values: NDArray[np.generic], coding: Coding) -> RgbImage:
    """Scale grey of any depth to 8 bits; not-a-number becomes black."""
    light = (values.astype(np.float64) - coding.low) * (255.0 / (coding.high - coding.low))
    gray = np.nan_to_num(light, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).round()
    eight = gray.astype(np.uint8)
    if coding.inverted:
        eight = 255 - eight
    return np.repeat(eight[:, :, None], 3, axis=2)


def _cmyk_to_rgb(ink: NDArray[np.uint8], *, inverted: bool) -> RgbImage:
    """Multiply what each ink lets through; exact color is no concern of reading."""
    through = (ink if inverted else 255 - ink).astype(np.uint16)
    return ((through[:, :, :3] * through[:, :, 3:] + 127) // 255).astype(np.uint8)


def _lab_to_rgb(lab: NDArray[np.uint8]) -> RgbImage:
    """Convert CIELab; Pillow hands a and b out as signed bytes, OpenCV wants them offset by 128."""
    offset = lab ^ np.array([0, 128, 128], np.uint8)
    return np.asarray(cv2.cvtColor(offset, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def over_white(rgba: NDArray[np.uint8]) -> RgbImage:
    """Lay (h, w, 4) straight alpha over white paper."""
    alpha = rgba[:, :, 3:].astype(np.uint16)
    mixed = rgba[:, :, :3].astype(np.uint16) * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
