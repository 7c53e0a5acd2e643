"""How a job is to be read, as whoever hands it in tells whoever works on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import msgspec

from shizi.core.errors import ShiziError
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.formats import pages_to_dict


@dataclass(frozen=True, slots=True)
class Spec:
    """What holds for every file of a job.

    Attributes:
        options: of the reader; its time is that of one page.
        pages: (first, last) of the pages to read, ascending and apart; None for last is the end.
        relative: whether boxes are shown as parts of the page instead of in pixels.
        hook: address that is told when the job has ended; empty for none.
        deposit: where its files lie in the spool; empty where they lie elsewhere.
        version: of the recognizer that reads it, such as "crnn-s@0.4.0", decided when it was
            handed in; empty for the one that answers by default.
    """

    options: ReadOptions = field(default_factory=ReadOptions)
    pages: tuple[tuple[int, int | None], ...] = ((1, None),)
    relative: bool = False
    hook: str = field(default="", repr=False)
    deposit: str = ""
    version: str = ""


_decoder = msgspec.json.Decoder(Spec)


def spec_to_text(spec: Spec) -> str:
    """Write a spec for the ledger."""
    return msgspec.json.encode(spec).decode()


def text_to_spec(text: str) -> Spec:
    """Read what `spec_to_text` wrote.

    Raises:
        ShiziError: another version wrote it.
    """
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise ShiziError("the job was handed in to another version of Shizi") from error


def merge_pages(pages: tuple[tuple[int, int | None], ...]) -> tuple[tuple[int, int | None], ...]:
    """Put ranges of pages into order and join those that touch: results are listed by page."""
    merged: list[tuple[int, int | None]] = []
    for first, last in sorted(pages, key=lambda span: span[0]):
        before = merged[-1] if merged else None
        if before is None or (before[1] is not None and before[1] + 1 < first):
            merged.append((first, last))
        elif before[1] is not None:
            end = None if last is None else max(before[1], last)
            merged[-1] = (before[0], end)
    return tuple(merged)


def page_to_body(page: PageResult, seconds: float) -> bytes:
    """Give what the ledger keeps of a page: its response object."""
    return json.dumps(pages_to_dict([page], seconds), ensure_ascii=False).encode("utf-8", "replace")
