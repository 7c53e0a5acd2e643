"""The text that documents hold: into lines, and kept only where it can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from shizi.core.types import Direction, Origin, TextLayer
from shizi.imaging.textlayer import Glyph, Sight, judge_layer, take_layer

SIZE = (1000, 1000)
MOJIBAKE = "识字文档用来检查".encode("gbk").decode("latin-1")


def row(text: str, left: float = 100, top: float = 100, size: float = 20) -> list[Glyph | None]:
    """Set a text in characters as wide as they are high, and end the line."""
    glyphs: list[Glyph | None] = []
    for k, character in enumerate(text):
        x = left + k * size
        glyphs.append(Glyph(character, (x, top, x + size, top + size)))
    return [*glyphs, None]


def texts(layer: TextLayer | None) -> list[str]:
    assert layer is not None
    return [line.text for line in layer.lines]


def judged(glyphs: Sequence[Glyph | None], sight: Sight = Sight()) -> TextLayer | None:  # noqa: B008
    return judge_layer(glyphs, sight, SIZE)


def test_lines_have_their_place_and_their_characters() -> None:
    layer = judged([*row("识字 ab"), *row("第二行", top=200)])

    assert texts(layer) == ["识字 ab", "第二行"]
    assert layer is not None
    assert layer.whole
    first = layer.lines[0]
    assert first.box.bounds == pytest.approx((100, 100, 200, 120))
    assert (first.confidence, first.origin) == (1.0, Origin.LAYER)
    assert "".join(c.text for c in first.characters) == first.text
    lefts = [c.box.bounds[0] for c in first.characters]
    assert lefts == sorted(lefts)


def test_a_wide_gap_parts_the_cells_of_a_row() -> None:
    glyphs = [*row("单价")[:-1], *row("12.50", left=400)]

    assert texts(judged(glyphs)) == ["单价", "12.50"]


def test_text_outside_the_page_is_not_there() -> None:
    assert texts(judged([*row("seen"), *row("hidden", left=-500), *row("gone", top=1100)])) == [
        "seen"
    ]


def test_single_characters_below_each_other_are_a_vertical_line() -> None:
    glyphs = [g for k, c in enumerate("竖排文字") for g in row(c, left=800, top=100 + 22 * k)]

    layer = judged(glyphs)

    assert texts(layer) == ["竖排文字"]
    assert layer is not None
    assert layer.lines[0].direction is Direction.VERTICAL
    assert layer.lines[0].box.bounds == pytest.approx((800, 100, 820, 186))
    assert texts(judged([*row("1"), *row("2", top=125)])) == ["1", "2"]


@pytest.mark.parametrize("angle_deg", [90, -90, 180, 30])
def test_a_turned_line_begins_where_its_text_does(angle_deg: float) -> None:
    angle = math.radians(angle_deg)
    glyphs: list[Glyph | None] = []
    for k, character in enumerate("turned"):
        x, y = 500 + 20 * k * math.cos(angle), 500 + 20 * k * math.sin(angle)
        glyphs.append(Glyph(character, (x - 10, y - 10, x + 10, y + 10), angle))
        # PDFium ends the lines of turned text where it should not.
        glyphs += [None] if k == 2 else []

    layer = judged(glyphs)

    assert texts(layer) == ["turned"]
    assert layer is not None
    assert math.remainder(layer.lines[0].box.angle_deg - angle_deg, 360) == pytest.approx(0, abs=1)


def test_lines_that_nobody_can_read_are_left_to_reading() -> None:
    broken = [Glyph("x", g.box, broken=True) for g in row("abc", top=300) if g]

    layer = judged([*row("a long line of good text"), *broken, None])

    assert texts(layer) == ["a long line of good text"]
    assert layer is not None
    assert not layer.whole


@pytest.mark.parametrize(
    "glyphs",
    [
        [Glyph("x", g.box, broken=True) for g in row("text") if g],
        row("\ue000\ue001\ue002 ab"),
        row("\ufffd\ufffd\ufffd\ufffd"),
        row(MOJIBAKE),
        row("每 个 字 后 面 都 有 一 个 空 格 的 文 字"),
        [],
        row("   "),
    ],
    ids=["codes", "private", "replaced", "mojibake", "spaced", "nothing", "blank"],
)
def test_a_layer_that_is_no_text_is_not_kept(glyphs: list[Glyph | None]) -> None:
    assert judged(glyphs) is None


@pytest.mark.parametrize(
    "text",
    ["déjà vu, où est l'été?", "Straße 5, Köln", "每个 字", "Größe: 3 × 4 cm", "ааа БВГ", "①②③"],
)
def test_text_of_other_languages_is_kept(text: str) -> None:
    assert texts(judged(row(text))) == [text]


@pytest.mark.parametrize(
    ("sight", "whole"),
    [
        (Sight(), True),
        (Sight(pictures=((600, 600, 900, 900),)), False),
        (Sight(pictures=((600, 600, 640, 640),)), True),
        (Sight(pictures=tuple((600, 600 + 9 * k, 999, 609 + 9 * k) for k in range(40))), False),
        (Sight(pictures=((50, 50, 450, 150),)), True),
        (Sight(pictures=((-500, -500, -10, -10),)), True),
        (Sight(shapes=59), True),
        (Sight(shapes=60), False),
    ],
    ids=["text", "photo", "logo", "strips", "scan with text", "off page", "some", "outlines"],
)
def test_a_page_that_shows_more_is_read_too(sight: Sight, whole: bool) -> None:
    layer = judged(row("a line of text"), sight)

    assert layer is not None
    assert layer.whole is whole


def test_always_takes_what_there_is() -> None:
    assert texts(take_layer(row(MOJIBAKE), SIZE)) == [MOJIBAKE]
    assert take_layer([], SIZE) is None
