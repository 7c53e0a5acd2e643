"""XLSX: a row a line, with a head that stays in sight; text is text and never a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import xlsxwriter

from shizi.core.errors import ShiziError
from shizi.core.types import PageResult
from shizi.formats.rows import COLUMNS, TEXT_COLUMN, Cell, page_rows
from shizi.formats.writing import Document

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

#: What a sheet and a cell can hold.
_MOST_ROWS: Final = 1_048_576
_MOST_CHARACTERS: Final = 32_767
_TEXT_WIDTH: Final = 60
_NAME_WIDTH: Final = 24
_OPTIONS: Final = {
    # Rows go to a file of the system's folder for such files as they come, and from there at once
    # into the workbook: a million of them never gather in memory.
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class XlsxWriter:
    """Writes a workbook; what a sheet cannot hold goes on in the next.

    Args:
        out: to write to.
        several: changes nothing; each row names its document.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:  # noqa: ARG002
        self._book = xlsxwriter.Workbook(out, _OPTIONS)
        self._bold = self._book.add_format({"bold": True})
        self._sheets = 0
        self._row = 0
        self._name = ""
        self._sheet = self._add_sheet()

    def begin(self, document: Document) -> None:
        """Keep the name."""
        self._name = document.name

    def add(self, page: PageResult) -> None:
        """Write the rows of a page."""
        for row in page_rows(self._name, page):
            text = str(row[TEXT_COLUMN])
            for first in range(0, max(1, len(text)), _MOST_CHARACTERS):
                row[TEXT_COLUMN] = text[first : first + _MOST_CHARACTERS]
                self._write(row)

    def end(self, total_time_s: float) -> None:
        """Keep the workbook for the end."""

    def fail(self, name: str, error: ShiziError) -> None:
        """Write nothing: a table of lines has no place for it."""

    def close(self) -> None:
        """Write the workbook."""
        self._finish_sheet()
        self._book.close()

    def _write(self, row: list[Cell]) -> None:
        if self._row == _MOST_ROWS:
            self._finish_sheet()
            self._sheet = self._add_sheet()
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                self._sheet.write_string(self._row, column, _encodable(cell))
            else:
                self._sheet.write_number(self._row, column, cell)
        self._row += 1

    def _add_sheet(self) -> Worksheet:
        self._sheets += 1
        sheet: Worksheet = self._book.add_worksheet(f"Text {self._sheets}")
        sheet.set_column(0, 0, _NAME_WIDTH)
        sheet.set_column(TEXT_COLUMN, TEXT_COLUMN, _TEXT_WIDTH)
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(COLUMNS):
            sheet.write_string(0, column, title, self._bold)
        self._row = 1
        return sheet

    def _finish_sheet(self) -> None:
        self._sheet.autofilter(0, 0, max(1, self._row - 1), len(COLUMNS) - 1)


def _encodable(text: str) -> str:
    """Show what no file can hold: halves of surrogate pairs, as in names that are no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
