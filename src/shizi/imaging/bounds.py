"""What one input may cost: its limits in bytes, pixels and pages, and the budget of a page."""

from __future__ import annotations

import math
from typing import Final

from shizi.core.errors import OptionError, TooLarge
from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Notice

#: OpenCV's warps refuse a side of 32,767 pixels or more, so no page leaves decoding with one.
MAX_SIDE_PX: Final = 32_000
_DPI_RANGE: Final = (10, 2400)


def check_bytes(data: bytes, limits: Limits) -> None:
    """Refuse encoded data over the limit.

    Raises:
        TooLarge: more than limits.max_bytes.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge("max_bytes", limits.max_bytes, len(data))


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse a page whose header announces more pixels than the limit.

    Raises:
        TooLarge: width x height is more than limits.max_pixels.
    """
    if width * height > limits.max_pixels:
        raise TooLarge("max_pixels", limits.max_pixels, width * height)


def check_options(options: DecodeOptions) -> None:
    """Refuse values that make no sense for any document.

    Raises:
        OptionError: names the option and what it may be.
    """
    low, high = _DPI_RANGE
    if not low <= options.pdf_dpi <= high:
        raise OptionError(f"pdf_dpi is {options.pdf_dpi}; it goes from {low} to {high}")
    if options.page_pixels < 1:
        raise OptionError(f"page_pixels is {options.page_pixels}; it is at least 1")
    if options.first_page < 1:
        raise OptionError(f"first_page is {options.first_page}; pages are counted from 1")
    if options.last_page is not None and options.last_page < options.first_page:
        raise OptionError(
            f"last_page is {options.last_page} and first_page is {options.first_page}"
        )


def select_pages(total: int, options: DecodeOptions, limits: Limits) -> range:
    """Choose the pages to read.

    Args:
        total: pages the document has, at least 1; where counting stops early, at least one more
            than may be read.
        options: first_page and last_page; a last_page past the end means the end.
        limits: max_pages holds for the pages read, not for those in the document.

    Returns:
        1-based page numbers.

    Raises:
        OptionError: the document ends before first_page.
        TooLarge: more pages than limits.max_pages.
    """
    if options.first_page > total:
        raise OptionError(f"first_page is {options.first_page} and the number of pages is {total}")
    last = total if options.last_page is None else min(options.last_page, total)
    wanted = range(options.first_page, last + 1)
    if len(wanted) > limits.max_pages:
        raise TooLarge("max_pages", limits.max_pages, len(wanted))
    return wanted


def fit_size(width: float, height: float, max_pixels: int) -> tuple[int, int]:
    """Shrink a size to a budget of pixels and to sides OpenCV can warp, keeping its shape.

    Args:
        width: > 0, pixels.
        height: > 0, pixels.
        max_pixels: budget for the product, >= 1.

    Returns:
        Whole pixels, each side at least 1, the product at most `max_pixels`; the size itself,
        rounded up, where it fits.
    """
    whole = max(1, math.ceil(width)), max(1, math.ceil(height))
    if whole[0] * whole[1] <= max_pixels and max(whole) <= MAX_SIDE_PX:
        return whole
    by_area = math.sqrt(max_pixels) / math.sqrt(width) / math.sqrt(height)
    ratio = min(1.0, by_area, MAX_SIDE_PX / width, MAX_SIDE_PX / height)
    fitted_height = max(1, int(height * ratio))
    fitted_width = max(1, min(int(width * ratio), max_pixels // fitted_height))
    return fitted_width, max(1, min(fitted_height, max_pixels // fitted_width))


def downscaled(page: int, size: tuple[int, int], fitted: tuple[int, int]) -> tuple[Notice, ...]:
    """Tell that a page was reduced; nothing where both sizes are the same."""
    if size == fitted:
        return ()
    detail = f"reduced from {size[0]} x {size[1]} to {fitted[0]} x {fitted[1]} pixels"
    return (Notice("downscaled", detail, page),)
