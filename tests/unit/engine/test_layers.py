"""Text that a document holds, beside what is found in its picture."""

from __future__ import annotations

from shizi.core.types import Character, Frame, Origin, Quad, TextLayer, TextLine
from shizi.engine.layers import layer_lines, uncovered

BOX = Quad.from_rect(100, 100, 300, 120)
LINE = TextLine("a", 1.0, BOX, characters=(Character("a", 1.0, BOX),), origin=Origin.LAYER)


def test_characters_are_listed_where_asked_for() -> None:
    layer = TextLayer((LINE,), whole=True)

    assert layer_lines(layer, characters=True) == [LINE]
    assert layer_lines(layer, characters=False)[0].characters == ()
    assert layer_lines(None, characters=True) == []


def test_boxes_under_known_text_are_not_read_again() -> None:
    half = Frame.scaling(2.0)
    on_it = Quad.from_rect(48, 48, 152, 62)
    below = Quad.from_rect(48, 70, 152, 84)
    longer = Quad.from_rect(50, 50, 400, 60)

    assert uncovered([on_it, below, longer], half, [LINE]) == [below, longer]
    assert uncovered([on_it], half, []) == [on_it]
