from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.cli.main import main
from shizi.core.errors import ConfigError, OptionError
from shizi.models.opening import open_language_model
from shizi.models.store import ModelStore
from shizi.text.ngram import START
from shizi.train import corpus, expectation
from shizi.train.documents import read_documents
from shizi.train.expectation import (
    LanguagePlan,
    gather_lines,
    make_language_model,
    simplified_forms,
)

pytest.importorskip("opencc", reason="needs the extra train")

HTML = """<html><head><title>no</title><style>p {color: red}</style></head><body>
<h1>Reading lines</h1><p>A <b>bold</b>
word &amp; more</p><pre>code()</pre><ul><li>行一<li>行二</ul><p>A bold word &amp; more</p></body>"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave this machine's own documents out, and make few phrases up."""
    monkeypatch.setattr(corpus, "SYSTEM_TEXT", ())
    monkeypatch.setattr(expectation, "_PHRASES", 700)
    monkeypatch.setattr(expectation, "_CODES", 300)
    # What was read of the machine is kept, and would be found here, or from here on.
    corpus.load_corpus.cache_clear()
    yield
    corpus.load_corpus.cache_clear()


def write_documents(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "page.html").write_text(HTML, encoding="utf-8")
    (folder / "novel.txt").write_text("Call me. Some years\nago! 你好。", encoding="utf-8")
    (folder / "data.json").write_text('{"no": "text"}', encoding="utf-8")
    return folder


def test_documents_give_paragraphs_and_sentences(tmp_path: Path) -> None:
    paragraphs, sentences = read_documents(write_documents(tmp_path / "docs"))
    assert paragraphs == ["Reading lines", "A bold word & more", "行一", "行二"]
    assert sentences == ["Call me.", "Some years ago!", "你好。"]


def test_every_kind_of_text_counts(tmp_path: Path) -> None:
    texts, real = tmp_path / "texts", tmp_path / "real"
    texts.mkdir()
    real.mkdir()
    (texts / "news.txt").write_text("今天天气很好\n", encoding="utf-8")
    (real / "labels.tsv").write_text("1.png\tTOTAL RM 12\n2.png\tCASH\n", encoding="utf-8")
    documents = write_documents(tmp_path / "docs")
    plan = LanguagePlan(tmp_path / "lm", texts, (documents,), ((real, 3),), seed=2)
    lines = gather_lines(plan)
    assert lines.count("TOTAL RM 12") == 3
    assert "今天天气很好" in lines
    assert len(lines) > 1_000
    assert gather_lines(plan) == lines
    with pytest.raises(ConfigError, match="no-folder"):
        gather_lines(LanguagePlan(tmp_path, documents=(tmp_path / "no-folder",)))


def test_a_name_that_no_store_would_find_is_refused_before_counting(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Mine"):
        make_language_model(LanguagePlan(tmp_path / "Mine"), lambda _: None)
    assert not (tmp_path / "Mine").exists()


def test_traditional_characters_are_paired_with_simplified_ones() -> None:
    folding = simplified_forms()
    assert [folding.fold(symbol) for symbol in "漢後A７"] == ["汉", "后", "a", "0"]


def test_the_command_makes_a_model_that_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "docs")
    folder = tmp_path / "models" / "mine"
    flags = ["--documents", str(documents), "--ngrams", "2000", "--weights-version", "1.2.3"]
    assert main(["train", "language", str(folder), *flags]) == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["name"], manifest["version"], manifest["task"]) == (
        "mine",
        "1.2.3",
        "language",
    )
    model = open_language_model(ModelStore((tmp_path / "models",)), "mine")
    chance, _ = model.extend(START, model.code("e"))
    assert -9 < chance < 0
    assert main(["train", "language", str(folder), "--real", "x:0"]) != 0
    assert "DIR:TIMES" in capsys.readouterr().err
