"""Pictures that are already arrays: brought to the form every page has."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import UnsupportedFormat
from shizi.core.options import DecodeOptions, Limits
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame, Page
from shizi.imaging.bounds import check_pixels, downscaled, fit_size
from shizi.imaging.color import over_white, resize_rgb


def array_to_page(array: NDArray[Any], options: DecodeOptions, limits: Limits) -> Page:
    """Take an array as a page.

    Args:
        array: uint8; (H, W) or (H, W, 1) grey, (H, W, 3) RGB or (H, W, 4) RGBA whose transparent
            parts become white. OpenCV's BGR must be turned by the caller: nobody can see it.
        options: page_pixels is the budget the page is reduced to.
        limits: max_pixels.

    Raises:
        UnsupportedFormat: another shape or dtype, or no pixels.
        TooLarge: more pixels than the limit.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape:
        raise UnsupportedFormat(_complaint(array))
    check_pixels(array.shape[1], array.shape[0], limits)
    image = _to_rgb(array)
    size = (array.shape[1], array.shape[0])
    fitted = fit_size(*size, options.page_pixels)
    frame = Frame.scaling(size[0] / fitted[0], size[1] / fitted[1])
    return Page(resize_rgb(image, fitted), 1, frame, size, downscaled(1, size, fitted))


def _to_rgb(array: NDArray[np.uint8]) -> RgbImage:
    planes = 1 if array.ndim == 2 else array.shape[2]
    if planes == 1:
        gray = np.ascontiguousarray(array.reshape(array.shape[:2]))
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    if planes == 3:
        return np.ascontiguousarray(array)
    if planes == 4:
        return over_white(array)
    raise UnsupportedFormat(_complaint(array))


def _complaint(array: NDArray[Any]) -> str:
    return (
        f"an array of shape {array.shape} and dtype {array.dtype} is no picture; "
        "give (H, W), (H, W, 3) RGB or (H, W, 4) RGBA in uint8"
    )
