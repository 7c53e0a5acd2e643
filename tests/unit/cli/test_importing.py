"""What `shizi models import` refuses before it looks at a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from shizi.cli import console
from shizi.cli.main import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHIZI_PATHS__MODELS", raising=False)


def test_without_the_extra_it_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    assert main(["models", "import", "folder", "--name", "x", "--to", "models"]) == 3
    assert "[train]" in capsys.readouterr().err


def test_without_a_folder_of_models_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: name)
    monkeypatch.setenv("SHIZI_PATHS__MODELS", "")
    assert main(["models", "import", "folder", "--name", "x"]) == 1
    assert "--to" in capsys.readouterr().err
