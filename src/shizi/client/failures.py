"""Errors of the service, raised again where it was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shizi.core.errors import (
    Busy,
    InputError,
    JobNotFound,
    LedgerFailed,
    MissingExtra,
    RateLimited,
    ShiziError,
    TooLarge,
    Unreachable,
    find_kind,
)

#: Seconds until another try where the service does not say.
WAIT_S = 1.0
_TOO_LARGE = re.compile(r"(\w+) is ([\d,]+) and the input has ([\d,]+)")
_QUOTED = re.compile(r"'([^']*)'")


def make_error(code: str, detail: str, retry_after_s: float | None = None) -> ShiziError:
    """Make the error of a code again.

    Args:
        code: that the service names.
        detail: its sentence, which holds the values that some errors have of their own.
        retry_after_s: seconds it asks to wait; None where it does not.
    """
    kind = find_kind(code)
    wait_s = WAIT_S if retry_after_s is None else retry_after_s
    if issubclass(kind, LedgerFailed):
        return kind(detail, wait_s)
    if issubclass(kind, Busy | RateLimited):
        return kind(wait_s)
    if issubclass(kind, TooLarge):
        return _too_large(kind, detail)
    if issubclass(kind, JobNotFound | MissingExtra):
        named = _QUOTED.search(detail)
        return kind(named[1]) if named else ShiziError(detail)
    return kind(detail)


def entry_to_error(entry: Mapping[str, Any]) -> ShiziError:
    """Give why a picture or file could not be read, from its entry of an answer.

    Raises:
        KeyError, TypeError: the entry has another form.
    """
    return make_error(entry["error"]["code"], entry["error"]["message"])


@contextmanager
def same_form() -> Iterator[None]:
    """Translate what an answer of another form than ours leads to in the block.

    Raises:
        Unreachable: it has one.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable("what answers is no Shizi: its answer has another form") from error


def _too_large(kind: type[TooLarge], detail: str) -> ShiziError:
    match = _TOO_LARGE.search(detail)
    if match is None:
        return InputError(detail)
    limit, actual = (int(number.replace(",", "")) for number in match.groups()[1:])
    return kind(match[1], limit, actual)
