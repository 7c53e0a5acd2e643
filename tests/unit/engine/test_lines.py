from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from shizi.core.errors import CorruptImage, ShiziError
from shizi.core.pixels import RgbImage
from shizi.core.types import Direction, Frame, LineError, Quad, TextLine
from shizi.engine.lines import read_lines
from shizi.engine.looks import Looks
from shizi.models.recognizer import Decoding, Reading, Recognizer, Symbol


class ScriptedRecognizer:
    """Answers crops in turn and keeps their shapes."""

    def __init__(self, answers: Sequence[Reading | ShiziError]) -> None:
        self.answers = list(answers)
        self.shapes: list[tuple[int, ...]] = []

    def recognize(self, crops: Sequence[RgbImage], _: Decoding) -> list[Reading | ShiziError]:
        self.shapes = [crop.shape for crop in crops]
        return self.answers[: len(crops)]


def reading(text: str, confidence: float) -> Reading:
    step = 1 / max(1, len(text))
    symbols = tuple(Symbol(c, confidence, k * step, (k + 1) * step) for k, c in enumerate(text))
    return Reading(text, confidence, symbols)


def run(
    quads: Sequence[Quad], answers: Sequence[Reading | ShiziError], frame: Frame | None = None
) -> list[TextLine | LineError]:
    page = np.full((400, 400, 3), 255, np.uint8)
    recognizer = cast(Recognizer, ScriptedRecognizer(answers))
    return read_lines(page, quads, Looks(recognizer), frame or Frame(), characters=True)


FLAT = Quad.from_rect(10, 10, 210, 30)
TALL = Quad.from_rect(100, 50, 120, 250)


def test_a_flat_line_is_read_once_and_its_characters_lie_along_it() -> None:
    (line,) = run([FLAT], [reading("识字", 0.9)])
    assert isinstance(line, TextLine)
    assert (line.text, line.direction) == ("识字", Direction.HORIZONTAL)
    first, second = line.characters
    assert first.box.bounds == pytest.approx((10, 10, 110, 30))
    assert second.box.bounds == pytest.approx((110, 10, 210, 30))


def test_a_tall_line_is_vertical_where_its_row_reads_best() -> None:
    (line,) = run([TALL], [reading("上下", 0.9), reading("x", 0.4), reading("y", 0.3)])
    assert isinstance(line, TextLine)
    assert (line.text, line.direction) == ("上下", Direction.VERTICAL)
    upper, lower = (c.box for c in line.characters)
    assert upper.center[0] == lower.center[0] == pytest.approx(110)
    assert upper.center[1] < lower.center[1]


def test_a_tall_line_on_its_side_begins_where_its_text_begins() -> None:
    (line,) = run([TALL], [reading("??", 0.3), reading("down", 0.9), reading("up", 0.5)])
    assert isinstance(line, TextLine)
    assert (line.text, line.direction) == ("down", Direction.HORIZONTAL)
    assert line.box.points[0] == pytest.approx((120, 50))
    assert line.box.angle_deg == pytest.approx(90)
    (line,) = run([TALL], [reading("??", 0.3), reading("down", 0.5), reading("up", 0.9)])
    assert isinstance(line, TextLine)
    assert line.box.points[0] == pytest.approx((100, 250))
    assert line.box.angle_deg == pytest.approx(-90)


def test_a_narrow_character_may_stand_alone() -> None:
    one = Quad.from_rect(100, 50, 110, 75)
    answers = [reading("亠", 0.2), reading("-", 0.5), reading("-", 0.5), reading("1", 0.95)]
    (line,) = run([one], answers)
    assert isinstance(line, TextLine)
    assert (line.text, line.direction) == ("1", Direction.HORIZONTAL)


def test_an_empty_reading_never_beats_a_text() -> None:
    (line,) = run([TALL], [Reading("", 0.0, ()), reading("a", 0.1), Reading("", 0.0, ())])
    assert isinstance(line, TextLine)
    assert line.text == "a"


def test_a_failed_line_is_an_entry_of_its_own() -> None:
    frame = Frame.scaling(2.0)
    first, second = run([FLAT, FLAT], [CorruptImage("no pixels"), reading("b", 0.8)], frame)
    assert isinstance(first, LineError)
    assert first.box.bounds == (20, 20, 420, 60)
    assert isinstance(second, TextLine)
    assert second.text == "b"


def test_boxes_are_given_in_the_original_page() -> None:
    (line,) = run([FLAT], [reading("a", 0.9)], Frame.scaling(0.5))
    assert isinstance(line, TextLine)
    assert line.box.bounds == pytest.approx((5, 5, 105, 15))


def test_no_quads_give_no_lines() -> None:
    assert run([], []) == []
