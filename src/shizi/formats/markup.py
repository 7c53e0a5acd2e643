"""What the formats in XML share: characters that it may hold, boxes, a head and a foot."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import BinaryIO, Final

from shizi.core.types import Quad
from shizi.formats.writing import TextWriter

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


class MarkupWriter(TextWriter):
    """Writes a head before the first document, and a foot after the last.

    Args:
        out: to write to; stays open.
        head: of the file; it names its `{title}`.
        foot: of the file.
        several: whether results of more than one document will come.
    """

    def __init__(self, out: BinaryIO, head: str, foot: str, *, several: bool) -> None:
        super().__init__(out, several=several)
        self._head, self._foot = head, foot
        self._begun = False

    def close(self) -> None:
        """End the file; one without any document has a head too."""
        self._open("")
        self._out.write(self._foot)

    def _open(self, title: str) -> None:
        """Write the head, unless it is there."""
        if not self._begun:
            self._begun = True
            self._out.write(self._head.format(title=escape(title)))

    def _add(self, parts: Iterable[str]) -> None:
        for part in parts:
            self._out.write(part + "\n")
