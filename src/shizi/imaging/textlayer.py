"""The text that a document holds beside its picture: put into lines, and judged.

Programs that write PDF say for each character where it stands, but rarely say it for lines, and not
all of them say the truth: fonts without a usable table give codes instead of characters, and texts
that other readers of pictures left have a space after each Chinese character. A layer is kept where
it can be read; where a page shows more than it says, the rest of the page is read as a picture.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from shizi.core.types import Character, Direction, Origin, Quad, TextLayer, TextLine

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_TURN: Final = math.radians(5)
#: A line with a larger share of characters that nobody can read is not kept.
_BROKEN_LINE: Final = 0.1
#: A page where those lines have a larger share of all characters keeps none.
_BROKEN_PAGE: Final = 0.3
#: Letters of Western Europe are rarer than this in any text of theirs; Chinese text whose bytes
#: were taken for them has little else.
_WESTERN: Final = 0.4
#: A space after more of the Chinese characters than this was never typed.
_SPACED: Final = 0.5
_FEW: Final = 10
#: Parts of a page's area: pictures smaller than this hold no text that matters, unless all of
#: them together are larger than that.
_SMALL_PICTURE: Final = 0.005
_SMALL_PICTURES: Final = 0.02
#: A picture whose text is known has lines on more of its area.
_KNOWN: Final = 0.05
#: So many shapes of the size of characters may be text that was turned into outlines.
MANY_SHAPES: Final = 60
_WIDE_CLASSES: Final = frozenset("WF")


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character of a page.

    Attributes:
        text: one character.
        box: upright, in pixels of the page.
        angle: of its line, radians clockwise.
        broken: whether the document does not say which character it is.
    """

    text: str
    box: Rect
    angle: float = 0.0
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What a page shows beside its text.

    Attributes:
        pictures: where they stand, and form fields and stamps, in pixels of the page.
        shapes: how many drawn shapes have the size of a character.
    """

    pictures: tuple[Rect, ...] = ()
    shapes: int = 0


@dataclass(frozen=True, slots=True)
class _Placed:
    """A character in the frame of its line: u along the text, v across it, downwards."""

    glyph: Glyph
    u: tuple[float, float]
    v: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far, in heights, a character may stand from the one before it on its line.

    Attributes:
        ahead: between the end of the one and the beginning of the other.
        back: between their beginnings, against the direction of the text.
        aside: between their middles, across it.
    """

    ahead: float
    back: float
    aside: float


_LOOSE: Final = _Reach(ahead=2.0, back=1.0, aside=0.7)
#: Where PDFium says that a line ends. It ends lines of turned text too early.
_TIGHT: Final = _Reach(ahead=0.3, back=0.0, aside=0.3)

_Run = list[_Placed]


def judge_layer(
    glyphs: Iterable[Glyph | None], sight: Sight, size: tuple[int, int]
) -> TextLayer | None:
    """Keep what can be read of a page's text.

    Args:
        glyphs: in the document's order; None for the end of a line.
        sight: what else the page shows.
        size: (width, height) of the page, pixels.

    Returns:
        The lines, and whether they are all there is to read; None where there is none, or none
        that can be trusted.
    """
    runs = _runs(glyphs, size)
    good = [run for run in runs if _broken_share(run) <= _BROKEN_LINE]
    lost = sum(map(len, runs)) - sum(map(len, good))
    if not good or lost > _BROKEN_PAGE * sum(map(len, runs)) or _is_garbled(good):
        return None
    lines = _lines(good)
    return TextLayer(tuple(lines), whole=not lost and not _shows_more(lines, sight, size))


def take_layer(glyphs: Iterable[Glyph | None], size: tuple[int, int]) -> TextLayer | None:
    """Take a page's text as it is; None where there is none. See `judge_layer`."""
    lines = _lines(_runs(glyphs, size))
    return TextLayer(tuple(lines), whole=True) if lines else None


def _runs(glyphs: Iterable[Glyph | None], size: tuple[int, int]) -> list[_Run]:
    """Part characters into lines, without the spaces around them."""
    runs: list[_Run] = [[]]
    ended = False
    for glyph in glyphs:
        if glyph is None:
            ended = True
        elif glyph.text.isspace():
            if runs[-1]:
                last = runs[-1][-1]
                runs[-1].append(replace(last, glyph=replace(last.glyph, text=" ")))
        elif _is_on_page(glyph.box, size):
            placed = _place(glyph)
            if runs[-1] and _parts(runs[-1][-1], placed, _TIGHT if ended else _LOOSE):
                runs.append([])
            ended = False
            runs[-1].append(placed)
    return [trimmed for run in runs if (trimmed := _trimmed(run))]


def _trimmed(run: _Run) -> _Run:
    end = len(run)
    while end and run[end - 1].glyph.text.isspace():
        end -= 1
    return run[:end]


