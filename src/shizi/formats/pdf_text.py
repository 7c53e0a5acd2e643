"""The operators that lay a page's text, unseen, over its picture.

A line is one run of characters: no program that reads it has a gap to take for a space, which is
how other tools' Chinese comes to be copied with a space after each character. The run is stretched
to the length of its box, word by word where the places of the words are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shizi.core.types import Direction, Frame, Point, TextLine
from shizi.formats.pdf_font import ASCENT, DESCENT, EM, Glyphs, advance
from shizi.formats.words import Piece, split_line

#: Poppler breaks a line of text that leaves its first baseline by half the size of the font, so a
#: line on a page that is slightly askew is turned no further than this part of its height.
_DRIFT: Final = 0.4
#: Beyond it the page is no scan askew but a text set at an angle, and keeps it.
_ASKEW_DEG: Final = 5.0
#: Characters set closer than this are taken for one printed twice, to look bold.
_TIGHTEST: Final = 0.4
#: Radians up to which a line is not turned.
_UPRIGHT: Final = math.pi / 4
_MIDDLE: Final = (ASCENT + DESCENT) / 2 / EM
_TOO_SMALL_PT: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Run:
    """A line in the space of the page, points, y up.

    Attributes:
        middle: of the line's left end, as read.
        angle: of its direction, radians counterclockwise.
        length: along the text.
        height: across it.
    """

    middle: Point
    angle: float
    length: float
    height: float


def text_operators(
    lines: Iterable[TextLine], to_page: Frame, glyphs: Glyphs, font: str
) -> Iterator[str]:
    """Write the text of a page.

    Args:
        lines: in reading order.
        to_page: maps pixels of the results to the page's points, y up.
        glyphs: numbers the characters.
        font: name of the font among the page's resources.

    Yields:
        Operators of a content stream, for a page whose own are not in force.
    """
    yield "q BT 3 Tr"
    for line in lines:
        run = _run(line, to_page)
        if line.text.strip() and min(run.length, run.height) > _TOO_SMALL_PT:
            yield from _line_operators(line, _straightened(run), glyphs, font)
    yield "ET Q"


def _run(line: TextLine, to_page: Frame) -> _Run:
    a, b, c, d = (to_page.map(point) for point in line.box.points)
    if line.direction is Direction.VERTICAL:
        # The run goes down the page: what is its top, as read, is the right edge of the box.
        a, b, c, d = b, c, d, a
    head, tail = _between(a, d), _between(b, c)
    return _Run(
        middle=head,
        angle=math.atan2(tail[1] - head[1], tail[0] - head[0]),
        length=math.dist(head, tail),
        height=(math.dist(a, d) + math.dist(b, c)) / 2,
    )


def _straightened(run: _Run) -> _Run:
    """Turn a run that is slightly askew towards the nearest right angle, about its middle."""
    right = round(run.angle / (math.pi / 2)) * (math.pi / 2)
    tilt = run.angle - right
    if abs(tilt) > math.radians(_ASKEW_DEG):
        return run
    most = math.asin(min(1.0, _DRIFT * run.height / max(run.length, run.height)))
    angle = right + max(-most, min(most, tilt))
    half = run.length / 2
    x = run.middle[0] + half * (math.cos(run.angle) - math.cos(angle))
    y = run.middle[1] + half * (math.sin(run.angle) - math.sin(angle))
    return _Run((x, y), angle, run.length, run.height)


def _line_operators(line: TextLine, run: _Run, glyphs: Glyphs, font: str) -> Iterator[str]:
    pieces = split_line(line)
    if abs(run.angle) > _UPRIGHT:
        # PDFium puts the parts of turned lines in an order of its own.
        pieces = [Piece(line.text, 0.0, 1.0, line.confidence)]
    widths = [sum(map(advance, piece.text)) / EM for piece in pieces]
    size = min(run.height, run.length / (sum(widths) * _TIGHTEST))
    cos, sin = math.cos(run.angle), math.sin(run.angle)
    x, y = run.middle[0] + sin * _MIDDLE * size, run.middle[1] - cos * _MIDDLE * size
    yield f"/{font} {_number(size)} Tf"
    yield f"{cos:.5f} {sin:.5f} {-sin:.5f} {cos:.5f} {_number(x)} {_number(y)} Tm"
    for piece, width in zip(pieces, widths, strict=True):
        stretch = 100 * (piece.end - piece.start) * run.length / (width * size)
        yield f"{_number(stretch)} Tz <{glyphs.encode(piece.text).hex().upper()}> Tj"


def _number(value: float) -> str:
    """Write a number as PDF has it: no exponent, no more digits than a printer resolves."""
    return f"{value:.3f}"


def _between(first: Point, last: Point) -> Point:
    return (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
