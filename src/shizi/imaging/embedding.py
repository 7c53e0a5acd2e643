"""A picture as a document can hold it: its own bytes where that is possible.

JPEG files, and PNG files of plain kinds, are handed on as they are. Anything else is decoded as it
is for reading, and encoded again: without loss where it was stored without, as JPEG else.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Final

import numpy as np
from PIL import Image, JpegImagePlugin

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.errors import CorruptImage, InputError
from shizi.core.options import DecodeOptions, Limits
from shizi.core.pixels import RgbImage
from shizi.imaging.decode import open_document
from shizi.imaging.sniff import sniff

_LOSSY: Final = frozenset({"webp", "avif", "heic"})
_QUALITY: Final = 92
_ORIENTATION_TAG: Final = 0x0112
_CHANNELS: Final = {"L": 1, "RGB": 3, "CMYK": 4}
#: Of PNG's color types: grey, RGB, palette.
_PLAIN: Final = {0: 1, 2: 3, 3: 1}
_METERS_PER_INCH: Final = 0.0254


def embed_picture(data: bytes, number: int, limits: Limits) -> EncodedPicture:
    """Give a page of a picture file, encoded.

    Args:
        data: the whole file; no PDF.
        number: of the page, from 1.
        limits: what it may cost where it must be decoded.

    Raises:
        InputError: it cannot be read, or has no such page.
    """
    kind = sniff(data)
    plain = None
    if kind == "jpeg":
        plain = _jpeg(data)
    elif kind == "png":
        plain = _png(data)
    if plain is not None:
        return plain
    options = DecodeOptions(page_pixels=limits.max_pixels, first_page=number, last_page=number)
    with closing(open_document(data, options, limits)) as pages:
        page = next(pages, None)
    if page is None:
        raise InputError(f"the file has no page {number}")
    return _encoded(page.image, lossy=kind in _LOSSY, dpi=_dpi(data))


def _jpeg(data: bytes) -> EncodedPicture | None:
    """Describe a JPEG file; None for kinds that a PDF cannot hold."""
    try:
        picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        orientation = picture.getexif().get(_ORIENTATION_TAG, 1)
    except Exception as error:  # decoders raise anything at all on damaged data
        raise CorruptImage("the jpeg picture cannot be decoded") from error
    if picture.mode not in _CHANNELS:
        return None
    upright = not (isinstance(orientation, int) and 1 <= orientation <= 8)
    return EncodedPicture(
        data=data,
        coding=Coding.JPEG,
        size=picture.size,
        channels=_CHANNELS[picture.mode],
        inverted=picture.mode == "CMYK" and "adobe" in picture.info,
        orientation=1 if upright else orientation,
        dpi=_sound_dpi(picture.info.get("dpi")),
    )


def _png(data: bytes) -> EncodedPicture | None:
    """Take the compressed rows out of a PNG file; None where it is not of a plain kind."""
    chunks: dict[bytes, list[bytes]] = {}
    for name, content in _png_chunks(data):
        chunks.setdefault(name, []).append(content)
    head = chunks.get(b"IHDR", [b""])[0]
    if len(head) != 13 or b"tRNS" in chunks or b"eXIf" in chunks or b"acTL" in chunks:
        return None
    width, height, bits, color, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if color not in _PLAIN or bits > 8 or interlaced:
        return None
    palette = chunks.get(b"PLTE", [b""])[0] if color == 3 else b""
    if color == 3 and not palette:
        return None
    return EncodedPicture(
        data=b"".join(chunks.get(b"IDAT", [])),
        coding=Coding.PNG,
        size=(width, height),
        channels=_PLAIN[color],
        bits=bits,
        palette=palette,
        dpi=_png_dpi(chunks.get(b"pHYs", [b""])[0]),
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _png_dpi(physical: bytes) -> tuple[float, float] | None:
    if len(physical) != 9 or physical[8] != 1:
        return None
    x, y = struct.unpack(">II", physical[:8])
    return _sound_dpi((x * _METERS_PER_INCH, y * _METERS_PER_INCH))


def _dpi(data: bytes) -> tuple[float, float] | None:
    """Ask a file for its resolution; a damaged answer counts as none."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _sound_dpi(picture.info.get("dpi"))
    except Exception:  # noqa: BLE001  its pixels were read; only their size on paper is not known
        return None


def _sound_dpi(dpi: object) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if x > 0 and y > 0 else None


def _encoded(image: RgbImage, *, lossy: bool, dpi: tuple[float, float] | None) -> EncodedPicture:
    """Encode upright pixels, (H, W, 3) uint8 RGB."""
    picture = Image.fromarray(image)
    if lossy:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=_QUALITY)
        height, width, _ = image.shape
        return EncodedPicture(out.getvalue(), Coding.JPEG, (width, height), 3, dpi=dpi)
    out = io.BytesIO()
    _narrowed(picture, image).save(out, "PNG")
    encoded = _png(out.getvalue())
    if encoded is None:
        raise AssertionError("Pillow writes PNG files of plain kinds")
    return replace(encoded, dpi=dpi)


def _narrowed(picture: Image.Image, image: RgbImage) -> Image.Image:
    """Store grey as grey, and black and white in a bit."""
    red = image[..., 0]
    if not (np.array_equal(red, image[..., 1]) and np.array_equal(red, image[..., 2])):
        return picture
    gray = Image.fromarray(np.ascontiguousarray(red))
    return gray.convert("1", dither=Image.Dither.NONE) if np.isin(red, (0, 255)).all() else gray
