"""JSON lines: the response object of each document on a line of its own."""

from __future__ import annotations

from typing import BinaryIO

from shizi.core.errors import ShiziError
from shizi.core.types import PageResult
from shizi.formats.response import dict_to_jsonl, error_to_dict, pages_to_dict
from shizi.formats.writing import Document, TextFile


class JsonlWriter:
    """Writes a line a document, its name first.

    Args:
        out: to write to.
        several: changes nothing; each line names its document.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:  # noqa: ARG002
        self._out = TextFile(out)
        self._name = ""
        self._pages: list[PageResult] = []

    def begin(self, document: Document) -> None:
        """Gather the pages of a document."""
        self._name = document.name
        self._pages = []

    def add(self, page: PageResult) -> None:
        """Keep a page."""
        self._pages.append(page)

    def end(self, total_time_s: float) -> None:
        """Write the line of the document."""
        self._out.write(dict_to_jsonl(self._name, pages_to_dict(self._pages, total_time_s)))
        self._out.flush()
        self._pages = []

    def fail(self, name: str, error: ShiziError) -> None:
        """Write the line of a failure."""
        self._pages = []
        self._out.write(dict_to_jsonl(name, error_to_dict(error)))
        self._out.flush()

    def close(self) -> None:
        """Write nothing more."""
