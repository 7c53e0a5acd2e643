"""Any text comes back from every format as what it was."""

from __future__ import annotations

import io
import re
import unicodedata
from itertools import pairwise

import pikepdf
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.types import Character, Direction, PageResult, Quad, TextLine
from shizi.formats import Document, PictureSource
from shizi.formats.csv import guarded
from shizi.formats.markup import xml_text
from shizi.formats.pdf_font import EM, advance
from shizi.formats.words import split_line
from tests.unit.formats.pages import line, page, stacked, written
from tests.unit.formats.pdfs import WHITE, chrome, poppler
from tests.unit.formats.test_markup import alto_texts, hocr_texts
from tests.unit.formats.test_paragraphs import docx_texts
from tests.unit.formats.test_tables import csv_rows, xlsx_rows

QUICK = settings(max_examples=60, deadline=None)
TEXTS = st.text(max_size=40)
#: Characters that no reader of PDF reorders, joins or leaves out.
PLAIN = st.text(
    st.one_of(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF),
    ),
    min_size=1,
    max_size=40,
)
WORD_LISTS = st.lists(PLAIN, min_size=1, max_size=5)


@given(TEXTS)
@QUICK
def test_csv(text: str) -> None:
    assert csv_rows(written("csv", stacked(text)))[1][3] == guarded(text)


@given(TEXTS)
@QUICK
def test_xlsx(text: str) -> None:
    assert xlsx_rows(written("xlsx", stacked(text)))[1][3] == text


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=40))
@QUICK
def test_docx(text: str) -> None:
    assert docx_texts(written("docx", stacked(text))) == [xml_text(text.strip())]


@given(TEXTS)
@QUICK
def test_hocr_and_alto(text: str) -> None:
    pieces = re.findall(r"\s+|\S+", text)
    shown = [" " if piece.isspace() else xml_text(piece) for piece in pieces]

    assert hocr_texts(written("hocr", stacked(text))) == ["".join(shown).strip(" ")]
    assert alto_texts(written("alto", stacked(text))) == ["".join(shown)]


@given(TEXTS.filter(str.strip))
@QUICK
def test_pdf_says_which_character_each_code_is(text: str) -> None:
    data = written("pdf", stacked(text), document=Document("a", WHITE))

    with pikepdf.open(io.BytesIO(data)) as pdf:
        (font,) = pdf.pages[0].Resources.Font.as_dict().values()
        table = font.ToUnicode.read_bytes().decode()
        codes = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>", table)
        meaning = {code: bytes.fromhex(units).decode("utf-16-be") for code, units in codes}
        content = pdf.pages[0].Contents[0].read_bytes().decode()
        shown = "".join(re.findall(r"<([0-9A-F]*)> Tj", content))
    assert "".join(meaning[shown[k : k + 4]] for k in range(0, len(shown), 4)) == text


@given(WORD_LISTS)
@settings(max_examples=25, deadline=None)
def test_pdf_copies_in_both_readers(words: list[str]) -> None:
    text = unicodedata.normalize("NFC", " ".join(words))
    length = sum(map(advance, text)) / EM
    size = min(24.0, 780 / length)
    set_as_print = page(line(text, left=5, width=size * length, height=size))

    data = written("pdf", set_as_print, document=Document("a", WHITE))

    assert chrome(data) == text
    assert poppler(data).strip() == text


@given(
    st.text("ab 字 ", min_size=1, max_size=12),
    st.lists(st.floats(-20, 900), min_size=24, max_size=24),
    st.sampled_from(list(Direction)),
)
@QUICK
def test_pieces_follow_each_other_wherever_characters_are_said_to_stand(
    text: str, places: list[float], direction: Direction
) -> None:
    characters = tuple(
        Character(c, 0.5, Quad.from_rect(places[2 * k], 10, places[2 * k + 1], 30))
        for k, c in enumerate(text)
    )
    odd = TextLine(text, 0.9, Quad.from_rect(10, 10, 400, 30), direction, characters)

    pieces = split_line(odd)

    assert "".join(piece.text for piece in pieces) == text
    assert (pieces[0].start, pieces[-1].end) == (0.0, 1.0)
    assert all(a.end == b.start for a, b in pairwise(pieces))
    assert all(piece.start < piece.end for piece in pieces)


@given(st.tuples(*[st.floats(-1e5, 1e5)] * 8), st.text("字a ", min_size=1, max_size=5))
@QUICK
def test_a_box_of_any_shape_is_written(corners: tuple[float, ...], text: str) -> None:
    a, b, c, d = zip(corners[::2], corners[1::2], strict=True)
    odd = PageResult(1, 800, 1000, (TextLine(text, 0.5, Quad((a, b, c, d))),))
    picture = PictureSource(lambda _: EncodedPicture(b"", Coding.PNG, (800, 1000), 1))

    for name in ("hocr", "alto", "csv", "xlsx", "docx"):
        assert written(name, odd)
    assert written("md", odd).decode().strip() == " ".join(text.split())
    data = written("pdf", odd, document=Document("a", picture))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pikepdf.parse_content_stream(pdf.pages[0])
