"""Made-up pages in HTML, a pure function of a seed: what browsers show and offices print.

Lines rendered alone lack what a page does to them: sub-pixel places, justified spacing, kerning,
joined letters, bitmaps of small Chinese type, grounds of color, neighbours. A browser gives all of
this, and tells where every character stands.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from shizi.train.corpus import TextSource
from shizi.train.phrases import field, menu, phrase
from shizi.train.typefaces import Typeface

# Text and ground: print, screens by day and by night, headings on color, pale small print.
_TONES = (
    ("#000", "#fff", 8),
    ("#222", "#fff", 8),
    ("#333", "#fafafa", 4),
    ("#555", "#fff", 2),
    ("#888", "#fff", 2),
    ("#1a3e8c", "#fff", 2),
    ("#b00", "#fff", 2),
    ("#a88", "#fdf6ee", 1),
    ("#3b2c1a", "#f3e6cf", 2),
    ("#eee", "#1e1e1e", 2),
    ("#9cdcfe", "#1e1e1e", 1),
    ("#fff", "#1677ff", 2),
    ("#fff", "#c8102e", 2),
    ("#fff", "linear-gradient(90deg,#ff6a00,#c2185b)", 1),
    ("#ffe9b0", "#3a0d0d", 1),
    ("#fff", "linear-gradient(#7aa,#477)", 1),
    ("#222", "linear-gradient(135deg,#fde,#def)", 1),
)


# Height of a page whose lines run downwards; wider ones than the window are cut off at its left.
_COLUMN_PX = 760


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page to draw.

    Attributes:
        html: the whole document.
        width: of the window, CSS pixels.
        scale: device pixels a CSS pixel.
    """

    html: str
    width: int
    scale: float


@dataclass(frozen=True, slots=True)
class _Pen:
    """What a block is written with."""

    rng: Random
    texts: TextSource
    faces: Sequence[Typeface]

    def write(self, draw: Callable[[], str], tag: str = "span", style: str = "") -> str:
        """Draw a text that one of the page's faces covers, as an element; empty where none does."""
        for _ in range(6):
            text = draw()
            faces = self.rng.sample(self.faces, len(self.faces))
            face = next((f for f in faces if f.covers(text)), None)
            if face and text:
                return f'<{tag} style="{face.css};{style}">{html.escape(text)}</{tag}>'
        return ""


def compose(
    rng: Random,
    texts: TextSource,
    faces: Sequence[Typeface],
    *,
    vertical: bool = False,
    spread: bool = False,
) -> WebPage:
    """Compose a page of two to seven blocks.

    Args:
        rng: decides everything.
        texts: where the words come from.
        faces: of the machine; a page uses a few of them.
        vertical: lines run downwards, from right to left, as in old books.
        spread: with rows whose parts stand apart by more or less, and with very large text: what
            says where a line ends.
    """
    width = rng.choice((720, 960) if vertical else (360, 420, 560, 720, 794, 960, 1100))
    chinese = [face for face in faces if face.chinese]
    chosen = rng.sample(chinese, min(2, len(chinese))) + rng.sample(list(faces), 2)
    pen = _Pen(rng, texts, chosen)
    kinds = _KINDS + _SPREAD if spread else _KINDS
    blocks = [_block(pen, kinds) for _ in range(rng.randint(2, 7))]
    ink, ground = _tone(rng)
    body = (
        f"margin:0;padding:{rng.randint(8, 40)}px;background:{ground};color:{ink};"
        f"font-size:{_size(rng)}px;line-height:{rng.choice((1.15, 1.3, 1.5, 1.8))}"
    )
    if vertical:
        body = f"writing-mode:vertical-rl;height:{_COLUMN_PX}px;{body}"
    head = '<!DOCTYPE html><meta charset="utf-8">' + "".join(
        sorted({face.link for face in chosen if face.link})
    )
    document = f'{head}<body style="{body}">{"".join(blocks)}</body>'
    return WebPage(document, width, rng.choice((1.0, 1.0, 1.0, 1.25, 1.5, 2.0)))


def _block(pen: _Pen, kinds: Sequence[Callable[[_Pen], str]]) -> str:
    rng = pen.rng
    kind = rng.choice(kinds)
    ink, ground = _tone(rng) if rng.random() < 0.25 else ("inherit", "none")
    style = (
        f"color:{ink};background:{ground};padding:{rng.randint(2, 14)}px;"
        f"margin-bottom:{rng.randint(4, 24)}px;letter-spacing:{_spacing(rng)}em"
    )
    if rng.random() < 0.4:
        style += f";font-size:{_size(rng)}px"
    return f'<div style="{style}">{kind(pen)}</div>'


