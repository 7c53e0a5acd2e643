"""What a user types, turned into the values of options; the command line and HTTP share it."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TypeVar

from shizi.core.errors import OptionError
from shizi.core.options import Decoder, Effort, Lane, PdfText

_Word = TypeVar("_Word", bound=StrEnum)
_RANGE = re.compile(r"(\d+)(-(\d*))?")


def parse_pages(text: str) -> list[tuple[int, int | None]]:
    """Read page numbers such as "1,3-5,9-".

    Args:
        text: 1-based numbers and ranges; a range without an end goes to the last page.

    Returns:
        (first, last) pairs in rising order that neither touch nor overlap; last is None for
        "to the end".

    Raises:
        OptionError: it is no such list.
    """
    pairs = sorted((_parse_range(part.strip()) for part in text.split(",")), key=lambda p: p[0])
    merged: list[tuple[int, int | None]] = [pairs[0]]
    for first, last in pairs[1:]:
        begin, end = merged[-1]
        if end is not None and first > end + 1:
            merged.append((first, last))
        elif end is not None:
            merged[-1] = (begin, None if last is None else max(end, last))
    return merged


def _parse_range(text: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is no page and no range of pages such as 3 or 3-5")
    first, dash, end = int(match[1]), match[2], match[3]
    last = first if dash is None else int(end) if end else None
    if first < 1 or (last is not None and last < first):
        raise OptionError(f"{text!r}: pages count from 1 upwards")
    return first, last


def parse_steps(text: str) -> tuple[str, ...] | None:
    """Read the preparation steps: "auto" gives None, "none" an empty tuple, "a,b" their names.

    The names themselves are checked by whoever has the steps.
    """
    if text == "auto":
        return None
    if text in ("", "none"):
        return ()
    return parse_names(text)


def parse_names(text: str) -> tuple[str, ...]:
    """Read names with commas between them, in their order; empty ones are left out."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def parse_effort(text: str) -> Effort:
    """Read how much time lines are worth.

    Raises:
        OptionError: it is none of the three words.
    """
    return _parse_word("effort", text, Effort)


def parse_decoder(text: str) -> Decoder:
    """Read how scores become text.

    Raises:
        OptionError: it is neither of the two words.
    """
    return _parse_word("decoder", text, Decoder)


def parse_pdf_text(text: str) -> PdfText:
    """Read what becomes of the text that a PDF holds.

    Raises:
        OptionError: it is none of the three words.
    """
    return _parse_word("pdf_text", text, PdfText)


def parse_lane(text: str) -> Lane:
    """Read who goes first where several calls wait.

    Raises:
        OptionError: it is neither of the two words.
    """
    return _parse_word("priority", text, Lane)


def _parse_word(name: str, text: str, words: type[_Word]) -> _Word:
    try:
        return words(text.strip().lower())
    except ValueError:
        raise OptionError(f"{name} is {text!r}; it is one of {', '.join(words)}") from None


def parse_words(text: str) -> tuple[str, ...]:
    """Read a user's words, one a line; empty lines and lines that begin with # are left out."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def parse_whole(name: str, text: str, least: int, most: int) -> int:
    """Read a whole number within bounds.

    Raises:
        OptionError: it is none, or lies outside; the message names it.
    """
    try:
        value = int(text)
    except ValueError:
        raise OptionError(f"{name} is {text!r}, not a whole number") from None
    if not least <= value <= most:
        raise OptionError(f"{name} is {value}; it must be from {least} to {most}")
    return value


def parse_seconds(name: str, text: str, least: float, most: float) -> float:
    """Read a length of time within bounds, in seconds.

    Raises:
        OptionError: it is none, or lies outside; the message names it.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise OptionError(f"{name} is {text!r}; it must be from {least:g} to {most:g} seconds")
    return value


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]i?|)b?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read a size in bytes such as "300MiB", "1.5 GB" or "5000".

    Raises:
        OptionError: it is none.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise OptionError(f"{text!r} is no size; write it as 300MiB, 1.5GB or in bytes")
    return round(float(match[1]) * _UNITS[match[2].lower()])


def parse_flag(name: str, text: str) -> bool:
    """Read yes or no.

    Raises:
        OptionError: it is neither.
    """
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off", ""):
        return False
    raise OptionError(f"{name} is {text!r}; say true or false")
