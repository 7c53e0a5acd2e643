"""Tell a format by its first bytes; a file's name or declared type is never asked."""

from __future__ import annotations

import struct
from typing import Final

#: How far into the data a PDF header may stand; readers have always accepted junk before it.
PDF_HEADER_WINDOW_BYTES: Final = 1024

_MAGIC: Final = (
    ("jpeg", b"\xff\xd8\xff"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("gif", b"GIF87a"),
    ("gif", b"GIF89a"),
    ("tiff", b"II*\x00"),
    ("tiff", b"MM\x00*"),
    ("tiff", b"II+\x00"),
    ("tiff", b"MM\x00+"),
)
_BMP_HEADER_BYTES: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
)
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript document"),
    (b"AT&TFORM", "a DjVu document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"{\\rtf", "an RTF document"),
    (b"<", "markup such as HTML or SVG"),
)


def sniff(data: bytes) -> str | None:
    """Name the format of encoded data.

    Args:
        data: the whole input or at least its first 1,024 bytes.

    Returns:
        "jpeg", "png", "bmp", "gif", "webp", "tiff", "avif", "heic" or "pdf"; None where it is
        none of them. The name promises the first bytes only, the rest may still be damaged.
    """
    for name, magic in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if _is_bmp(data):
        return "bmp"
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    if b"%PDF-" in data[:PDF_HEADER_WINDOW_BYTES]:
        return "pdf"
    return None


def describe_foreign(data: bytes) -> str:
    """Say in a few words what data of no known format looks like; never quotes it."""
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            return f"it looks like {name}"
    return "its first bytes belong to no known format"


def webp_canvas(data: bytes) -> tuple[int, int] | None:
    """Read (width, height) in pixels from a WebP header, before a decoder takes the canvas.

    Returns:
        None where the header is cut short or of an unknown kind.
    """
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height
    if chunk == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None


def count_directories(data: bytes, most: int) -> tuple[int, bool]:
    """Count the pages of a TIFF by walking its chain of directories; no page is opened.

    Args:
        data: a whole TIFF or BigTIFF.
        most: the walk ends after so many pages, however long the chain is.

    Returns:
        The pages found, and whether the chain runs in a circle or out of the data.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    head, count, entry_bytes, link = (8, "Q", 20, "Q") if big else (4, "H", 12, "I")
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + link, data, head)
        while at and len(seen) < most:
            (entries,) = struct.unpack_from(order + count, data, at)
            if at in seen:
                return len(seen), True
            seen.add(at)
            past = at + struct.calcsize("=" + count) + entries * entry_bytes
            (at,) = struct.unpack_from(order + link, data, past)
    except (struct.error, OverflowError):
        return len(seen), True
    return len(seen), False


def _is_bmp(data: bytes) -> bool:
    """Ask for a known length of the second header too: many a text begins with "BM"."""
    if data[:2] != b"BM" or len(data) < 18:
        return False
    return int.from_bytes(data[14:18], "little") in _BMP_HEADER_BYTES


def _sniff_brands(data: bytes) -> str | None:
    """Choose between AVIF and HEIC by the brands of the first box of an ISO media file."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[at : at + 4] for at in (8, *range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & _HEIC_BRANDS else None
