"""DOCX: paragraphs to go on writing in, a new page for each page."""

from __future__ import annotations

from typing import BinaryIO, Final

import docx
from docx.oxml.ns import qn

from shizi.core.errors import ShiziError
from shizi.core.types import PageResult
from shizi.formats.markup import xml_text
from shizi.formats.paragraphs import join_lines, paragraphs
from shizi.formats.writing import Document

#: Fonts that come with the usual word processors; one that lacks them takes its own.
_LATIN_FONT: Final = "Times New Roman"
_CHINESE_FONT: Final = "宋体"
_LONGEST_TITLE: Final = 255


class DocxWriter:
    """Writes a text document; it is put together in memory and written at the end.

    Args:
        out: to write to.
        several: whether a heading must tell which document a text is of.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        self._out = out
        self._several = several
        self._breaks = False
        self._file = docx.Document()
        style = self._file.styles["Normal"]
        style.font.name = _LATIN_FONT
        style.element.rPr.rFonts.set(qn("w:eastAsia"), _CHINESE_FONT)
        properties = self._file.core_properties
        properties.author = properties.comments = properties.title = ""

    def begin(self, document: Document) -> None:
        """Name the document: as the title, and in a heading where there are several."""
        if self._several:
            heading = self._file.add_heading(xml_text(document.name), level=1)
            heading.paragraph_format.page_break_before = self._breaks
            self._breaks = False
        else:
            self._file.core_properties.title = xml_text(document.name)[:_LONGEST_TITLE]

    def add(self, page: PageResult) -> None:
        """Write the paragraphs of a page; one without text is an empty page."""
        for lines in paragraphs(page) or [[]]:
            paragraph = self._file.add_paragraph(xml_text(join_lines(lines)))
            if self._breaks:
                paragraph.paragraph_format.page_break_before = True
            self._breaks = False
        self._breaks = True

    def end(self, total_time_s: float) -> None:
        """Keep the document for the end."""

    def fail(self, name: str, error: ShiziError) -> None:
        """Write nothing: a text has no place for it."""

    def close(self) -> None:
        """Write the file."""
        self._file.save(self._out)
