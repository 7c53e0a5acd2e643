"""What is handed in for a job: straight from the connection into the spool, archives opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Request
from werkzeug.sansio.multipart import Data, Event, Field, File

from shizi.core.config import Settings
from shizi.core.errors import MissingUpload, OptionError, RequestError, ShiziError, TooLarge
from shizi.jobs.archive import MAGIC, ArchiveLimits, is_archive, walk_archive
from shizi.jobs.spool import Deposit, Draft
from shizi.server.bodies import MULTIPART, kind_of_body, once, stream_bytes, stream_parts
from shizi.server.schema import UPLOAD_FIELDS
from shizi.server.service import Service
from shizi.server.uploads import printable, sane_name

#: Field, and key of a JSON body, that names who is told when the job has ended.
WEBHOOK = "webhook"
#: Parameter that names a file whose bytes come alone.
NAME_PARAMETER = "name"
ARCHIVE_TYPES = ("application/zip", "application/x-zip-compressed")
_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 500_000


def take_in(request: Request, service: Service, deposit: Deposit) -> dict[str, str]:
    """Write the files of a request into a deposit.

    A multipart form and bytes alone pass through, whatever their size; a JSON body and a form
    with base64 are held in memory, and bounded as those of a request that waits.

    Args:
        request: the current one.
        service: that it came to.
        deposit: takes the files.

    Returns:
        The other fields of the body, as texts.

    Raises:
        ShiziError: something in it is not taken; the deposit is to be dropped.
    """
    kind, settings = _kind_of(request), service.settings
    if kind == MULTIPART:
        fields = _take_parts(request, settings, deposit)
    elif kind == "":
        fields = _take_bytes(request, settings, deposit)
    else:
        fields = _take_texts(service, deposit)
    _open_archives(settings, deposit)
    if not any(source.ref for source in deposit.sources):
        raise MissingUpload("the request holds no picture")
    return fields


def _kind_of(request: Request) -> str:
    return "" if request.mimetype in ARCHIVE_TYPES else kind_of_body(request)


def _take_parts(request: Request, settings: Settings, deposit: Deposit) -> dict[str, str]:
    request.max_content_length = settings.jobs.upload_bytes
    sink = _Intake(settings, deposit)
    stream_parts(request, _patience_s(request, settings), sink)
    return sink.fields()


def _take_bytes(request: Request, settings: Settings, deposit: Deposit) -> dict[str, str]:
    request.max_content_length = settings.jobs.upload_bytes
    sink = _Intake(settings, deposit)
    sink.begin(request.args.get(NAME_PARAMETER))
    stream_bytes(request, _patience_s(request, settings), sink.write)
    if not sink.written:
        raise MissingUpload("the request holds no picture")
    sink.end()
    return {}


def _take_texts(service: Service, deposit: Deposit) -> dict[str, str]:
    body = service.body()
    hook = ""
    if body.json is not None and WEBHOOK in body.json:
        rest = {key: value for key, value in body.json.items() if key != WEBHOOK}
        hook = str(body.json[WEBHOOK])
        body = replace(body, json=rest)
    submission = service.submission(body)
    for picture in submission.pictures:
        if isinstance(picture, ShiziError):
            raise picture
        draft = deposit.begin("")
        draft.write(picture)
        draft.close()
    return {**submission.fields, **({WEBHOOK: hook} if hook else {})}


def _patience_s(request: Request, settings: Settings) -> float:
    """Give the time a body may take: that of an ordinary one, for each of its size."""
    server = settings.server
    size = request.content_length or settings.jobs.upload_bytes
    return server.upload_timeout_s * max(1.0, size / server.max_body_bytes)


class _Intake:
    """Writes the files of a body as their pieces come."""

    def __init__(self, settings: Settings, deposit: Deposit) -> None:
        self.written = 0
        self._max_files = settings.jobs.max_files
        self._picture_bytes = settings.limits.max_bytes
        self._archive_bytes = settings.jobs.upload_bytes
        self._max_bytes = self._picture_bytes
        self._deposit = deposit
        self._draft: Draft | None = None
        self._field = ""
        self._text = bytearray()
        self._fields: list[tuple[str, str]] = []

    def take(self, event: Event) -> None:
        """Take a part's beginning, or some of its bytes."""
        if isinstance(event, File):
            if event.name not in UPLOAD_FIELDS:
                raise OptionError.unknown(event.name[:100], UPLOAD_FIELDS, "file field")
            self.begin(event.filename)
        elif isinstance(event, Field):
            self._begin_field(event.name)
        elif isinstance(event, Data):
            self._write(bytes(event.data))
            if not event.more_data:
                self._end()

    def begin(self, name: str | None) -> None:
        """Begin a file."""
        count = len(self._deposit.sources) + 1
        if count > self._max_files:
            raise TooLarge("max_files", self._max_files, count)
        self._draft, self.written = self._deposit.begin(sane_name(name)), 0
        self._max_bytes = self._picture_bytes

    def write(self, data: bytes) -> None:
        """Write some of a file; only archives may be larger than a picture."""
        if not self.written and data[:4] in MAGIC:
            self._max_bytes = self._archive_bytes
        self.written += len(data)
        if self.written > self._max_bytes:
            raise TooLarge("max_bytes", self._max_bytes, self.written)
        assert self._draft is not None  # noqa: S101 - begun before
        self._draft.write(data)

    def end(self) -> None:
        """End a file."""
        assert self._draft is not None  # noqa: S101 - begun before
        self._draft.close()
        self._draft = None

    def fields(self) -> dict[str, str]:
        """Give the fields.

        Raises:
            RequestError: one was sent twice.
        """
        return once(self._fields)

    def _begin_field(self, name: str) -> None:
        if len(self._fields) == _MAX_FIELDS:
            raise TooLarge("max_parts", _MAX_FIELDS, _MAX_FIELDS + 1)
        self._field, self._text = name, bytearray()

    def _write(self, data: bytes) -> None:
        if self._draft is not None:
            self.write(data)
            return
        self._text += data
        if len(self._text) > _MAX_FIELD_BYTES:
            raise TooLarge("max_field_bytes", _MAX_FIELD_BYTES, len(self._text))

    def _end(self) -> None:
        if self._draft is not None:
            self.end()
            return
        try:
            self._fields.append((self._field, self._text.decode()))
        except UnicodeDecodeError as error:
            raise RequestError("a field of the form is no text in UTF-8") from error


def _open_archives(settings: Settings, deposit: Deposit) -> None:
    """Put the files of archives in their places."""
    for number, source in enumerate(deposit.sources):
        if not source.ref or not is_archive(deposit.path(number)):
            continue
        files = sum(1 for source in deposit.sources if source.ref) - 1
        limits = ArchiveLimits(
            max_files=settings.jobs.max_files - files,
            max_bytes=settings.jobs.spool_bytes,
            max_file_bytes=settings.limits.max_bytes,
        )
        for entry in walk_archive(deposit.path(number), limits):
            # With its folders: they tell files of one name apart.
            draft = deposit.begin(printable(entry.name))
            for data in entry.chunks():
                draft.write(data)
            draft.close()
        deposit.drop(number)


def split_hook(fields: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Take the webhook out of the fields; the rest are options."""
    rest = {name: text for name, text in fields.items() if name != WEBHOOK}
    return rest, fields.get(WEBHOOK, "")
