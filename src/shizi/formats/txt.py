"""TXT: the lines in reading order, a form feed between pages, as pdftotext has it."""

from __future__ import annotations

from typing import BinaryIO

from shizi.core.types import PageResult
from shizi.formats.writing import Document, TextWriter


class TxtWriter(TextWriter):
    """Writes plain text.

    Args:
        out: to write to.
        several: whether a heading must tell which document a text is of.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        super().__init__(out, several=several)
        self._documents = 0
        self._pages = 0

    def begin(self, document: Document) -> None:
        """Name the document, where there are several."""
        if self._several:
            gap = "\n" if self._documents else ""
            self._out.write(f"{gap}==> {document.name} <==\n")
        self._documents += 1
        self._pages = 0

    def add(self, page: PageResult) -> None:
        """Write the lines of a page."""
        gap = "\f" if self._pages else ""
        self._out.write(gap + (page.text + "\n" if page.lines else ""))
        self._pages += 1