def _paragraphs(pen: _Pen) -> str:
    rng, corpus = pen.rng, pen.texts.corpus
    english = rng.random() < 0.45
    source = corpus.english if english else rng.choice((corpus.han, corpus.han, corpus.traditional))
    columns = rng.choice((1, 1, 2)) if english else 1
    align = rng.choice(("left", "justify", "justify", "center"))
    # No hyphens by the browser: they are not in the document's text.
    style = f"columns:{columns};text-align:{align}"

    def paragraph() -> str:
        lines = [rng.choice(source) for _ in range(rng.randint(1, 4))] if source else [phrase(rng)]
        return (" " if english else "").join(lines)[:400]

    written = [
        pen.write(paragraph, "p", "margin:0 0 6px" + _slant(rng)) for _ in range(rng.randint(1, 3))
    ]
    return f'<div lang="{"en" if english else "zh"}" style="{style}">{"".join(written)}</div>'


def _table(pen: _Pen) -> str:
    rng = pen.rng
    border = rng.choice(("1px solid #000", "1px solid #bbb", "1px dashed #888", "0"))
    cell = f"border:{border};padding:{rng.randint(1, 8)}px {rng.randint(2, 12)}px"
    columns = rng.randint(2, 5)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell}">{pen.write(lambda: phrase(rng))}</td>' for _ in range(columns)
        )
        + "</tr>"
        for _ in range(rng.randint(2, 8))
    )
    collapse = rng.choice(("collapse", "separate"))
    return f'<table style="border-collapse:{collapse};width:{rng.randint(60, 100)}%">{rows}</table>'


def _form(pen: _Pen) -> str:
    rng = pen.rng
    columns = rng.choice((1, 1, 2))
    fields = [pen.write(lambda: field(rng), "div", _slant(rng)) for _ in range(rng.randint(3, 10))]
    return f'<div style="columns:{columns}">{"".join(fields)}</div>'


def _list(pen: _Pen) -> str:
    rng = pen.rng
    return "".join(pen.write(lambda: menu(rng), "div") for _ in range(rng.randint(2, 8)))


def _till(pen: _Pen) -> str:
    """Write rows with a name on the left and a number on the right, as till receipts have them."""
    rng, texts = pen.rng, pen.texts
    rows = []
    for _ in range(rng.randint(3, 10)):
        name = pen.write(lambda: texts.draw(rng, 10)[:24])
        price = pen.write(lambda: f"{rng.uniform(0.5, 999):.2f}")
        rows.append(f'<div style="display:flex;justify-content:space-between">{name}{price}</div>')
    return f'<div style="width:{rng.randint(50, 100)}%">{"".join(rows)}</div>'


def _banner(pen: _Pen) -> str:
    rng, texts = pen.rng, pen.texts
    size = rng.randint(20, 44)
    spacing = rng.choice((0, 0, 0.1, 0.3))
    align = rng.choice(("left", "center"))
    weight = rng.choice((400, 700))
    style = f"font-size:{size}px;letter-spacing:{spacing}em;text-align:{align};font-weight:{weight}"
    return "".join(
        pen.write(lambda: texts.draw(rng, 12)[:30], "div", style) for _ in range(rng.randint(1, 3))
    )


def _row(pen: _Pen) -> str:
    """Write short items side by side, apart by less than a character or by several."""
    rng, texts = pen.rng, pen.texts
    draws: tuple[Callable[[], str], ...] = (
        lambda: texts.draw(rng, 4)[: rng.randint(1, 8)],
        lambda: f"{rng.uniform(0.5, 999):.2f}",
        lambda: str(rng.randint(0, 99)),
        lambda: phrase(rng)[:12],
    )
    columns = rng.randint(2, 7)
    kinds = [rng.choice(draws) for _ in range(columns)]
    items = "".join(
        f"<div>{pen.write(kind)}</div>" for _ in range(rng.randint(1, 9)) for kind in kinds
    )
    align = rng.choice(("left", "right", "center"))
    across = rng.choice(("start", "start", "center", "space-between"))
    style = (
        f"display:grid;grid-template-columns:repeat({columns},auto);white-space:nowrap;"
        f"column-gap:{rng.uniform(0.3, 4):.2f}em;text-align:{align};justify-content:{across}"
    )
    return f'<div style="{style}">{items}</div>'


def _headline(pen: _Pen) -> str:
    """Write a few large signs, as on posters."""
    rng, texts = pen.rng, pen.texts
    style = (
        f"font-size:{rng.randint(40, 110)}px;line-height:1.2;font-weight:{rng.choice((400, 700))}"
    )
    return pen.write(lambda: texts.draw(rng, 6)[: rng.randint(1, 9)], "div", style)


_KINDS = (*(_paragraphs,) * 3, _table, _table, _form, _form, _list, _till, _banner)
_SPREAD = (*(_row,) * 8, _headline, _headline)


def _tone(rng: Random) -> tuple[str, str]:
    ink, ground, _ = rng.choices(_TONES, weights=[share for _, _, share in _TONES])[0]
    return ink, ground


def _size(rng: Random) -> int:
    return rng.choice((10, 11, 12, 12, 13, 13, 14, 14, 15, 16, 16, 18, 20))


def _spacing(rng: Random) -> float:
    return rng.choice((0, 0, 0, 0, 0.05, 0.1, 0.25))


def _slant(rng: Random) -> str:
    return rng.choice(("", "", "", "", ";font-weight:700", ";font-style:italic"))
