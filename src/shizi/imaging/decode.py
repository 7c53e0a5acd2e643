"""Bytes to pages: the door through which every picture and document enters."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from shizi.core.errors import InputError, UnsupportedFormat
from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Page
from shizi.imaging.bounds import check_bytes, check_options
from shizi.imaging.pdf import pdf_pages
from shizi.imaging.pictures import picture_pages
from shizi.imaging.sniff import describe_foreign, sniff

__all__ = ["open_document", "sniff"]

_OPTIONS: Final = DecodeOptions()
_LIMITS: Final = Limits()


def open_document(
    data: bytes, options: DecodeOptions = _OPTIONS, limits: Limits = _LIMITS
) -> Generator[Page, None, None]:
    """Decode a picture or document page by page.

    Nothing happens before the first page is asked for, and a page is decoded only when it is
    asked for. Closing the iterator releases the document.

    Args:
        data: the encoded file; its format is told from its content.
        options: how to decode.
        limits: bytes, pixels and pages it may have; checked on headers, before pixel memory is
            taken.

    Yields:
        Upright pages, image (H, W, 3) uint8 RGB of at most options.page_pixels pixels. What was
        reduced, scaled or left out is told in the notices of the page.

    Raises:
        InputError: one of its leaves; before the first page where the whole input is at fault,
            at its turn where a page is.
        OptionError: an option has an impossible value, or the document ends before first_page.
    """
    check_options(options)
    if not data:
        raise InputError("the input is empty")
    check_bytes(data, limits)
    kind = sniff(data)
    if kind is None:
        raise UnsupportedFormat(
            f"no picture or document of a known format: {describe_foreign(data)}"
        )
    if kind == "pdf":
        yield from pdf_pages(data, options, limits)
    else:
        yield from picture_pages(data, kind, options, limits)
