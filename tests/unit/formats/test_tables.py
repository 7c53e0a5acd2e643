"""CSV and XLSX: a row a line, nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from xml.etree import ElementTree

import pytest

from shizi.formats import FORMATS, Document
from shizi.formats.csv import guarded
from shizi.formats.rows import COLUMNS
from tests.unit.formats.pages import line, page, stacked, written

_CELLS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ["=1+1", "+8613800000000", "-2", "@SUM(A1)", "\t=1", "＝1+1", "－5"]


def csv_rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def xlsx_rows(data: bytes, sheet: int = 1) -> list[list[str]]:
    """Read a sheet without the library that wrote it; no cell may be a formula."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        root = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{sheet}.xml"))
    assert root.find(f".//{_CELLS}f") is None
    return [[_cell(cell) for cell in row] for row in root.iter(f"{_CELLS}row")]


def _cell(cell: ElementTree.Element) -> str:
    shown = "".join(part.text or "" for part in cell.iter() if part.tag in _TEXTS)
    return re.sub("_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), shown)


_TEXTS = {f"{_CELLS}v", f"{_CELLS}t"}


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_a_line_is_a_row_with_its_place(name: str) -> None:
    data = written(name, stacked("识字, “a”", "b"), stacked("c", number=2))

    head, *rows = csv_rows(data) if name == "csv" else xlsx_rows(data)

    assert tuple(head) == COLUMNS
    assert [row[:6] for row in rows] == [
        ["扫描 & <1>.png", "1", "1", "识字, “a”", "0.9876", "h"],
        ["扫描 & <1>.png", "1", "2", "b", "0.9876", "h"],
        ["扫描 & <1>.png", "2", "1", "c", "0.9876", "h"],
    ]
    assert rows[0][6:] == ["10", "40", "410", "40", "410", "64", "10", "64"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula(text: str) -> None:
    assert csv_rows(written("csv", stacked(text)))[1][3] == f"'{text}"
    assert xlsx_rows(written("xlsx", stacked(text)))[1][3] == text


def test_numbers_are_no_text_to_guard() -> None:
    assert guarded(-1.5) == -1.5
    assert guarded("1-2") == "1-2"


def test_a_name_may_be_a_formula_or_no_text_at_all() -> None:
    document = Document("=cmd|' /C calc'!A0.png")
    assert csv_rows(written("csv", stacked("a"), document=document))[1][0].startswith("'=")

    odd = Document(b"\xff.png".decode("utf-8", "surrogateescape"))
    assert xlsx_rows(written("xlsx", stacked("a"), document=odd))[1][0] == "\\udcff.png"
    assert csv_rows(written("csv", stacked("a"), document=odd))[1][0] == "\\udcff.png"


def test_csv_opens_as_utf8_with_the_ends_of_lines_that_it_has_by_its_standard() -> None:
    data = written("csv", stacked("识"))

    assert data.startswith(b"\xef\xbb\xbffile,page")
    assert data.count(b"\r\n") == data.count(b"\n") == 2


def test_text_longer_than_a_cell_goes_on_in_the_next_row() -> None:
    text = "长" * 40_000

    rows = xlsx_rows(written("xlsx", page(line(text))))[1:]

    assert [len(row[3]) for row in rows] == [32_767, 40_000 - 32_767]


def test_rows_that_a_sheet_cannot_hold_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.formats.xlsx._MOST_ROWS", 3)

    data = written("xlsx", stacked("a", "b", "c"))

    assert [row[3] for row in xlsx_rows(data)] == ["text", "a", "b"]
    assert [row[3] for row in xlsx_rows(data, 2)] == ["text", "c"]


def test_several_documents_share_a_table() -> None:
    out = io.BytesIO()
    writer = FORMATS["csv"].open(out, several=True)
    for name in ("a.png", "b.png"):
        writer.begin(Document(name))
        writer.add(stacked("x"))
        writer.end(0.1)
    writer.close()

    assert [row[0] for row in csv_rows(out.getvalue())] == ["file", "a.png", "b.png"]
