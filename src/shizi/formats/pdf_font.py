"""The font of text that is searched and copied but not seen.

Each character that is used gets a number (CID) of its own, and a table (ToUnicode) says which
character it is: so any character copies as itself, those beyond the first 65,536 included, and no
real font need be at hand. The glyphs are two boxes, a wide one and one half as wide. Nothing draws
them, but readers take from them where a character stands: glyphs without any outline would have no
height, and PDFium leaves such text out where it runs from top to bottom.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from typing import Final

EM: Final = 1000
#: How far the boxes reach above and below the baseline, in thousandths of an em.
ASCENT: Final = 800
DESCENT: Final = -200
NARROW: Final = 500
WIDE: Final = EM
#: Codes have two bytes, and the first is that of no character.
MOST: Final = 0xFFFF
_REPLACEMENT: Final = "\ufffd"
#: A block of a ToUnicode table has at most so many entries.
_BLOCK: Final = 100
_TABLE_HEAD: Final = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange"""
_TABLE_FOOT: Final = """endcmap
CMapName currentdict /CMap defineresource pop
end
end"""


def advance(character: str) -> int:
    """Tell how far a character moves on, in thousandths of an em."""
    return WIDE if unicodedata.east_asian_width(character) in "WF" else NARROW


class Glyphs:
    """The characters of one document, numbered from 1 as they come."""

    def __init__(self) -> None:
        self._cids: dict[str, int] = {}

    def encode(self, text: str) -> bytes:
        """Give the codes of a text, two bytes a character.

        Half a surrogate pair, and what comes after 65,535 different characters, is U+FFFD.
        """
        return b"".join(struct.pack(">H", self._number(character)) for character in text)

    def _number(self, character: str) -> int:
        if 0xD800 <= ord(character) <= 0xDFFF or self._is_full(character):
            character = _REPLACEMENT
        return self._cids.setdefault(character, len(self._cids) + 1)

    def _is_full(self, character: str) -> bool:
        # The last number is kept for U+FFFD.
        return len(self._cids) >= MOST - 1 and character not in self._cids

    def widths(self) -> list[int]:
        """Give the advance of each character from number 1 on."""
        return [advance(character) for character in self._cids]

    def outlines(self) -> bytes:
        """Give the glyph of each number from 0 on, two bytes each (CIDToGIDMap)."""
        chosen = [0, *(1 if width == NARROW else 2 for width in self.widths())]
        return struct.pack(f">{len(chosen)}H", *chosen)

    def to_unicode(self) -> bytes:
        """Give the table that says which character each number is."""
        return "\n".join([_TABLE_HEAD, *self._blocks(), _TABLE_FOOT]).encode("ascii")

    def _blocks(self) -> Iterator[str]:
        entries = [
            f"<{number:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for character, number in self._cids.items()
        ]
        for first in range(0, len(entries), _BLOCK):
            block = entries[first : first + _BLOCK]
            yield f"{len(block)} beginbfchar"
            yield from block
            yield "endbfchar"


def font_file() -> bytes:
    """Build the TrueType font of the two boxes: glyph 1 is the narrow one, glyph 2 the wide one."""
    boxes = [_box(NARROW), _box(WIDE)]
    ends = [0, 0, len(boxes[0]), len(boxes[0]) + len(boxes[1])]
    tables = {
        b"glyf": b"".join(boxes),
        b"head": _head(),
        b"hhea": struct.pack(">I3h1H11hH", 0x10000, ASCENT, DESCENT, 0, EM, *_HHEA_REST, 3),
        b"hmtx": struct.pack(">HhHhHh", EM, 0, NARROW, 0, WIDE, 0),
        b"loca": struct.pack(">4H", *(end // 2 for end in ends)),
        b"maxp": struct.pack(">I14H", 0x10000, 3, 4, 1, 0, 0, 1, *[0] * 8),
    }
    return _packed(tables)


# No side bearings, one em at most, an upright caret, five zeros.
_HHEA_REST: Final = (0, 0, EM, 1, 0, 0, 0, 0, 0, 0, 0)


def _head() -> bytes:
    bounds = (0, DESCENT, EM, ASCENT)
    fixed = struct.pack(">IIIIHHQQ", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, EM, 0, 0)
    return fixed + struct.pack(">4h2H3h", *bounds, 0, 8, 2, 0, 0)


def _box(width: int) -> bytes:
    """Draw a glyph of one contour: four points on the curve, as differences."""
    bounds = struct.pack(">5h", 1, 0, DESCENT, width, ASCENT)
    height = ASCENT - DESCENT
    points = struct.pack(">4h", 0, 0, width, 0) + struct.pack(">4h", DESCENT, height, 0, -height)
    glyph = bounds + struct.pack(">HH", 3, 0) + bytes([1] * 4) + points
    return glyph + bytes(-len(glyph) % 4)


def _packed(tables: dict[bytes, bytes]) -> bytes:
    """Put the tables of a font behind their directory."""
    place = 12 + 16 * len(tables)
    directory, body = b"", b""
    for tag, table in sorted(tables.items()):
        padded = table + bytes(-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += tag + struct.pack(">3I", total, place + len(body), len(table))
        body += padded
    power = 1 << (len(tables).bit_length() - 1)
    sizes = (power * 16, power.bit_length() - 1, len(tables) * 16 - power * 16)
    return struct.pack(">IHHHH", 0x10000, len(tables), *sizes) + directory + body
