"""What the formats in XML share: characters that it may hold, numbers, boxes."""

from __future__ import annotations

import html
import re
from typing import Final

from shizi.core.types import Quad

#: What XML 1.0 has no way to write.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What a parser would turn into a space inside an attribute.
_BLANKS: Final = {ord("\t"): "&#9;", ord("\n"): "&#10;", ord("\r"): "&#13;"}


def xml_text(text: str) -> str:
    """Replace characters that XML cannot hold by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def escape(text: str) -> str:
    """Write text as content of an element."""
    return html.escape(xml_text(text), quote=False).replace("\r", "&#13;")


def attribute(text: str) -> str:
    """Write text as value of an attribute, quotes included."""
    return f'"{html.escape(xml_text(text)).translate(_BLANKS)}"'


def whole_bounds(quad: Quad) -> tuple[int, int, int, int]:
    """Give left, top, right, bottom of the upright box around a quad, in whole pixels, >= 0."""
    left, top, right, bottom = (max(0, round(value)) for value in quad.bounds)
    return left, top, max(right, left + 1), max(bottom, top + 1)
