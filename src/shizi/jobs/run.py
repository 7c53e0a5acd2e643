"""Works on one chunk: the one way, whoever took it and wherever that is.

Files are read one after another, documents a few pages at a time; what was read is recorded at
once. A file that was begun before goes on after the pages that were recorded. Between two calls of
the reader it is seen whether the lease was lost, the work is to stop, or has taken long enough.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from shizi.core.errors import (
    Busy,
    DeadlineExceeded,
    FileAccessError,
    LeaseLost,
    LedgerFailed,
    OptionError,
    ShiziError,
    TooLarge,
    Unavailable,
    bug,
)
from shizi.core.options import Lane, ReadOptions
from shizi.core.types import PageResult
from shizi.engine.pagereader import PageReader
from shizi.imaging.sniff import sniff
from shizi.jobs.heart import Heart
from shizi.jobs.ledger import Ledger
from shizi.jobs.spec import Spec, page_to_body, text_to_spec
from shizi.jobs.values import Chunk, Item, Outcome, PageRecord

_log = logging.getLogger(__name__)
T = TypeVar("T")

# Formats that may have more than one page.
_DOCUMENTS = ("pdf", "tiff", "gif", "webp", "avif", "heic")
_LONGEST_PAUSE_S = 5.0
_PAGES_AT_ONCE = 50
# What may pass when it is tried again: the machine was at fault rather than the file.
_PASSING = (Unavailable, DeadlineExceeded, FileAccessError)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a chunk is worked on.

    Attributes:
        beat_s: seconds between two signs of life; a third of the lease at most.
        chunk_s: seconds after which what is left of a chunk is given back.
        pages: of a document that are read in one call.
    """

    beat_s: float = 3.0
    chunk_s: float = 300.0
    pages: int = 4


@dataclass(frozen=True, slots=True)
class Desk:
    """What a chunk is worked on with; threads share it.

    Attributes:
        ledger: the chunk is of.
        reader: that reads.
        fetch: gives the bytes of a file by its ref.
        pace: of the work.
        versions: gives what reads with a version; None where there is but one.
    """

    ledger: Ledger
    reader: PageReader
    fetch: Callable[[str], bytes]
    pace: Pace = Pace()
    versions: Callable[[str], PageReader] | None = None

    def reader_of(self, spec: Spec) -> PageReader:
        """Give what reads a job: the version it was given to, where it was given to one."""
        return self.versions(spec.version) if self.versions and spec.version else self.reader


class _Interrupted(Exception):
    """The work on the chunk is to end between two calls."""


def work_chunk(desk: Desk, chunk: Chunk, stop: threading.Event) -> None:
    """Read the files of a chunk, and give back what is left of it when told to stop.

    Args:
        desk: to work at.
        chunk: that was taken.
        stop: set when the work is to end soon.

    Raises:
        LedgerFailed: the ledger cannot be reached and the work is to stop; others go on with it.
    """
    run = _Run(desk, chunk, stop)
    try:
        with Heart(desk.ledger, chunk.lease, desk.pace.beat_s) as run.heart:
            run.read_all()
    except LeaseLost:
        _log.info("a chunk was taken away, or its job has ended")
    except _Interrupted:
        desk.ledger.release(chunk.lease)


