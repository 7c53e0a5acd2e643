from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from shizi.core.errors import ConfigError
from shizi.train.recipe import RecognizerRun, data_recipe, train_recognizer

pytestmark = pytest.mark.torch


def test_a_run_from_nothing_has_a_curriculum_and_a_warm_start_none(tmp_path: Path) -> None:
    run = RecognizerRun(tmp_path)
    assert data_recipe(run).curriculum > 0
    assert data_recipe(replace(run, init=tmp_path / "last.pt")).curriculum == 0


def test_the_standard_characters_of_a_corpus_join_the_charset(tmp_path: Path) -> None:
    (tmp_path / "chars_level3_1605.txt").write_text("鿏\n㧐\n", encoding="utf-8")
    without = data_recipe(RecognizerRun(tmp_path)).symbols
    symbols = data_recipe(RecognizerRun(tmp_path, corpus=tmp_path)).symbols
    assert set(symbols) - set(without) <= {"鿏", "㧐"}
    assert {"鿏", "㧐"} <= set(symbols)
    assert 9_000 < len(without) <= len(symbols) < 12_000


@pytest.mark.parametrize(
    "changes",
    [
        {"corpus": Path("/nowhere")},
        {"fonts": (Path("/nowhere"),)},
        {"real": ((Path("/nowhere"), 0.2),)},
        {"real": ((Path("/"), 0.6), (Path("/"), 0.6))},
        {"lines": 0},
        {"workers": 0},
        {"threads": 0},
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        data_recipe(replace(RecognizerRun(tmp_path), **changes))


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are s, m"):
        train_recognizer(RecognizerRun(tmp_path, size="xl"), lambda _: None)
