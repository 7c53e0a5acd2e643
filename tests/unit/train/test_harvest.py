from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from shizi.core.types import Quad
from shizi.text.charset import standard_charset
from shizi.train.browser import DrawnPage
from shizi.train.harvest import LabelledLine, expose, harvest, label, true_lines, write_set
from shizi.train.samples import RealLines

ADVANCE, HEIGHT = 10, 16


def row(text: str, top: float, left: float = 20, owner: int = 1) -> tuple[str, list[int], list]:
    boxes = [
        [left + k * ADVANCE, top, left + (k + 1) * ADVANCE, top + HEIGHT] for k in range(len(text))
    ]
    return text, [owner] * len(text), boxes


def page(*rows: tuple[str, list[int], list]) -> DrawnPage:
    chars = "".join(r[0] for r in rows)
    owners = np.array([o for r in rows for o in r[1]], np.int64)
    boxes = np.array([b for r in rows for b in r[2]], np.float64).reshape(-1, 4)
    return DrawnPage(np.full((200, 400, 3), 255, np.uint8), chars, owners, boxes)


def read(drawn: DrawnPage, quad: Quad) -> str | None:
    return label(drawn.chars, drawn.owners, drawn.boxes, quad)


def test_a_box_around_a_line_reads_it_with_its_spaces() -> None:
    drawn = page(row("two words", 50), row("below", 70))
    assert read(drawn, Quad.from_rect(18, 49, 115, 67)) == "two words"


def test_a_box_that_cuts_through_a_sign_is_not_sure() -> None:
    drawn = page(row("abcdef", 50))
    assert read(drawn, Quad.from_rect(18, 49, 54, 67)) is None
    # A tenth of a sign at the edge is nothing, four fifths are the sign.
    assert read(drawn, Quad.from_rect(18, 49, 51, 67)) == "abc"
    assert read(drawn, Quad.from_rect(18, 49, 78, 67)) == "abcdef"


def test_two_rows_in_one_box_are_not_sure() -> None:
    drawn = page(row("above", 50), row("below", 68))
    assert read(drawn, Quad.from_rect(18, 49, 75, 86)) is None


def test_an_empty_box_is_no_line() -> None:
    drawn = page(row("here", 50))
    assert read(drawn, Quad.from_rect(200, 100, 300, 120)) is None
    assert read(page(), Quad.from_rect(200, 100, 300, 120)) is None


def test_elements_that_stand_apart_are_told_apart() -> None:
    apart = page(row("name", 50, owner=1), row("9.50", 50, left=80, owner=2))
    assert read(apart, Quad.from_rect(18, 49, 125, 67)) == "name 9.50"
    joined = page(row("ab", 50, owner=1), row("cd", 50, left=40, owner=2))
    assert read(joined, Quad.from_rect(18, 49, 65, 67)) == "abcd"


def test_a_tilted_line_is_read_along_its_own_direction() -> None:
    text, owners, boxes = row("abcdefghijklmnopqrst", 50)
    slope = 0.1
    tilted = [[x, y + slope * x, r, b + slope * x] for x, y, r, b in boxes]
    drawn = page((text, owners, tilted))
    quad = Quad(((18.0, 50.0), (222.0, 70.4), (222.0, 92.4), (18.0, 72.0)))
    assert read(drawn, quad) == text


@pytest.mark.parametrize("seed", range(12))
def test_characters_move_with_the_page(seed: int) -> None:
    drawn = page(row("abc", 50))
    image = drawn.image.copy()
    left, top, right, bottom = (round(v) for v in drawn.boxes[1])
    image[top:bottom, left:right] = 0
    shown, boxes = expose(DrawnPage(image, drawn.chars, drawn.owners, drawn.boxes), Random(seed))
    rows, columns = np.nonzero(shown[:, :, 0] < 100)
    middle = boxes[1, [0, 2]].mean(), boxes[1, [1, 3]].mean()
    assert abs(columns.mean() - middle[0]) < 2
    assert abs(rows.mean() - middle[1]) < 2


def test_harvested_lines_are_what_training_reads(tmp_path: Path) -> None:
    drawn = page(row("two words", 50), row("below", 120))

    def detect(_: np.ndarray) -> list[Quad]:
        return [Quad.from_rect(10, 40, 125, 80), Quad.from_rect(200, 10, 300, 30)]

    screen = next(s for s in range(99) if Random(s).choice(("screen", "x", "x")) == "screen")
    lines = list(harvest(drawn, detect, Random(screen)))
    assert [line.text for line in lines] == ["two words"]
    assert lines[0].image.shape[0] <= 40
    assert write_set([*lines, LabelledLine(np.zeros((20, 90), np.uint8), "more")], tmp_path) == 2
    assert len(RealLines(tmp_path, standard_charset([]))) == 2


def test_true_lines_follow_elements_rows_and_columns() -> None:
    chars = "ab cd ef 识"
    # "ab cd" in one row, " ef" of the same element in the next column, one of another element.
    boxes = [[10 * k, 0, 10 * k + 10, 20] for k in range(5)]
    boxes += [[50, 0, 60, 20], [200, -60, 210, -40], [210, -60, 220, -40]]
    boxes += [[220, -60, 230, -40], [0, 100, 20, 120]]
    owners = np.array([1] * 9 + [2], np.int64)
    found = list(true_lines(chars, owners, np.array(boxes, np.float64)))
    assert [text for text, _ in found] == ["ab cd", "ef", "识"]
    assert found[0][1].points == ((0, 0), (50, 0), (50, 20), (0, 20))
    assert found[2][1].points == ((0, 100), (20, 100), (20, 120), (0, 120))
