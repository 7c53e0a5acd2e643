"""Input files, and what the formats that show their pages take of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from shizi.core.errors import FileAccessError, InputError, TooLarge
from shizi.core.options import Limits, ReadOptions
from shizi.formats import PdfSource, PictureSource


def read_standard_input(limits: Limits) -> bytes:
    """Read standard input to its end, but never more than the limit.

    Raises:
        TooLarge: there is more.
        InputError: there is nothing.
    """
    data = _bounded(sys.stdin.buffer, limits.max_bytes)
    if not data:
        raise InputError("standard input is empty")
    return data


def read_file(path: str, limits: Limits) -> bytes:
    """Read a file, but never one over the limit.

    Raises:
        FileAccessError: it cannot be read.
        TooLarge: it has more bytes than the limit.
    """
    try:
        with Path(path).open("rb") as file:
            return _bounded(file, limits.max_bytes)
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read: {error.strerror}") from error


def make_source(data: bytes, options: ReadOptions) -> PdfSource | PictureSource:
    """Give what a format shows of a file.

    Args:
        data: the whole file.
        options: it is read with.
    """
    # Decoders take a tenth of a second to load; only formats that show pages pay for them.
    from shizi.imaging.embedding import embed_picture  # noqa: PLC0415
    from shizi.imaging.sniff import sniff  # noqa: PLC0415

    if sniff(data) == "pdf":
        return PdfSource(data, options.decode.password)
    return PictureSource(lambda number: embed_picture(data, number, options.limits))


def _bounded(file: BinaryIO, max_bytes: int) -> bytes:
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge("max_bytes", max_bytes, len(data))
    return data
