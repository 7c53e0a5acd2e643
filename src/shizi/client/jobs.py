"""Jobs of a service: handed in, waited for, fetched page by page or as one file."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shizi.client.connection import Answer, Connection, Request
from shizi.client.download import fetch, format_for, format_named, save
from shizi.client.failures import WAIT_S, entry_to_error, same_form
from shizi.client.form import Form, OptionValue, Source
from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded, ShiziError
from shizi.core.types import PageResult
from shizi.formats import Format, dict_to_pages

_ENDED = ("succeeded", "failed", "canceled", "expired")
_COUNTS = ("files_total", "files_done", "files_failed", "pages_total", "pages_done")
_TIMES = ("created_at", "started_at", "finished_at", "expires_at")
_PLACE = "/v1/jobs"


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stood when it was asked for.

    Attributes:
        id: names it; cannot be guessed.
        status: queued, running, succeeded, failed, canceled or expired.
        files_total: files of the job, those of archives counted.
        files_done: read or failed.
        files_failed: that could not be read.
        pages_total: known so far; documents turn out to have more.
        pages_done: read so far.
        created_at: when it was handed in.
        started_at: when its first file was begun; None before.
        finished_at: when it ended; None before.
        expires_at: when it is forgotten with its results; None for never.
    """

    id: str
    status: str
    files_total: int
    files_done: int
    files_failed: int
    pages_total: int
    pages_done: int
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether it stays as it is."""
        return self.status in _ENDED


@dataclass(frozen=True, slots=True)
class JobResult:
    """A page that was read, or a file that could not be read (on).

    Attributes:
        document: the file, from 1.
        name: of the file, as it was handed in; empty where it had none.
        page: what was read; None for a failure.
        error: why the file could not be read; None for a page.
    """

    document: int
    name: str
    page: PageResult | None = None
    error: ShiziError | None = None


class Jobs:
    """The jobs of a service; threads may share it. A job is named by itself or by its id.

    Every call raises a `ShiziError`: the leaf that the service names, such as JobNotFound;
    Unreachable where it does not answer, DeadlineExceeded where it does not in time.

    Args:
        connection: to the service.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(
        self,
        sources: Source | Sequence[Source],
        *,
        key: str | None = None,
        webhook: str | None = None,
        **options: OptionValue,
    ) -> Job:
        """Hand in files to be read later; they are sent as they are read from the disk.

        Args:
            sources: pictures, documents and ZIP archives: paths, or the bytes of files, which have
                no names.
            key: names the submission: handed in again with it, it is the same job. None draws one,
                so that a request sent twice makes one job.
            webhook: address that is told of the end, where the service allows it.
            options: as `GET /v1/options` lists them; `timeout` is that of one page.

        Raises:
            KeyReused: the key came before with other files or options.
            RateLimited: too many jobs wait.
            OutOfSpace: there is no room for the files.
            FileAccessError: a path cannot be read.
        """
        files = [sources] if isinstance(sources, str | bytes | os.PathLike) else sources
        fields = options if webhook is None else {**options, "webhook": webhook}
        headers = {"Idempotency-Key": uuid.uuid4().hex if key is None else key}
        form = Form(fields, files, named=True)
        return _told(self._connection.ask(Request("POST", _PLACE, form, headers)))

    def find(self, job: Job | str) -> Job:
        """Ask how a job stands."""
        return _told(self._connection.ask(Request("GET", _path(job))))

    def wait(self, job: Job | str, timeout_s: float | None = None) -> Job:
        """Wait until a job has ended; it is asked for as often as the service says.

        Args:
            job: to wait for.
            timeout_s: seconds; None for however long it takes.

        Returns:
            The job; its `status` says how it ended.

        Raises:
            DeadlineExceeded: it has not ended in that time; it goes on.
        """
        deadline = Deadline.after(timeout_s)
        while True:
            answer = self._connection.ask(Request("GET", _path(job)))
            found = _told(answer)
            if found.ended:
                return found
            if deadline.left_s() <= 0:
                raise DeadlineExceeded(f"the job has not ended within {timeout_s:g} s; it goes on")
            wait_s = WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            time.sleep(max(0.0, min(wait_s, deadline.left_s())))

    def results(self, job: Job | str) -> Iterator[JobResult]:
        """Walk what a job brought, in the order of its files; of one that goes on, what is there.

        Results are fetched as they are needed, some pages at a time.
        """
        following: str | None = _path(job, "/results")
        while following is not None:
            content = self._connection.ask(Request("GET", following)).content
            with same_form():
                entries = [_entry_to_result(entry) for entry in content["results"]]
                following = content["next"]
            yield from entries

    def content(self, job: Job | str, form: str = "json") -> bytes:
        """Give all that a job brought as one file; the job has ended.

        Args:
            job: that has ended.
            form: name of a format, such as "md"; all of docs/formats.md but pdf.

        Raises:
            JobUnfinished: it goes on.
            OptionError: there is no such format, or it does not hold several files.
            MissingExtra: the service lacks a package that the format needs.
        """
        chosen = format_named(form)
        return fetch(self._connection, _result_of(job, chosen), chosen)

    def save(self, job: Job | str, path: str | os.PathLike[str], form: str | None = None) -> None:
        """Write all that a job brought into one file; see `content`.

        Args:
            job: that has ended.
            path: of the file; it is there whole or not at all.
            form: name of a format; None takes the one of the file's ending.

        Raises:
            FileAccessError: it cannot be written.
        """
        chosen = format_for(path, form)
        save(self._connection, _result_of(job, chosen), chosen, Path(path))

    def cancel(self, job: Job | str) -> Job:
        """End a job; what was read of it stays. One that has ended stays as it is."""
        return _told(self._connection.ask(Request("POST", _path(job, "/cancel"))))

    def purge(self, job: Job | str) -> None:
        """End a job and forget it with everything it has."""
        self._connection.ask(Request("DELETE", _path(job)))

    def all(self) -> Iterator[Job]:
        """Walk the jobs of the key, the newest first."""
        following: str | None = _PLACE
        while following is not None:
            content = self._connection.ask(Request("GET", following)).content
            with same_form():
                jobs = [_dict_to_job(entry) for entry in content["jobs"]]
                following = content["next"]
            yield from jobs


def _path(job: Job | str, rest: str = "") -> str:
    name = job.id if isinstance(job, Job) else job
    return f"{_PLACE}/{quote(name, safe='')}{rest}"


def _result_of(job: Job | str, form: Format) -> Request:
    return Request("GET", _path(job, f"/result?format={form.name}"))


def _told(answer: Answer) -> Job:
    with same_form():
        return _dict_to_job(answer.content)


def _dict_to_job(content: Mapping[str, Any]) -> Job:
    counts = {name: int(content[name]) for name in _COUNTS}
    times = {name: _text_to_time(content[name]) for name in _TIMES}
    values: dict[str, Any] = {**counts, **times}
    return Job(id=str(content["id"]), status=str(content["status"]), **values)


def _text_to_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _entry_to_result(entry: Mapping[str, Any]) -> JobResult:
    number, name = int(entry["document"]), str(entry["name"])
    if not entry["success"]:
        return JobResult(number, name, error=entry_to_error(entry))
    (page,) = dict_to_pages(entry)
    return JobResult(number, name, page)
