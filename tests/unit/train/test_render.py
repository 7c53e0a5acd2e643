from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from shizi.text.charset import Charset
from shizi.train import corpus as corpus_module
from shizi.train import render
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import FontFace, find_fonts
from shizi.train.phrases import menu
from shizi.train.render import SCREEN_SIZES, draw_line
from shizi.train.stream import DataRecipe


@pytest.fixture(scope="module")
def face(recipe: DataRecipe) -> FontFace:
    found = find_fonts((Path(recipe.fonts[0]),))
    return next(face for face in found if face.name == "DejaVuSans")


def test_text_on_screens_keeps_to_the_pixel_grid(face: FontFace) -> None:
    drawn = [draw_line(face, "Hillside", 12, Random(s), screen=True) for s in range(40)]
    levels = [len(np.unique(ink.mask)) for ink in drawn if ink]
    assert len(levels) == 40
    # Some without grey levels, some with; none stretched, slanted or thinned.
    assert 2 in levels
    assert max(levels) > 2
    heights = {ink.bottom - ink.top for ink in drawn if ink}
    assert max(heights) <= max(SCREEN_SIZES) * 1.5


def test_letters_are_joined_where_the_face_can(face: FontFace) -> None:
    assert render._ligated(face, "office flow, off") == "oﬃce ﬂow, oﬀ"
    bare = replace(face, coverage=face.coverage - {ord("ﬃ"), ord("ﬀ"), ord("ﬁ")})
    assert render._ligated(bare, "office flow, off") == "office ﬂow, off"


def test_some_english_lines_end_within_a_word(recipe: DataRecipe) -> None:
    texts = TextSource(load_corpus(Charset(recipe.symbols)))
    drawn = [texts._english(Random(seed), 36) for seed in range(1_500)]
    ended = [text for text in drawn if text.endswith("-") and text[-2:-1].isalpha()]
    assert 10 < len(ended) < 300


def test_markup_of_manual_pages_is_no_text() -> None:
    kinds: dict[str, list[str]] = {"en": [], "zh": []}
    lines = ["a plain line of words", "with \\s-1MARKUP\\s0 in the line here"]
    corpus_module._sort_lines(lines, "en", kinds)
    assert kinds["en"] == ["a plain line of words"]


def test_a_dictionary_gives_meanings_and_not_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "data.noun"
    entry = '00005930 03 n 01 dwarf 0 001 @ 00004475 n 0000 | an atypical plant; "so"  '
    path.write_text(f"  1 a licence\n{entry}\n")
    assert corpus_module._document_lines(path) == ['an atypical plant; "so"']


def test_rows_of_links_and_marks_are_drawn() -> None:
    drawn = {menu(Random(seed)) for seed in range(400)}
    assert any(" | " in text for text in drawn)
    assert any(text.startswith("•") for text in drawn)
    assert any("★" in text for text in drawn)


def test_a_folder_says_that_its_faces_look_like_handwriting(
    recipe: DataRecipe, tmp_path: Path
) -> None:
    font = TTFont(Path(recipe.fonts[0]) / "DejaVuSans.ttf")
    font.flavor = "woff2"
    font.save(tmp_path / "pen.woff2")
    for place in ("plain", "handwriting"):
        files = tmp_path / place / "pen" / "files"
        files.mkdir(parents=True)
        (files.parent / "unicode.json").write_text("{}")
        (files.parent / "package.json").write_text('{"name": "@fontsource/pen"}')
        shutil.copy(tmp_path / "pen.woff2", files / "pen-latin-400-normal.woff2")
    styles = [find_fonts((tmp_path / place,))[0].style for place in ("plain", "handwriting")]
    assert styles == ["sans", "hand"]
