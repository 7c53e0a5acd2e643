"""Asks a running service from Python; needs nothing but the standard library.

from shizi.client import Client

client = Client("http://127.0.0.1:5000")
for page in client.read("receipt.png", effort="balanced"):
    print(page.text)
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shizi.core.deadline import Deadline
from shizi.core.errors import (
    Busy,
    DeadlineExceeded,
    FileAccessError,
    InputError,
    MissingExtra,
    OptionError,
    RateLimited,
    ShiziError,
    TooLarge,
    Unreachable,
    error_kinds,
)
from shizi.core.types import PageResult
from shizi.formats import dict_to_pages

Source = str | os.PathLike[str] | bytes
OptionValue = str | int | float | bool | Sequence[str]

_WAIT_S = 1.0
_TOO_LARGE = re.compile(r"(\w+) is ([\d,]+) and the input has ([\d,]+)")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        content: the JSON object; empty where it is none.
        retry_after_s: seconds the service asks to wait, None where it does not.
    """

    status: int
    content: Mapping[str, Any]
    retry_after_s: float | None


class Client:
    """A service at an address; holds no connection and no state, so that threads may share it.

    Args:
        url: of the service, such as "http://127.0.0.1:5000"; no proxy of the environment is asked.
        key: opens the service, None where it needs none.
        timeout_s: seconds a call may take, waiting and trying again included.

    Raises:
        OptionError: the address is none of http or https.
    """

    def __init__(self, url: str, key: str | None = None, timeout_s: float = 120.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OptionError(f"{url!r} is no address such as http://127.0.0.1:5000")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._headers = {"X-API-Key": key} if key else {}
        self._timeout_s = timeout_s

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
        fields = {name: _value_to_text(name, value) for name, value in options.items()}
        body, kind = _encode(fields, [_source_to_bytes(source) for source in sources])
        content = self._ask("POST", "/v1/ocr", body, {"Content-Type": kind})
        try:
            return [_entry_to_result(entry) for entry in content["documents"]]
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable("what answers is no Shizi: its answer has another form") from error

    def models(self) -> list[dict[str, Any]]:
        """List the models of the service.

        Raises:
            ShiziError: see `read`.
        """
        return list(self._ask("GET", "/v1/models")["models"])

    def options(self) -> dict[str, Any]:
        """Give the options and limits of the service, as `GET /v1/options` does.

        Raises:
            ShiziError: see `read`.
        """
        return dict(self._ask("GET", "/v1/options"))

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """Send a request; where the service is busy, wait as it says and send it again."""
        deadline = Deadline.after(self._timeout_s)
        while True:
            answer = self._send(method, path, body, {**self._headers, **(headers or {})}, deadline)
            if answer.status == 200 and answer.content:
                return answer.content
            error = _answer_to_error(answer)
            wait_s = _WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            if answer.status not in (429, 503) or wait_s >= deadline.left_s():
                raise error
            time.sleep(wait_s)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> _Answer:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=max(0.001, deadline.left_s()))
        try:
            # A service that refuses a body by its head answers before it has read the rest.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self._prefix + path, body, dict(headers))
            return _read_answer(connection.getresponse())
        except TimeoutError as error:
            seconds = f"{self._timeout_s:g}"
            raise DeadlineExceeded(f"no answer from {self._host} in {seconds} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"no answer from {self._host}: {error}") from error
        finally:
            connection.close()


def _read_answer(response: http.client.HTTPResponse) -> _Answer:
    data = response.read()
    try:
        content = json.loads(data)
    except ValueError:
        content = {}
    try:
        retry_after_s = float(response.headers.get("Retry-After", ""))
    except ValueError:
        retry_after_s = None
    return _Answer(response.status, content if isinstance(content, dict) else {}, retry_after_s)


def _answer_to_error(answer: _Answer) -> ShiziError:
    content = answer.content
    if "code" not in content:
        return Unreachable(f"what answers is no Shizi: status {answer.status}")
    return _make_error(str(content["code"]), str(content.get("detail", "")), answer.retry_after_s)


def _make_error(code: str, detail: str, retry_after_s: float | None = None) -> ShiziError:
    """Make the error of a code again."""
    kind = next((kind for kind in error_kinds() if kind.code == code), ShiziError)
    if issubclass(kind, Busy | RateLimited):
        return kind(_WAIT_S if retry_after_s is None else retry_after_s)
    if issubclass(kind, TooLarge):
        match = _TOO_LARGE.search(detail)
        if match is None:
            return InputError(detail)
        limit, actual = (int(number.replace(",", "")) for number in match.groups()[1:])
        return kind(match[1], limit, actual)
    return ShiziError(detail) if issubclass(kind, MissingExtra) else kind(detail)


def _entry_to_result(entry: Mapping[str, Any]) -> list[PageResult] | ShiziError:
    if entry["success"]:
        return dict_to_pages(entry)
    return _make_error(entry["error"]["code"], entry["error"]["message"])


def _source_to_bytes(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise FileAccessError(f"{source} cannot be read: {error.strerror}") from error


def _value_to_text(name: str, value: OptionValue) -> str:
    """Give the text a form has for an option; words are told one a line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    return ("\n" if name == "words" else ",").join(value)


def _encode(fields: Mapping[str, str], files: Sequence[bytes]) -> tuple[bytes, str]:
    """Give a multipart form and its content type."""
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, text in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts += [head.encode(), text.encode(), b"\r\n"]
    for data in files:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        parts += [head.encode(), data, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
