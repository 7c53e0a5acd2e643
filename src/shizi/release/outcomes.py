"""Whose fault a failure is, and what an answer is in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.core.errors import (
    Busy,
    Canceled,
    DeadlineExceeded,
    FileAccessError,
    InputError,
    OptionError,
    Unavailable,
)
from shizi.core.types import PageResult
from shizi.release.observations import Observation, Outcome, Side
from shizi.release.readings import measure_pages
from shizi.release.router import Route

# The fault of the input, or of whoever asked.
_THEIRS = (InputError, OptionError, FileAccessError)


def is_theirs(error: BaseException) -> bool:
    """Tell whether no other version would read it either."""
    return isinstance(error, _THEIRS)


def outcome_of(error: BaseException) -> Outcome:
    """Tell whether a failure is the fault of the version that read.

    A version whose engine is gone is to blame for it; one that has too much to do is not.
    """
    if isinstance(error, DeadlineExceeded):
        return Outcome.TIMEOUT
    overloaded = isinstance(error, Busy) and not isinstance(error, Unavailable)
    if is_theirs(error) or overloaded or isinstance(error, Canceled):
        return Outcome.REJECTED
    return Outcome.FAILURE


def worked_s(pages: Sequence[PageResult], otherwise_s: float) -> float:
    """Give the seconds that pages were worked on, their wait for a place left out.

    Args:
        pages: as read.
        otherwise_s: where they do not tell.
    """
    return sum(seconds for page in pages for _, seconds in page.timing_s) or otherwise_s


def observe_answer(
    route: Route,
    side: Side,
    pages: Sequence[PageResult],
    seconds: float,
    like: Sequence[PageResult] | None = None,
    agreed: float | None = None,
) -> Observation:
    """Put an answer into numbers.

    Args:
        route: that it was read by.
        side: of the release.
        pages: that were read.
        seconds: they were worked on.
        like: reading that tells the kind of picture, so that both versions get the same one; None
            takes the pages themselves.
        agreed: agreement with the other version's reading, None where not compared.
    """
    numbers = measure_pages(pages)
    return Observation(
        route.release_id,
        route.epoch,
        route.version,
        side,
        Outcome.OK,
        seconds,
        kind=numbers.kind if like is None else measure_pages(like).kind,
        lines=numbers.lines,
        confidence=numbers.confidence,
        garbled=numbers.garbled,
        agreement=agreed,
    )


def observe_failure(route: Route, side: Side, outcome: Outcome) -> Observation:
    """Put a failure into numbers."""
    return Observation(route.release_id, route.epoch, route.version, side, outcome, 0.0)
