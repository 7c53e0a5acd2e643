"""The table of formats: what each is called, and which module writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import BinaryIO

from shizi.core.errors import MissingExtra
from shizi.core.types import PageResult
from shizi.formats.writing import Document, Writer

_EXTRA = "documents"
_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class Format:
    """A form of results.

    Attributes:
        name: as `-f` takes it.
        ending: of its files, without the point.
        content_type: over HTTP.
        help: what it is, in a few words.
        writer: class of its writer in the module of `shizi.formats` that has the format's name.
        binary: whether a terminal cannot show it.
        extra: of the package that it needs; empty where Shizi itself is enough.
        shows_pages: whether it needs the source of a document.
        places_words: whether it is better where lines list their characters.
        one: whether it holds one document alone.
    """

    name: str
    ending: str
    content_type: str
    help: str
    writer: str
    binary: bool = False
    extra: str = ""
    shows_pages: bool = False
    places_words: bool = False
    one: bool = False

    def open(self, out: BinaryIO, *, several: bool = False) -> Writer:
        """Begin a file.

        Args:
            out: to write to; stays open.
            several: whether results of more than one document will come.

        Raises:
            MissingExtra: a package that it needs is not installed.
        """
        return self.load()(out, several=several)

    def load(self) -> type[Writer]:
        """Load the writer, and what it needs.

        Raises:
            MissingExtra: a package that it needs is not installed.
        """
        try:
            module = import_module(f"shizi.formats.{self.name}")
        except ModuleNotFoundError as error:
            if not self.extra:
                raise
            raise MissingExtra(self.extra) from error
        writer: type[Writer] = getattr(module, self.writer)
        return writer


_TABLE = (
    Format("txt", "txt", "text/plain; charset=utf-8", "plain text", "TxtWriter"),
    Format("json", "json", "application/json", "everything known, for programs", "JsonWriter"),
    Format("jsonl", "jsonl", "application/jsonl", "JSON, a document a line", "JsonlWriter"),
    Format("csv", "csv", "text/csv; charset=utf-8", "a row a line", "CsvWriter"),
    Format(
        "xlsx",
        "xlsx",
        f"{_OFFICE}.spreadsheetml.sheet",
        "a row a line, for spreadsheets",
        "XlsxWriter",
        binary=True,
        extra=_EXTRA,
    ),
    Format("md", "md", "text/markdown; charset=utf-8", "paragraphs", "MdWriter"),
    Format(
        "docx",
        "docx",
        f"{_OFFICE}.wordprocessingml.document",
        "paragraphs, for word processors",
        "DocxWriter",
        binary=True,
        extra=_EXTRA,
    ),
    Format(
        "hocr",
        "hocr",
        "text/html; charset=utf-8",
        "words and where they stand, as HTML",
        "HocrWriter",
        places_words=True,
    ),
    Format(
        "alto",
        "xml",
        "application/alto+xml",
        "words and where they stand, for archives",
        "AltoWriter",
        places_words=True,
        one=True,
    ),
    Format(
        "pdf",
        "pdf",
        "application/pdf",
        "the pages as they are, searchable",
        "PdfWriter",
        binary=True,
        extra=_EXTRA,
        shows_pages=True,
        places_words=True,
    ),
)
FORMATS: Mapping[str, Format] = {form.name: form for form in _TABLE}


def format_of(path: str | None) -> Format | None:
    """Tell a format by the ending of a file's name; None where it is that of none."""
    ending = PurePath(path or "").suffix.removeprefix(".").lower()
    return next((form for form in FORMATS.values() if form.ending == ending), None)


def write_document(
    form: Format,
    out: BinaryIO,
    document: Document,
    pages: Iterable[PageResult],
    total_time_s: float,
) -> None:
    """Write the result of one document as a whole file.

    Args:
        form: of the file.
        out: to write to; stays open.
        document: that was read.
        pages: its results, in order.
        total_time_s: seconds its reading took.

    Raises:
        MissingExtra: a package that the format needs is not installed.
    """
    writer = form.open(out)
    writer.begin(document)
    for page in pages:
        writer.add(page)
    writer.end(total_time_s)
    writer.close()
