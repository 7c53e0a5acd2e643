"""The body of a request, taken apart: files, fields, a JSON object, or bytes alone.

Whatever a client sends is bounded here: bytes, parts, fields, values, and the time they take.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Protocol
from urllib.parse import parse_qsl

from flask import Request, g
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from shizi.core.config import ServerSettings
from shizi.core.errors import RequestError, SlowClient, TooLarge, UnsupportedBody
from shizi.server.budget import BodyBudget, bounded_upload

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
RAW_TYPES = ("image/*", "application/pdf", "application/octet-stream")

_CHUNK_BYTES = 64 * 1024
_MAX_PARTS = 300
_MAX_FIELDS = 300
# A picture told as text is held as the text, as what it is parsed to, and as itself.
_TEXT_COPIES = 3
# No header of a part comes near it; data passes through in chunks.
_MAX_HEADER_BYTES = 16 * 1024
_MAX_BOUNDARY_BYTES = 200
# Values of a JSON body; pictures in base64 hold none of the characters that are counted.
_MAX_VALUES = 20_000


@dataclass(frozen=True, slots=True)
class Body:
    """What a request's body holds, one of four ways.

    Attributes:
        files: (field, bytes) of a multipart form, in the order of the fields.
        names: of these files, as the client sent them.
        form: fields of a form that are no files.
        json: a JSON object.
        raw: the bytes of a picture or document alone; empty where nothing was sent.
    """

    files: tuple[tuple[str, bytes], ...] = ()
    names: tuple[str, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    raw: bytes | None = None


def read_body(request: Request, server: ServerSettings, budget: BodyBudget) -> Body:
    """Read the body of a request, whichever of the four ways it comes.

    Memory for it is reserved for as long as the request is in work, see `release_body`.

    Raises:
        RequestError: it is malformed, did not arrive whole, or is of no type that is taken.
        TooLarge: it has more parts or pictures than it may.
        Busy: other requests hold too much memory.
        RequestEntityTooLarge: it is larger than the application allows.
    """
    kind = kind_of_body(request)
    copies = 1 if kind in ("", MULTIPART) else _TEXT_COPIES
    stream = _reserved_stream(request, server, budget, copies)
    with _arriving(request, server.upload_timeout_s):
        return _parse(kind, request, stream, server)


class PartSink(Protocol):
    """Takes the parts of a multipart body as their pieces come."""

    def take(self, event: Event) -> None:
        """Take a part's beginning, or some of its bytes."""
        ...


def stream_parts(request: Request, seconds: float, sink: PartSink) -> None:
    """Pass the parts of a multipart body on as they arrive; nothing of it is kept here.

    Args:
        request: with a multipart body.
        seconds: that it may take to arrive.
        sink: takes the parts.

    Raises:
        RequestError: it is malformed or did not arrive whole.
        RequestEntityTooLarge: it is larger than the request may be.
        ShiziError: whatever the sink raises.
    """
    with _arriving(request, seconds):
        _pump(_Whole(request.stream, _size_of(request)), _boundary_of(request), sink)


def stream_bytes(request: Request, seconds: float, write: Callable[[bytes], None]) -> None:
    """Pass a body of bytes alone on as it arrives; see `stream_parts`."""
    stream = _Whole(request.stream, _size_of(request))
    with _arriving(request, seconds):
        while data := stream.read():
            write(data)


@contextmanager
def _arriving(request: Request, seconds: float) -> Iterator[None]:
    """Read a body within its time; whatever keeps it from arriving whole is told.

    Raises:
        SlowClient: the time ran out.
        RequestError: the connection ended first.
    """
    connection = request.environ.get("gunicorn.socket")
    with bounded_upload(connection, seconds) as patience:
        try:
            yield
        except (ClientDisconnected, ParseException, OSError) as error:
            if patience.over:
                raise SlowClient(f"the body did not arrive within {seconds:g} s") from error
            raise RequestError("the body of the request did not arrive whole") from error


def _size_of(request: Request) -> int | None:
    """Give the announced size of the body; None where it comes in chunks."""
    if request.content_length is None and "Transfer-Encoding" not in request.headers:
        return 0
    return request.content_length


def _boundary_of(request: Request) -> bytes:
    return request.mimetype_params.get("boundary", "").encode("latin-1", "replace")


def release_body(budget: BodyBudget) -> None:
    """Give back the memory that this request's body was reserved."""
    budget.release(g.pop("held_bytes", 0))


def kind_of_body(request: Request) -> str:
    """Give the type of the body; empty for bytes alone."""
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedBody("the body is compressed; send it as it is")
    kind = request.mimetype
    if kind in (MULTIPART, FORM):
        return kind
    if kind == JSON or kind.endswith("+json"):
        return JSON
    if kind == "" or kind.startswith("image/") or kind in RAW_TYPES:
        return ""
    raise UnsupportedBody(f"a body of the type {kind[:100]!r} is not taken")