def _is_on_page(box: Rect, size: tuple[int, int]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return 0 <= x <= size[0] and 0 <= y <= size[1]


def _place(glyph: Glyph) -> _Placed:
    cos, sin = math.cos(glyph.angle), math.sin(glyph.angle)
    left, top, right, bottom = glyph.box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    along = [cos * x + sin * y for x, y in corners]
    across = [cos * y - sin * x for x, y in corners]
    return _Placed(glyph, (min(along), max(along)), (min(across), max(across)))


def _parts(last: _Placed, placed: _Placed, reach: _Reach) -> bool:
    """Tell whether a character begins another line than that of the one before it."""
    height = max(last.v[1] - last.v[0], placed.v[1] - placed.v[0], 1.0)
    ahead = (placed.u[0] - last.u[1]) / height
    back = (placed.u[0] - last.u[0]) / height
    aside = abs(sum(placed.v) - sum(last.v)) / 2 / height
    return (
        abs(placed.glyph.angle - last.glyph.angle) > _TURN
        or ahead > reach.ahead
        or back < -reach.back
        or aside > reach.aside
    )


def _broken_share(run: _Run) -> float:
    seen = [placed.glyph for placed in run if not placed.glyph.text.isspace()]
    return sum(glyph.broken or _is_no_text(glyph.text) for glyph in seen) / len(seen)


def _is_no_text(character: str) -> bool:
    """Tell controls, private and unassigned characters, and the one that stands for none."""
    return character == "\ufffd" or unicodedata.category(character) in {"Cc", "Co", "Cn", "Cs"}


def _is_garbled(runs: Sequence[_Run]) -> bool:
    """Tell text that consists of characters and yet is none."""
    texts = [[placed.glyph.text for placed in run] for run in runs]
    letters = [c for text in texts for c in text if c.isalpha()]
    western = sum("\u0080" <= c <= "\u024f" for c in letters)
    closed = sum(_is_wide(a) and _is_wide(b) for text in texts for a, b in pairwise(text))
    spaced = sum(
        _is_wide(a) and gap.isspace() and _is_wide(b)
        for text in texts
        for a, gap, b in zip(text, text[1:], text[2:], strict=False)
    )
    return (len(letters) >= _FEW and western > _WESTERN * len(letters)) or (
        spaced + closed >= _FEW and spaced > _SPACED * (spaced + closed)
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in _WIDE_CLASSES


def _lines(runs: Sequence[_Run]) -> list[TextLine]:
    """Turn runs into lines; single characters below each other are a vertical one."""
    lines: list[TextLine] = []
    column: list[_Placed] = []
    for run in runs:
        alone = run[0] if len(run) == 1 and _is_wide(run[0].glyph.text) else None
        if alone is not None and column and _is_below(column, alone):
            column.append(alone)
            continue
        lines.extend(_column_lines(column))
        column = [] if alone is None else [alone]
        if alone is None:
            lines.append(_line(run))
    lines.extend(_column_lines(column))
    return lines


def _is_below(column: Sequence[_Placed], placed: _Placed) -> bool:
    if abs(placed.glyph.angle - column[-1].glyph.angle) > _TURN:
        return False
    left, right = min(p.u[0] for p in column), max(p.u[1] for p in column)
    size = right - left
    slack = 0.3 * size
    gap = placed.v[0] - column[-1].v[1]
    return left - slack <= placed.u[0] and placed.u[1] <= right + slack and -slack <= gap <= size


def _column_lines(column: Sequence[_Placed]) -> Iterator[TextLine]:
    if len(column) == 1:
        yield _line(column)
    elif column:
        u = min(p.u[0] for p in column), max(p.u[1] for p in column)
        v = column[0].v[0], column[-1].v[1]
        angle = column[0].glyph.angle
        characters = tuple(
            Character(p.glyph.text, 1.0, _quad(u, (p.v[0], max(p.v)), angle)) for p in column
        )
        yield _text_line(characters, _quad(u, v, angle), Direction.VERTICAL)


def _line(run: Sequence[_Placed]) -> TextLine:
    u = min(p.u[0] for p in run), max(p.u[1] for p in run)
    v = min(p.v[0] for p in run), max(p.v[1] for p in run)
    angle = run[0].glyph.angle
    characters = []
    for k, placed in enumerate(run):
        text, span = placed.glyph.text, placed.u
        if text.isspace():
            # It reaches from the character before it to the one after it.
            span = placed.u[1], max(placed.u[1], _next_start(run, k))
        characters.append(Character(text, 1.0, _quad(span, v, angle)))
    return _text_line(tuple(characters), _quad(u, v, angle), Direction.HORIZONTAL)


def _next_start(run: Sequence[_Placed], k: int) -> float:
    return next(p.u[0] for p in run[k:] if not p.glyph.text.isspace())


def _text_line(characters: tuple[Character, ...], box: Quad, direction: Direction) -> TextLine:
    text = "".join(character.text for character in characters)
    return TextLine(text, 1.0, box, direction, characters, Origin.LAYER)


def _quad(u: tuple[float, float], v: tuple[float, float], angle: float) -> Quad:
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, c, d = (
        (cos * along - sin * across, sin * along + cos * across)
        for along, across in ((u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1]))
    )
    return Quad((a, b, c, d))


def _shows_more(lines: Sequence[TextLine], sight: Sight, size: tuple[int, int]) -> bool:
    """Tell whether a page shows pictures or shapes that may hold text beside its lines."""
    if sight.shapes >= MANY_SHAPES:
        return True
    area = size[0] * size[1]
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    boxes = [line.box.bounds for line in lines]
    small = 0.0
    for picture in (_common(each, whole) for each in sight.pictures):
        extent = _area(picture)
        if extent < _SMALL_PICTURE * area:
            small += extent
        elif sum(_area(_common(picture, box)) for box in boxes) < _KNOWN * extent:
            return True
    return small > _SMALL_PICTURES * area


def _common(first: Rect, second: Rect) -> Rect:
    return (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )


def _area(rect: Rect) -> float:
    return max(0.0, rect[2] - rect[0]) * max(0.0, rect[3] - rect[1])
