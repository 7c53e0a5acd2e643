"""What a job has brought, in the order of its files: pages that were read, files that failed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shizi.core.errors import ShiziError, find_kind
from shizi.core.types import PageResult
from shizi.formats import Document, Format, Json, dict_to_pages, failure_to_dict, pages_to_dict
from shizi.jobs.ledger import Ledger
from shizi.jobs.values import Item, JobState, PageRecord

#: Place of a failure: after all pages of its file.
LAST = 1_000_000_000
_ITEMS = 200
_PAGES = 20

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of a file, or why the file could not be read (on).

    Attributes:
        item: the file.
        record: of the page; None for a failure.
    """

    item: Item
    record: PageRecord | None = None

    @property
    def place(self) -> Place:
        """Where it stands: the file's number and the page."""
        return self.item.number, LAST if self.record is None else self.record.page


def walk_entries(ledger: Ledger, job_id: str, after: Place = (-1, LAST)) -> Iterator[Entry]:
    """Walk the pages and failures of a job that come after a place; few are in memory at once."""
    pages = _pages(ledger, job_id, after)
    record = next(pages, None)
    number, page = after
    for item in _items(ledger, job_id, number - 1 if page < LAST else number):
        while record is not None and record.item <= item.number:
            if record.item == item.number:
                yield Entry(item, record)
            record = next(pages, None)
        if item.state is JobState.FAILED:
            yield Entry(item)


def entry_to_dict(entry: Entry, *, relative: bool = False) -> Json:
    """Give the object of an entry: that of a document of one page, or of a failure."""
    head: Json = {"document": entry.item.number + 1, "name": entry.item.source.name}
    if entry.record is None:
        error = item_to_error(entry.item)
        return head | failure_to_dict(error.code, error.detail, error.advice)
    content: dict[str, Any] = json.loads(entry.record.body)
    if relative:
        content = pages_to_dict(dict_to_pages(content), content["total_time"], relative=True)
    return head | content


def item_to_error(item: Item) -> ShiziError:
    """Give the error a file failed with."""
    # Its own values are gone; its class, which has the advice, and its sentence are not.
    kind = find_kind(item.code)
    error = kind.__new__(kind)
    ShiziError.__init__(error, item.detail)
    return error


def render(form: Format, entries: Iterator[Entry]) -> Iterator[bytes]:
    """Write all entries as one file, in pieces.

    Args:
        form: of the file.
        entries: of a job, from its first.

    Raises:
        MissingExtra: a package that the format needs is not installed; before the first piece.
    """
    out = _Drain()
    writer = form.open(out, several=True)

    def pieces() -> Iterator[bytes]:
        begun: Item | None = None
        seconds = 0.0
        for entry in entries:
            if begun is not None and begun.number != entry.item.number:
                writer.end(seconds)
                begun = None
            if entry.record is None:
                writer.fail(entry.item.source.name, item_to_error(entry.item))
                begun = None
            else:
                if begun is None:
                    writer.begin(Document(entry.item.source.name))
                    begun, seconds = entry.item, 0.0
                page, took_s = _page(entry.record)
                writer.add(page)
                seconds += took_s
            yield out.drain()
        if begun is not None:
            writer.end(seconds)
        writer.close()
        yield out.drain()

    return filter(None, pieces())


class _Drain(io.BytesIO):
    """A file whose content is taken away as it is written."""

    def drain(self) -> bytes:
        """Give what was written since, and forget it."""
        data = self.getvalue()
        self.seek(0)
        self.truncate()
        return data


def _page(record: PageRecord) -> tuple[PageResult, float]:
    content = json.loads(record.body)
    (page,) = dict_to_pages(content)
    return page, float(content["total_time"])


def _items(ledger: Ledger, job_id: str, after: int) -> Iterator[Item]:
    while found := ledger.items(job_id, after=after, limit=_ITEMS):
        yield from found
        after = found[-1].number


def _pages(ledger: Ledger, job_id: str, after: Place) -> Iterator[PageRecord]:
    while found := ledger.pages(job_id, after=after, limit=_PAGES):
        yield from found
        after = (found[-1].item, found[-1].page)
