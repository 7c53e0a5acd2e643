"""From what was read to the numbers a release goes by; no text leaves this module."""

from __future__ import annotations

import itertools
import math
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from shizi.core.types import Direction, PageResult, TextLine
from shizi.release.observations import Kind

_GARBLED_SHARE = 0.5
# Fewer characters may look like anything.
_LEAST_CHARACTERS = 8
_LONGEST_RUN = 8
_SIGN_LINES = 5
_SIGN_OF_PAGE = 1 / 12
_SIGN_PAGE_PX = 240
_PHOTO_SPREAD_DEG = 0.7
_HAND_SPREAD_DEG = 1.2
_HAND_HEIGHTS = 0.3
_LONG_LINE = 4.0
# Every answer is looked at, character by character; most are of a few thousand.
_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Numbers:
    """What an answer is in numbers.

    Attributes:
        lines: found.
        confidence: sum of their confidences.
        garbled: it looks like no text.
        kind: of the picture, told by what all versions see alike: its light and its lines.
    """

    lines: int
    confidence: float
    garbled: bool
    kind: Kind


def measure_pages(pages: Sequence[PageResult]) -> Numbers:
    """Put an answer into numbers; a line without a character is none."""
    lines = [line for page in pages for line in page.lines if line.text.strip()]
    return Numbers(
        lines=len(lines),
        confidence=sum(line.confidence for line in lines),
        garbled=looks_garbled("".join(line.text for line in lines)),
        kind=kind_of(pages),
    )


def looks_garbled(text: str) -> bool:
    """Tell whether a text looks like the output of a broken model rather than like language.

    Broken weights, or a charset that is off by a few rows, give symbols and rare characters,
    scripts that alternate from character to character, or one character over and over.
    """
    characters = [c for c in text if not c.isspace()]
    if len(characters) < _LEAST_CHARACTERS:
        return False
    odd = sum(_is_odd(c) for c in characters)
    breaks = sum(
        {_script(a), _script(b)} == {"han", "latin"} for a, b in itertools.pairwise(characters)
    )
    runs = [(c, sum(1 for _ in group)) for c, group in itertools.groupby(characters)]
    repeated = sum(n for c, n in runs if n >= _LONGEST_RUN and c.isalpha())
    worst = max(odd, breaks, repeated)
    return worst / len(characters) > _GARBLED_SHARE


def kind_of(pages: Sequence[PageResult]) -> Kind:
    """Tell the kind of a picture from its first page, by what does not depend on who read it.

    It is a guess, made for comparing like with like: both versions get the same one.
    """
    if not pages:
        return Kind.CLEAN
    page = pages[0]
    heights = [line.box.height for line in page.lines]
    few = page.height >= _SIGN_PAGE_PX and 0 < len(heights) <= _SIGN_LINES
    if few and statistics.median(heights) >= _SIGN_OF_PAGE * page.height:
        return Kind.SIGN
    spread = _spread_deg(page.lines)
    if spread > _HAND_SPREAD_DEG and _variation(heights) > _HAND_HEIGHTS:
        return Kind.HANDWRITING
    if spread > _PHOTO_SPREAD_DEG or "flatten" in page.steps:
        return Kind.PHOTO
    return Kind.SCAN if page.steps else Kind.CLEAN


def _spread_deg(lines: Sequence[TextLine]) -> float:
    """Give how differently long lines run, degrees: on paper before a camera they do."""
    angles = [
        line.box.angle_deg
        for line in lines
        if line.direction is Direction.HORIZONTAL and line.box.width > _LONG_LINE * line.box.height
    ]
    return statistics.pstdev(angles) if len(angles) > 1 else 0.0


def _variation(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return statistics.pstdev(values) / mean if mean else 0.0


@lru_cache(maxsize=_CHARACTERS)
def _is_odd(character: str) -> bool:
    """Tell rare ideographs, and symbols, private and unassigned code points."""
    if _script(character) == "han":
        return not _is_common(character)
    return unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs", "Sk", "Sm", "So")


def _is_common(character: str) -> bool:
    """Tell the ideographs in daily use: the first levels of GB 2312 and of Big5, and kana."""
    if character < "\u4e00":
        return True
    simple = character.encode("gb2312", "replace")[:1]
    traditional = character.encode("big5", "replace")[:1]
    return b"\xb0" <= simple <= b"\xd7" or b"\xa4" <= traditional <= b"\xc6"


@lru_cache(maxsize=_CHARACTERS)
def _script(character: str) -> str:
    if "\u4e00" <= character <= "\u9fff" or "\u3040" <= character <= "\u30ff":
        return "han"
    return "latin" if unicodedata.category(character)[0] == "L" else "other"
