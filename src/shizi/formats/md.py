"""Markdown: paragraphs that show as they were written, a rule between pages."""

from __future__ import annotations

import re
from typing import BinaryIO, Final

from shizi.core.types import PageResult
from shizi.formats.paragraphs import join_lines, paragraphs
from shizi.formats.writing import Document, TextWriter

#: What means something anywhere in a line, and what does only at its beginning.
_INLINE: Final = re.compile(r"[\\`*_\[\]<>|~&$]")
_AT_START: Final = re.compile(r"(?:[#+\-=:>]|([0-9]{1,9})(?=[.)]))")
_RULE: Final = "---"


class MdWriter(TextWriter):
    """Writes paragraphs as pages come.

    Args:
        out: to write to.
        several: whether a heading must tell which document a text is of.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        super().__init__(out, several=several)
        self._blocks = 0
        self._pages = 0

    def begin(self, document: Document) -> None:
        """Name the document, where there are several."""
        self._pages = 0
        if self._several:
            self._write(f"# {escaped(document.name)}")

    def add(self, page: PageResult) -> None:
        """Write the paragraphs of a page."""
        if self._pages:
            self._write(_RULE)
        self._pages += 1
        for lines in paragraphs(page):
            if text := escaped(join_lines(lines)):
                self._write(text)

    def _write(self, block: str) -> None:
        self._out.write(("\n" if self._blocks else "") + block + "\n")
        self._blocks += 1


def escaped(text: str) -> str:
    """Write text so that Markdown shows it as it is, on one line."""
    line = _INLINE.sub(r"\\\g<0>", " ".join(text.split()))
    if mark := _AT_START.match(line):
        # The digits of a number mean something only with the point behind them.
        place = mark.end() if mark[1] else 0
        return f"{line[:place]}\\{line[place:]}"
    return line