def _reserved_stream(
    request: Request, server: ServerSettings, budget: BodyBudget, copies: int
) -> _Whole:
    """Open the body once there is memory for it; one of unknown length counts as the largest."""
    stream = request.stream  # refuses a body over the limit by its length alone
    size = _size_of(request)
    held = copies * (server.max_body_bytes if size is None else size)
    budget.reserve(held)
    g.held_bytes = held
    return _Whole(stream, size)


class _Whole:
    """A body that tells when it ends before its announced length.

    A stream that is read as a whole would be cut at the limit without a word where its length is
    not announced: it is read in chunks, and whatever follows the limit is met.
    """

    def __init__(self, stream: IO[bytes], size: int | None) -> None:
        self._stream = stream
        self._left = size

    def read(self) -> bytes:
        """Read a chunk; none is the end.

        Raises:
            ConnectionError: the body has ended too early.
        """
        if self._left is None:
            return self._stream.read(_CHUNK_BYTES)
        data = self._stream.read(min(_CHUNK_BYTES, self._left)) if self._left else b""
        self._left -= len(data)
        if self._left and not data:
            raise ConnectionError("the body ended too early")
        return data

    def read_all(self) -> bytes:
        """Read the chunks that are left.

        Raises:
            ConnectionError: the body has ended too early.
        """
        whole = io.BytesIO()
        while data := self.read():
            whole.write(data)
        return whole.getvalue()


def _parse(kind: str, request: Request, stream: _Whole, server: ServerSettings) -> Body:
    if kind == MULTIPART:
        parts = _Parts(server.max_documents)
        _pump(stream, _boundary_of(request), parts)
        return parts.body()
    data = stream.read_all()
    if kind == FORM:
        return Body(form=_parse_form(data))
    if kind == JSON:
        return Body(json=_parse_json(data))
    return Body(raw=data)


def _parse_form(data: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(
            data.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise RequestError("the form is malformed or has too many fields") from error
    return once(fields)


def _parse_json(data: bytes) -> Mapping[str, Any]:
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MAX_VALUES:
        raise RequestError(f"the JSON body has more than {_MAX_VALUES:,} values")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestError("the body is no valid JSON") from error
    if not isinstance(content, dict):
        raise RequestError("the JSON body is no object")
    return content


def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Give fields by name.

    Raises:
        RequestError: a name comes twice, and one of its values would be lost.
    """
    fields: dict[str, str] = {}
    for name, text in pairs:
        if name in fields:
            raise RequestError(f"the field {name[:100]!r} was sent twice")
        fields[name] = text
    return fields


def _pump(stream: _Whole, boundary: bytes, sink: PartSink) -> None:
    if not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise RequestError("the multipart body names no boundary")
    decoder = MultipartDecoder(boundary, _CHUNK_BYTES + _MAX_HEADER_BYTES)
    more = True
    while more:
        data = stream.read()
        more = bool(data)
        _decode(decoder, data, sink)


def _decode(decoder: MultipartDecoder, data: bytes, sink: PartSink) -> None:
    """Pass bytes through the decoder to the sink; none are the end."""
    try:
        decoder.receive_data(data or None)
        event: Event = decoder.next_event()
        while not isinstance(event, NeedData | Epilogue):
            sink.take(event)
            event = decoder.next_event()
    except ValueError as error:
        raise RequestError("the multipart body is malformed or cut short") from error
    except RequestEntityTooLarge as error:
        # Only headers pile up in the decoder: data passes through.
        actual = _MAX_HEADER_BYTES + 1
        raise TooLarge("max_part_header_bytes", _MAX_HEADER_BYTES, actual) from error


class _Parts:
    """Collects the parts of a multipart body as their pieces come."""

    def __init__(self, max_documents: int) -> None:
        self._max_documents = max_documents
        self._files: list[tuple[str, bytes]] = []
        self._names: list[str] = []
        self._fields: list[tuple[str, str]] = []
        self._part: File | Field | None = None
        self._data = io.BytesIO()

    def take(self, event: Event) -> None:
        """Take a part's beginning, or some of its bytes.

        Raises:
            TooLarge: there are more parts, or more files, than a request may have.
        """
        if isinstance(event, File | Field):
            self._begin(event)
        elif isinstance(event, Data):
            self._data.write(event.data)
            if not event.more_data:
                self._end()

    def body(self) -> Body:
        """Give all of them.

        Raises:
            RequestError: a field was sent twice.
        """
        return Body(tuple(self._files), tuple(self._names), once(self._fields))

    def _begin(self, part: File | Field) -> None:
        count = len(self._files) + len(self._fields) + 1
        if count > _MAX_PARTS:
            raise TooLarge("max_parts", _MAX_PARTS, count)
        if isinstance(part, File) and len(self._files) == self._max_documents:
            raise TooLarge("max_documents", self._max_documents, self._max_documents + 1)
        self._part, self._data = part, io.BytesIO()

    def _end(self) -> None:
        name = getattr(self._part, "name", None)
        if name is None:
            raise ValueError("a part without a name")
        if isinstance(self._part, File):
            # Not copied: the buffer gives its own bytes away, and is dropped with this part.
            self._files.append((name, self._data.getvalue()))
            self._names.append(self._part.filename or "")
        else:
            self._fields.append((name, self._data.getvalue().decode()))
