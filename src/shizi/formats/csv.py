"""CSV: a row a line, as spreadsheets open it, and nothing in it that they would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import BinaryIO, Final

from shizi.core.types import PageResult
from shizi.formats.rows import COLUMNS, Cell, page_rows
from shizi.formats.writing import Document, TextWriter

#: Excel takes UTF-8 for what it is only after this mark.
_MARK: Final = "\ufeff"
#: A cell that begins so may be run as a formula; the wide forms count in East Asian locales.
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


class CsvWriter(TextWriter):
    """Writes rows as pages come.

    Args:
        out: to write to.
        several: changes nothing; each row names its document.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        super().__init__(out, several=several)
        self._name = ""
        self._out.write(_MARK)
        self._write(COLUMNS)

    def begin(self, document: Document) -> None:
        """Keep the name."""
        self._name = document.name

    def add(self, page: PageResult) -> None:
        """Write the rows of a page."""
        for row in page_rows(self._name, page):
            self._write(row)

    def _write(self, row: Sequence[Cell]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow([guarded(cell) for cell in row])
        self._out.write(line.getvalue())


def guarded(cell: Cell) -> Cell:
    """Put the apostrophe that spreadsheets hide before text that could be a formula."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
