"""A running service, asked from Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shizi.client.connection import Connection, Request
from shizi.client.download import fetch, format_for, format_named, save
from shizi.client.failures import entry_to_error, same_form
from shizi.client.form import Form, OptionValue, Source
from shizi.client.jobs import Jobs
from shizi.core.errors import OptionError, ShiziError
from shizi.core.types import PageResult
from shizi.formats import Format, dict_to_pages


class Client:
    """A service at an address; holds no connection and no state, so that threads may share it.

    Args:
        url: of the service, such as "http://127.0.0.1:5000"; no proxy of the environment is asked.
        key: opens the service, None where it needs none.
        timeout_s: seconds a call may take, waiting and trying again included.

    Attributes:
        jobs: of the service: work that is handed in now and fetched later.

    Raises:
        OptionError: the address is none of http or https.
    """

    def __init__(self, url: str, key: str | None = None, timeout_s: float = 120.0) -> None:
        self._connection = Connection(url, key, timeout_s)
        self.jobs = Jobs(self._connection)

    def read(self, source: Source, **options: OptionValue) -> list[PageResult]:
        """Read all pages of a picture or document.

        Args:
            source: a path, or the bytes of an encoded file.
            options: as `GET /v1/options` lists them.

        Raises:
            ShiziError: the leaf that the service names; Unreachable where it does not answer,
                DeadlineExceeded where it does not in time, FileAccessError where the path cannot
                be read.
        """
        (pages,) = self.read_many([source], **options)
        if isinstance(pages, ShiziError):
            raise pages
        return pages

    def read_many(
        self, sources: Sequence[Source], **options: OptionValue
    ) -> list[list[PageResult] | ShiziError]:
        """Read several pictures or documents in one request.

        Args:
            sources: paths, or the bytes of encoded files.
            options: hold for all of them.

        Returns:
            One entry a source, same order: its pages, or why it cannot be read.

        Raises:
            ShiziError: see `read`; the request fails as a whole.
        """
        if options.get("format", "json") != "json":
            raise OptionError("format is for `content` and `save`; `read` gives pages")
        answer = self._connection.ask(Request("POST", "/v1/ocr", Form(options, sources)))
        with same_form():
            return [_entry_to_result(entry) for entry in answer.content["documents"]]

    def content(self, source: Source, form: str = "txt", **options: OptionValue) -> bytes:
        """Read a picture or document and give what was read as a file.

        Args:
            source: a path, or the bytes of an encoded file.
            form: name of a format, such as "md"; all of docs/formats.md but pdf.
            options: as `GET /v1/options` lists them.

        Raises:
            OptionError: there is no such format.
            MissingExtra: the service lacks a package that the format needs.
            ShiziError: see `read`.
        """
        chosen = format_named(form)
        return fetch(self._connection, _file_request(source, chosen, options), chosen)

    def save(
        self,
        source: Source,
        path: str | os.PathLike[str],
        form: str | None = None,
        **options: OptionValue,
    ) -> None:
        """Read a picture or document and write what was read into a file; see `content`.

        Args:
            source: a path, or the bytes of an encoded file.
            path: of the file to write; it is there whole or not at all.
            form: name of a format; None takes the one of the path's ending.
            options: as `GET /v1/options` lists them.

        Raises:
            FileAccessError: it cannot be written.
        """
        chosen = format_for(path, form)
        save(self._connection, _file_request(source, chosen, options), chosen, Path(path))

    def models(self) -> list[dict[str, Any]]:
        """List the models of the service.

        Raises:
            ShiziError: see `read`.
        """
        return list(self._connection.ask(Request("GET", "/v1/models")).content["models"])

    def options(self) -> dict[str, Any]:
        """Give the options and limits of the service, as `GET /v1/options` does.

        Raises:
            ShiziError: see `read`.
        """
        return dict(self._connection.ask(Request("GET", "/v1/options")).content)


def _file_request(source: Source, form: Format, options: Mapping[str, OptionValue]) -> Request:
    fields = {**options, "format": form.name}
    return Request("POST", "/v1/ocr", Form(fields, [source], named=True))


def _entry_to_result(entry: Mapping[str, Any]) -> list[PageResult] | ShiziError:
    return dict_to_pages(entry) if entry["success"] else entry_to_error(entry)
