"""A line cut at its spaces: each piece with the place it takes along the line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from shizi.core.types import Direction, Point, Quad, TextLine

_PIECES = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or the spaces between two.

    Attributes:
        text: of it; the texts of all pieces together are that of the line.
        start: where it begins along the line, from 0 at its head to 1 at its end.
        end: where it ends; the next piece begins there.
        confidence: mean over its characters, or the line's where they are not listed.
    """

    text: str
    start: float
    end: float
    confidence: float

    @property
    def is_space(self) -> bool:
        """Whether there is nothing to see of it."""
        return self.text.isspace()


def split_line(line: TextLine) -> list[Piece]:
    """Cut a line into words and spaces.

    Their places come from the characters where the line lists them, else from how wide characters
    usually are. Pieces follow each other without a gap; each takes some room.
    """
    spans = [match.span() for match in _PIECES.finditer(line.text)]
    cuts = _measured(line, spans) or _estimated(line.text, spans)
    return [
        Piece(line.text[first:last], cuts[k], cuts[k + 1], _confidence(line, first, last))
        for k, (first, last) in enumerate(spans)
    ]


def piece_box(line: TextLine, piece: Piece) -> Quad:
    """Give the part of a line's box that a piece takes."""
    a, b, c, d = line.box.points
    if line.direction is Direction.VERTICAL:
        return Quad(
            (
                _at(a, d, piece.start),
                _at(b, c, piece.start),
                _at(b, c, piece.end),
                _at(a, d, piece.end),
            )
        )
    return Quad(
        (_at(a, b, piece.start), _at(a, b, piece.end), _at(d, c, piece.end), _at(d, c, piece.start))
    )


def _confidence(line: TextLine, first: int, last: int) -> float:
    listed = line.characters[first:last] if _lists_all(line) else ()
    return sum(c.confidence for c in listed) / len(listed) if listed else line.confidence


def _lists_all(line: TextLine) -> bool:
    return len(line.characters) == len(line.text)


def _estimated(text: str, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Give where pieces begin, and 1.0: a wide character counts two."""
    sizes = [2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text]
    reached = [0, *accumulate(sizes)]
    return [reached[first] / reached[-1] for first, _ in spans] + [1.0]


def _measured(line: TextLine, spans: Sequence[tuple[int, int]]) -> list[float] | None:
    """Give where pieces begin, and 1.0; None where the characters do not tell.

    A space reaches from the end of the word before it to the beginning of the word after it.
    """
    if not _lists_all(line) or len(spans) < 2:
        return None
    cuts = [0.0]
    for (first, last), (following, _) in pairwise(spans):
        word_ends = not line.text[first].isspace()
        character = line.characters[last - 1 if word_ends else following]
        cuts.append(_along(line, character.box)[1 if word_ends else 0])
    cuts.append(1.0)
    rising = all(b - a > 1e-4 for a, b in pairwise(cuts))
    return cuts if rising else None


def _along(line: TextLine, box: Quad) -> tuple[float, float]:
    """Tell from where to where a box reaches along a line, as parts of its length."""
    a, b, _, d = line.box.points
    head, foot = (a, d) if line.direction is Direction.VERTICAL else (a, b)
    dx, dy = foot[0] - head[0], foot[1] - head[1]
    square = dx * dx + dy * dy or 1.0
    places = [((x - head[0]) * dx + (y - head[1]) * dy) / square for x, y in box.points]
    return min(places), max(places)


def _at(first: Point, last: Point, share: float) -> Point:
    return (
        first[0] + share * (last[0] - first[0]),
        first[1] + share * (last[1] - first[1]),
    )


def words(line: TextLine) -> Iterator[Piece]:
    """Give the pieces of a line that are no spaces."""
    return (piece for piece in split_line(line) if not piece.is_space)
