from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from shizi.core.errors import ConfigError
from shizi.text.charset import Charset
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import HELD_OUT, find_fonts
from shizi.train.pages import PageSetPlan, make_measuring_set, make_page_set
from shizi.train.stream import DataRecipe
from shizi.train.typefaces import Typeface, font_settings, typefaces
from shizi.train.webpage import WebPage, compose


@pytest.fixture(scope="module")
def texts(recipe: DataRecipe) -> TextSource:
    return TextSource(load_corpus(Charset(recipe.symbols)))


@pytest.fixture(scope="module")
def faces(recipe: DataRecipe) -> list[Typeface]:
    learned = typefaces(find_fonts((Path(recipe.fonts[0]),)))
    # The fixture's one Chinese face is held out: let a Latin one stand for two more.
    return [*learned, *learned]


def test_faces_kept_for_measuring_are_named_nowhere(recipe: DataRecipe) -> None:
    found = find_fonts((Path(recipe.fonts[0]),))
    assert any(face.held_out for face in found)
    assert {t.face.name for t in typefaces(found)} == {"DejaVuSans", "DejaVuSerif-Bold"}
    settings = font_settings(recipe.fonts, Path("cache"))
    assert all(f"*{name}*" in settings for name in HELD_OUT)


def test_installed_faces_are_named_by_family_and_weight(faces: list[Typeface]) -> None:
    names = {face.css for face in faces}
    assert "font-family:'DejaVu Serif';font-weight:700;font-style:normal" in names


def test_a_page_is_a_function_of_its_seed(texts: TextSource, faces: list[Typeface]) -> None:
    first, again, other = (compose(Random(s), texts, faces) for s in (5, 5, 6))
    assert first == again
    assert first != other


def test_pages_that_teach_where_lines_end_spread_their_parts(
    texts: TextSource, faces: list[Typeface]
) -> None:
    pages = [compose(Random(s), texts, faces, spread=True, vertical=s % 2 == 1) for s in range(12)]
    assert sum("column-gap" in page.html for page in pages) > 6
    assert [("vertical-rl" in page.html) for page in pages] == [False, True] * 6
    plain = [compose(Random(seed), texts, faces) for seed in range(12)]
    assert not any("column-gap" in page.html or "vertical" in page.html for page in plain)


def test_text_is_escaped(texts: TextSource, faces: list[Typeface]) -> None:
    marked = replace(texts.corpus, english=('a <b> & </p> "c" d e',), han=(), traditional=())
    for seed in range(40):
        page: WebPage = compose(Random(seed), TextSource(marked), faces)
        assert "</p> " not in re.sub(r"</p>(?=<|$)", "", page.html)


def test_a_set_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("")
    with pytest.raises(ConfigError, match="another folder"):
        make_page_set(PageSetPlan(tmp_path), lambda _: [], lambda _: None)
    with pytest.raises(ConfigError, match="at least one page"):
        make_page_set(PageSetPlan(tmp_path / "new", pages=0), lambda _: [], lambda _: None)
    (tmp_path / "manifest.jsonl").write_text("")
    with pytest.raises(ConfigError, match="another folder"):
        make_measuring_set(PageSetPlan(tmp_path), lambda _: None)
    with pytest.raises(ConfigError, match="at least one page"):
        make_measuring_set(PageSetPlan(tmp_path / "new", pages=0), lambda _: None)
