"""Pages that tests of formats write, and how they read them back."""

from __future__ import annotations

import io

from shizi.core.types import Direction, PageResult, Quad, TextLine
from shizi.formats import FORMATS, Document


def line(
    text: str,
    left: float = 10,
    top: float = 20,
    width: float = 400,
    height: float = 24,
    direction: Direction = Direction.HORIZONTAL,
) -> TextLine:
    """Make an upright line."""
    box = Quad.from_rect(left, top, left + width, top + height)
    return TextLine(text, 0.9876, box, direction)


def page(*lines: TextLine, number: int = 1) -> PageResult:
    """Make a page of 800 x 1000 pixels."""
    return PageResult(number, 800, 1000, lines)


def stacked(*texts: str, number: int = 1) -> PageResult:
    """Make a page whose lines stand far below each other, so that each is a paragraph."""
    lines = [line(text, top=40 + 80 * k) for k, text in enumerate(texts)]
    return page(*lines, number=number)


def written(name: str, *pages: PageResult, document: Document | None = None) -> bytes:
    """Write one document."""
    out = io.BytesIO()
    writer = FORMATS[name].open(out)
    writer.begin(document or Document("扫描 & <1>.png"))
    for each in pages:
        writer.add(each)
    writer.end(0.5)
    writer.close()
    return out.getvalue()
