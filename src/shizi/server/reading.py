"""Reads the pictures of a request one after another, each for itself, within one deadline."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shizi.core.deadline import Deadline
from shizi.core.errors import Busy, DeadlineExceeded, ShiziError, bug
from shizi.core.types import PageResult
from shizi.engine.pagereader import PageReader
from shizi.server.schema import Call
from shizi.server.uploads import Picture

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """One picture or document of a request.

    Attributes:
        pages: what was read.
        error: why it could not be read, None where it could.
        seconds: it took.
    """

    pages: tuple[PageResult, ...] = ()
    error: ShiziError | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with, before it has a shape.

    Attributes:
        readings: one a picture, in the order they were sent.
        call: what was asked for.
        started_at_s: seconds since the epoch when the request came.
        total_time_s: seconds from the request to the answer.
        request_id: names the request.
    """

    readings: tuple[Reading, ...]
    call: Call
    started_at_s: float
    total_time_s: float
    request_id: str

    def pages(self) -> list[PageResult]:
        """Give the pages of all pictures that were read."""
        return [page for reading in self.readings for page in reading.pages]


def read_pictures(
    reader: PageReader, pictures: Sequence[Picture], call: Call
) -> tuple[Reading, ...]:
    """Read the pictures of one request.

    Args:
        reader: shared with other requests.
        pictures: encoded, or what is wrong with them.
        call: its time is that of all pictures together.

    Returns:
        One reading a picture, in their order; one that cannot be read has its error.

    Raises:
        ShiziError: the only picture cannot be read, or the reader is busy for all of them.
    """
    deadline = Deadline.after(call.options.timeout_s)
    readings = tuple(_read_apart(reader, picture, call, deadline) for picture in pictures)
    errors = [reading.error for reading in readings]
    first = errors[0]
    if first and (len(errors) == 1 or all(isinstance(error, Busy) for error in errors)):
        raise first
    return readings


def _read_apart(reader: PageReader, picture: Picture, call: Call, deadline: Deadline) -> Reading:
    started = time.perf_counter()
    try:
        pages = tuple(_read(reader, picture, call, deadline))
    except ShiziError as error:
        return Reading(error=error, seconds=time.perf_counter() - started)
    except Exception as error:  # noqa: BLE001 - a bug met by one picture is not its neighbours'
        _log.error("unexpected error while reading", exc_info=error)
        return Reading(error=bug(), seconds=time.perf_counter() - started)
    return Reading(pages, seconds=time.perf_counter() - started)


def _read(
    reader: PageReader, picture: Picture, call: Call, deadline: Deadline
) -> Iterable[PageResult]:
    if isinstance(picture, ShiziError):
        raise picture
    for first, last in call.pages:
        decode = replace(call.options.decode, first_page=first, last_page=last)
        yield from reader.read(
            picture, replace(call.options, decode=decode, timeout_s=_left(call, deadline))
        )


def _left(call: Call, deadline: Deadline) -> float | None:
    """Give the seconds left.

    Raises:
        DeadlineExceeded: there are none.
    """
    if call.options.timeout_s is None:
        return None
    left_s = deadline.left_s()
    if left_s <= 0:
        raise DeadlineExceeded("the time of the request ran out before its last pages")
    return left_s
