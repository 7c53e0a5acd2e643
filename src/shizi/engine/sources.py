"""Files that are read, within their limit, and what the formats that show pages take of them."""

from __future__ import annotations

import os

from shizi.core.errors import FileAccessError, TooLarge
from shizi.core.options import Limits, ReadOptions
from shizi.formats import PdfSource, PictureSource


def read_file(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """Read a file, but never one over the limit.

    What reads file after file names them by texts: `Path` may intern each part of a name.

    Raises:
        FileAccessError: it cannot be read.
        TooLarge: it has more bytes than the limit.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - see above
            size = os.fstat(file.fileno()).st_size
            if size > limits.max_bytes:
                raise TooLarge("max_bytes", limits.max_bytes, size)
            # A pipe or device has no size to ask for: one byte too many tells.
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read: {error.strerror}") from error
    return data


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