class _Run:
    """The work on one chunk."""

    heart: Heart

    def __init__(self, desk: Desk, chunk: Chunk, stop: threading.Event) -> None:
        self._desk = desk
        self._chunk = chunk
        self._stop = stop
        self._over_at_s = time.monotonic() + desk.pace.chunk_s

    def read_all(self) -> None:
        """Read the files one after another.

        Raises:
            LeaseLost: somebody else has the chunk.
            _Interrupted: the work is to stop.
        """
        for item in self._chunk.items:
            self._check()
            self._insist(partial(self._begin, item))
            outcome = self._read_item(item)
            self._insist(partial(self._finish, outcome))

    def _begin(self, item: Item) -> None:
        self._desk.ledger.begin(self._chunk.lease, [item.number])

    def _finish(self, outcome: Outcome) -> None:
        self._desk.ledger.finish(self._chunk.lease, [outcome])

    def _read_item(self, item: Item) -> Outcome:
        """Read a file; whatever is wrong with it becomes its outcome."""
        try:
            spec = text_to_spec(self._chunk.spec)
            return Outcome(item.number, pages=self._read_pages(item, spec))
        except (LeaseLost, LedgerFailed):
            raise
        except ShiziError as error:
            again = isinstance(error, _PASSING)
            return Outcome(item.number, error.code, error.detail, again=again)
        except _Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - a bug met by one file is not its neighbours'
            _log.error("unexpected error while reading", exc_info=error)
            return Outcome(item.number, ShiziError.code, bug().detail, again=True)

    def _read_pages(self, item: Item, spec: Spec) -> int:
        """Read and record the pages of a file that are not recorded yet; gives how many it has."""
        data = self._desk.fetch(item.source.ref)
        done = self._pages_done(item.number)
        step = self._desk.pace.pages if sniff(data) in _DOCUMENTS else 1
        for span in _spans(spec.pages, step):
            if span.is_in(done):
                continue
            pages = self._read(data, span, spec)
            if pages is None:
                span.end()
                continue
            records = [
                PageRecord(item.number, page.number, page_to_body(page, seconds))
                for page, seconds in pages
            ]
            self._insist(partial(self._record, records))
            done |= {record.page for record in records}
            if len(done) > spec.options.limits.max_pages:
                raise TooLarge("max_pages", spec.options.limits.max_pages, len(done))
            if step == 1 or len(pages) < span.size:
                span.end()
        return len(done)

    def _record(self, records: list[PageRecord]) -> None:
        self._desk.ledger.record(self._chunk.lease, records)

    def _pages_done(self, number: int) -> set[int]:
        """Give the pages of a file that were recorded when it was begun before."""
        job_id, ledger = self._chunk.lease.job_id, self._desk.ledger
        done: set[int] = set()
        while True:
            after = (number, max(done, default=0))
            # Nearly always there are none, and the first row found is of the next file.
            limit = _PAGES_AT_ONCE if done else 1
            found = self._insist(partial(ledger.pages, job_id, after=after, limit=limit))
            own = {record.page for record in found if record.item == number}
            if not own:
                return done
            done |= own

    def _read(self, data: bytes, span: _Span, spec: Spec) -> list[tuple[PageResult, float]] | None:
        """Read a few pages, with the seconds of each; None where the document has ended."""
        decode = replace(spec.options.decode, first_page=span.first, last_page=span.last)
        timeout_s = spec.options.timeout_s
        options = replace(
            spec.options,
            decode=decode,
            lane=Lane.BULK,
            timeout_s=None if timeout_s is None else timeout_s * span.size,
        )
        started = time.perf_counter()
        try:
            pages = self._read_when_free(self._desk.reader_of(spec), data, options)
        except OptionError:
            if span.first > span.begins:
                return None
            raise
        each_s = (time.perf_counter() - started) / max(1, len(pages))
        return [(page, each_s) for page in pages]

    def _read_when_free(
        self, reader: PageReader, data: bytes, options: ReadOptions
    ) -> list[PageResult]:
        while True:
            self._check()
            try:
                return reader.read(data, options)
            except Unavailable:
                raise
            except Busy as error:
                self._pause(error.retry_after_s)

    def _insist(self, act: Callable[[], T]) -> T:
        """Do something with the ledger, however long it cannot be reached.

        Raises:
            LeaseLost: somebody else has the chunk.
            LedgerFailed: it cannot be reached, and the work is to stop.
        """
        while True:
            self.heart.check()
            try:
                return act()
            except LedgerFailed as error:
                if self._stop.is_set():
                    raise
                self._pause(error.retry_after_s)

    def _pause(self, seconds: float) -> None:
        self._stop.wait(min(seconds, _LONGEST_PAUSE_S))

    def _check(self) -> None:
        self.heart.check()
        if self._stop.is_set() or time.monotonic() > self._over_at_s:
            raise _Interrupted


class _Span:
    """Pages that are read in one call."""

    def __init__(self, begins: int, first: int, last: int) -> None:
        self.begins = begins
        self.first = first
        self.last = last
        self.ended = False

    @property
    def size(self) -> int:
        """Pages of it."""
        return self.last - self.first + 1

    def is_in(self, pages: set[int]) -> bool:
        """Tell whether all its pages are among these."""
        return pages.issuperset(range(self.first, self.last + 1))

    def end(self) -> None:
        """Say that the document has no further pages."""
        self.ended = True


def _spans(pages: tuple[tuple[int, int | None], ...], step: int) -> Iterator[_Span]:
    """Cut ranges of pages into spans, until one says that the document has ended."""
    for begins, last in pages:
        first = begins
        while last is None or first <= last:
            span = _Span(
                begins, first, first + step - 1 if last is None else min(first + step - 1, last)
            )
            yield span
            if span.ended:
                return
            first = span.last + 1
