"""hOCR: XHTML whose titles tell where everything stands; Chinese words are not cut apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from shizi.core.types import Direction, PageResult, Quad, TextLine
from shizi.formats.markup import MarkupWriter, attribute, escape, whole_bounds
from shizi.formats.paragraphs import paragraphs
from shizi.formats.words import piece_box, words
from shizi.formats.writing import Document

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
<meta name="ocr-system" content="shizi"/>
<meta name="ocr-capabilities" content="ocr_page ocr_par ocr_line ocrx_word"/>
</head>
<body>
"""
_FOOT: Final = "</body>\n</html>\n"
#: A line turned less is no rotated text.
_LEAST_ANGLE_DEG: Final = 1.0


class HocrWriter(MarkupWriter):
    """Writes pages as they come.

    Args:
        out: to write to.
        several: changes nothing; each page names its document.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        super().__init__(out, _HEAD, _FOOT, several=several)
        self._name = ""
        self._pages = 0

    def begin(self, document: Document) -> None:
        """Write the head before the first document."""
        self._name = document.name
        self._open("" if self._several else document.name)

    def add(self, page: PageResult) -> None:
        """Write a page."""
        self._pages += 1
        self._add(_page_markup(self._name, page, self._pages))


def _page_markup(name: str, page: PageResult, serial: int) -> Iterator[str]:
    image = name.replace("\\", "\\\\").replace('"', '\\"')
    told = f'image "{image}"; bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}'
    yield f'<div class="ocr_page" id="page_{serial}" title={attribute(told)}>'
    number = 0
    for group, lines in enumerate(paragraphs(page), start=1):
        yield f'<p class="ocr_par" id="par_{serial}_{group}">'
        for line in lines:
            number += 1
            yield _line_markup(line, f"{serial}_{number}")
        yield "</p>"
    yield "</div>"


def _line_markup(line: TextLine, serial: str) -> str:
    told = [_bbox(line.box), f"x_wconf {_percent(line.confidence)}"]
    if line.direction is Direction.HORIZONTAL and abs(line.box.angle_deg) >= _LEAST_ANGLE_DEG:
        told.append(f"textangle {-line.box.angle_deg:.1f}")
    inner = " ".join(
        f'<span class="ocrx_word" id="word_{serial}_{k}" '
        f'title="{_bbox(piece_box(line, word))}; x_wconf {_percent(word.confidence)}">'
        f"{escape(word.text)}</span>"
        for k, word in enumerate(words(line), start=1)
    )
    return f'<span class="ocr_line" id="line_{serial}" title="{"; ".join(told)}">{inner}</span>'


def _bbox(quad: Quad) -> str:
    return "bbox {} {} {} {}".format(*whole_bounds(quad))


def _percent(confidence: float) -> int:
    return round(100 * confidence)
