"""Reads the lines of one page: quads in, text out, whichever way each line runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shizi.core.pixels import GrayImage, RgbImage
from shizi.core.types import Character, Direction, Frame, LineError, Point, Quad, TextLine
from shizi.engine.looks import Answer, Looks
from shizi.imaging.lines import crop_line
from shizi.imaging.trim import text_rows
from shizi.imaging.vertical import Row, is_tall, lay_out, turn_left, turn_right
from shizi.models.recognizer import Reading, Symbol

# Up to this shape a tall box may as well be one narrow character, such as a 1.
_ONE_CHARACTER = 3.5


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One way to read a quad.

    Attributes:
        crop: what the recognizer sees, text from left to right.
        quad: the line's, beginning where its text would begin this way.
        row: how a vertical line was laid out; None for a line read along its quad.
    """

    crop: RgbImage | GrayImage
    quad: Quad
    row: Row | None = None


def read_lines(
    image: RgbImage,
    quads: Sequence[Quad],
    looks: Looks,
    frame: Frame,
    *,
    characters: bool = False,
) -> list[TextLine | LineError]:
    """Read the lines of a page.

    A tall quad is read upright, as a vertical line, and turned to either side; the reading the
    recognizer is surest of wins.

    Args:
        image: (H, W, 3) uint8 RGB, the page worked on.
        quads: of its lines, pixels of `image`.
        looks: who reads them.
        frame: maps points of `image` to the original page, which the answers are given in.
        characters: whether lines list their characters.

    Returns:
        One entry a quad, same order; one that failed does not affect the others.

    Raises:
        ModelError: the recognizer failed as a whole.
    """
    attempts = [_attempts(image, quad) for quad in quads]
    readings = iter(looks.look([a.crop for group in attempts for a in group]))
    chosen = [_best([(attempt, next(readings)) for attempt in group]) for group in attempts]
    answers = looks.again([attempt.crop for attempt, _ in chosen], [a for _, a in chosen])
    return [
        _to_line(attempt, answer, frame, characters=characters)
        if isinstance(answer, Reading)
        else LineError(frame.map_quad(quad), answer)
        for quad, (attempt, _), answer in zip(quads, chosen, answers, strict=True)
    ]


def _best(answers: list[tuple[_Attempt, Answer]]) -> tuple[_Attempt, Answer]:
    """Choose among the ways to read a quad; one that failed is the last choice."""
    return max(answers, key=lambda pair: _rank(pair[1]))


def _attempts(image: RgbImage, quad: Quad) -> list[_Attempt]:
    crop = crop_line(image, quad)
    upright = _trimmed(crop, quad)
    if not is_tall(quad):
        return [upright]
    row = lay_out(crop)
    a, b, c, d = quad.points
    attempts = [
        _Attempt(row.image, quad, row),
        _trimmed(turn_left(crop), Quad((b, c, d, a))),
        _trimmed(turn_right(crop), Quad((d, a, b, c))),
    ]
    return [*attempts, upright] if quad.height < _ONE_CHARACTER * quad.width else attempts


def _trimmed(crop: RgbImage | GrayImage, quad: Quad) -> _Attempt:
    """Cut the empty rows off a horizontal crop, and off its quad."""
    top, bottom = text_rows(crop)
    a, b, c, d = quad.points
    upper, lower = top / crop.shape[0], bottom / crop.shape[0]
    tight = Quad((_at(a, d, upper), _at(b, c, upper), _at(b, c, lower), _at(a, d, lower)))
    return _Attempt(np.ascontiguousarray(crop[top:bottom]), tight)


def _rank(answer: Answer) -> float:
    """Order readings of the same line; nothing read is worse than anything read."""
    if not isinstance(answer, Reading):
        return -2.0
    return answer.legibility if answer.text else -1.0


def _to_line(attempt: _Attempt, reading: Reading, frame: Frame, *, characters: bool) -> TextLine:
    listed = tuple(_to_character(s, attempt, frame) for s in reading.symbols) if characters else ()
    direction = Direction.HORIZONTAL if attempt.row is None else Direction.VERTICAL
    box = frame.map_quad(attempt.quad)
    return TextLine(reading.text, reading.confidence, box, direction, listed)


def _to_character(symbol: Symbol, attempt: _Attempt, frame: Frame) -> Character:
    """Give a symbol its box: a slice of the line's quad."""
    a, b, c, d = attempt.quad.points
    if attempt.row is None:
        start, end = symbol.start, symbol.end
        box = Quad((_at(a, b, start), _at(a, b, end), _at(d, c, end), _at(d, c, start)))
    else:
        start, end = attempt.row.to_line(symbol.start), attempt.row.to_line(symbol.end)
        box = Quad((_at(a, d, start), _at(b, c, start), _at(b, c, end), _at(a, d, end)))
    return Character(symbol.text, symbol.confidence, frame.map_quad(box))


def _at(first: Point, last: Point, share: float) -> Point:
    """Give the point that lies this share of the way from the first to the last."""
    return (
        first[0] + share * (last[0] - first[0]),
        first[1] + share * (last[1] - first[1]),
    )
