"""The text that a document holds for a page, beside what is read of its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shizi.core.types import Frame, Quad, TextLayer, TextLine

#: Of a box found in the picture: with more of it under known text, it is that text.
_COVERED = 0.5


def layer_lines(layer: TextLayer | None, *, characters: bool) -> list[TextLine]:
    """Give the lines of a layer, as the caller asked for them."""
    lines = () if layer is None else layer.lines
    return [line if characters else replace(line, characters=()) for line in lines]


def uncovered(quads: Sequence[Quad], frame: Frame, lines: Sequence[TextLine]) -> list[Quad]:
    """Leave out boxes of text that is known already.

    Args:
        quads: found on the page worked on.
        frame: maps their points to the original page.
        lines: known, on the original page.
    """
    boxes = [line.box.bounds for line in lines]
    return [quad for quad in quads if _share(frame.map_quad(quad).bounds, boxes) <= _COVERED]


def _share(
    box: tuple[float, float, float, float], others: Sequence[tuple[float, float, float, float]]
) -> float:
    """Tell how much of an upright box others cover, which do not cover each other."""
    left, top, right, bottom = box
    area = max(1e-9, (right - left) * (bottom - top))
    common = sum(
        max(0.0, min(right, r) - max(left, l)) * max(0.0, min(bottom, b) - max(top, t))
        for l, t, r, b in others  # noqa: E741
    )
    return common / area
