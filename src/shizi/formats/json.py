"""JSON: the response object of a document, or a list of them that names each."""

from __future__ import annotations

import json
from typing import BinaryIO

from shizi.core.errors import ShiziError
from shizi.core.types import PageResult
from shizi.formats.response import Json, dict_to_json, error_to_dict, pages_to_dict
from shizi.formats.writing import Document, TextFile


class JsonWriter:
    """Writes response objects, indented.

    Args:
        out: to write to.
        several: whether to write a list whose entries name their documents.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        self._out = TextFile(out)
        self._several = several
        self._documents = 0
        self._name = ""
        self._pages: list[PageResult] = []

    def begin(self, document: Document) -> None:
        """Gather the pages of a document: its object tells of all of them at its head."""
        self._name = document.name
        self._pages = []

    def add(self, page: PageResult) -> None:
        """Keep a page."""
        self._pages.append(page)

    def end(self, total_time_s: float) -> None:
        """Write the object of the document."""
        self._write(self._name, pages_to_dict(self._pages, total_time_s))
        self._pages = []

    def fail(self, name: str, error: ShiziError) -> None:
        """Write the object of a failure."""
        self._pages = []
        self._write(name, error_to_dict(error))

    def close(self) -> None:
        """End the list."""
        if self._several:
            self._out.write("\n]\n" if self._documents else "[]\n")

    def _write(self, name: str, response: Json) -> None:
        if self._several:
            self._out.write(",\n" if self._documents else "[\n")
            named = {"image": name, **response}
            self._out.write(json.dumps(named, ensure_ascii=False, indent=2))
        else:
            self._out.write(dict_to_json(response))
        self._out.flush()
        self._documents += 1
