"""Small pictures in every format, and what decoding them gives."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Page
from shizi.imaging.decode import open_document

WIDTH, HEIGHT = 90, 60


def scene() -> NDArray[np.uint8]:
    """A soft color gradient with a dark block in the upper left: survives lossy formats."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = np.stack([120 + x, 200 - y, 90 + (x + y) // 2], axis=2)
    rgb[5:20, 5:40] = (20, 40, 60)
    return rgb.astype(np.uint8)


def encode(picture: Image.Image | NDArray[Any], kind: str, **options: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    sink = io.BytesIO()
    image.save(sink, kind, **options)  # type: ignore[arg-type]
    return sink.getvalue()


def one(data: bytes, options: DecodeOptions | None = None, limits: Limits | None = None) -> Page:
    (page,) = open_document(data, options or DecodeOptions(), limits or Limits())
    return page


def difference(page: Page, wanted: NDArray[np.uint8]) -> float:
    assert page.image.shape == wanted.shape
    assert page.image.dtype == np.uint8
    assert page.image.flags.c_contiguous
    return float(np.abs(page.image.astype(int) - wanted.astype(int)).mean())


def png(header: bytes, rows: bytes) -> bytes:
    """Put a PNG together by hand."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        parts.append(struct.pack(">I", len(body)) + name + body)
        parts.append(struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(parts)


def tiff_directories(data: bytes) -> list[int]:
    found, (at,) = [], struct.unpack_from("<I", data, 4)
    while at:
        found.append(at)
        entries = struct.unpack_from("<H", data, at)[0]
        (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    return found
