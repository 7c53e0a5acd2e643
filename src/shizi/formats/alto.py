"""ALTO 4: what archives and libraries keep; one document a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from shizi.core.types import Direction, PageResult, Quad, TextLine
from shizi.formats.markup import MarkupWriter, attribute, whole_bounds
from shizi.formats.paragraphs import paragraphs
from shizi.formats.words import Piece, piece_box, split_line
from shizi.formats.writing import Document

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# \
http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{title}</fileName></sourceImageInformation>
<Processing ID="processing_1">
<processingSoftware><softwareName>Shizi</softwareName></processingSoftware>
</Processing>
</Description>
<Layout>
"""
_FOOT: Final = "</Layout>\n</alto>\n"


class AltoWriter(MarkupWriter):
    """Writes pages as they come.

    Args:
        out: to write to.
        several: changes nothing; the format holds one document.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        super().__init__(out, _HEAD, _FOOT, several=several)
        self._pages = 0

    def begin(self, document: Document) -> None:
        """Write the description; that of the first document stands for all."""
        self._open(document.name)

    def add(self, page: PageResult) -> None:
        """Write a page."""
        self._pages += 1
        self._add(_page_markup(page, self._pages))


def _page_markup(page: PageResult, serial: int) -> Iterator[str]:
    size = f'WIDTH="{page.width}" HEIGHT="{page.height}"'
    yield f'<Page ID="page_{serial}" PHYSICAL_IMG_NR="{page.number}" {size}>'
    yield f'<PrintSpace HPOS="0" VPOS="0" {size}>'
    number = 0
    for group, lines in enumerate(paragraphs(page), start=1):
        yield f'<TextBlock ID="block_{serial}_{group}" {_place(_around(lines))}>'
        for line in lines:
            number += 1
            yield _line_markup(line, f"{serial}_{number}")
        yield "</TextBlock>"
    yield "</PrintSpace>"
    yield "</Page>"


def _line_markup(line: TextLine, serial: str) -> str:
    points = " ".join(f"{max(0, round(x))},{max(0, round(y))}" for x, y in line.box.points)
    parts = [f'<Shape><Polygon POINTS="{points}"/></Shape>']
    parts += [
        _space(line, piece) if piece.is_space else _string(line, piece, f"{serial}_{k}")
        for k, piece in enumerate(split_line(line), start=1)
    ]
    vertical = line.direction is Direction.VERTICAL
    place = _place(line.box) + (' BASEDIRECTION="ttb"' if vertical else "")
    return f'<TextLine ID="line_{serial}" {place}>{"".join(parts)}</TextLine>'


def _string(line: TextLine, piece: Piece, serial: str) -> str:
    place = _place(piece_box(line, piece))
    sure = f'WC="{min(1.0, max(0.0, piece.confidence)):.4f}"'
    return f'<String ID="string_{serial}" CONTENT={attribute(piece.text)} {place} {sure}/>'


def _space(line: TextLine, piece: Piece) -> str:
    left, top, right, _ = whole_bounds(piece_box(line, piece))
    return f'<SP HPOS="{left}" VPOS="{top}" WIDTH="{right - left}"/>'


def _place(quad: Quad) -> str:
    left, top, right, bottom = whole_bounds(quad)
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'


def _around(lines: Sequence[TextLine]) -> Quad:
    bounds = [line.box.bounds for line in lines]
    return Quad.from_rect(
        min(b[0] for b in bounds),
        min(b[1] for b in bounds),
        max(b[2] for b in bounds),
        max(b[3] for b in bounds),
    )
