from __future__ import annotations

from pathlib import Path

import pytest

from shizi.cli.main import main
from shizi.release.filestore import FileStore
from shizi.release.transitions import Change, Event, start
from tests.unit.models.makers import make_model

Captured = pytest.CaptureFixture[str]


def test_a_version_that_a_release_keeps_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    make_model(tmp_path / "models" / "mine@1")
    monkeypatch.setenv("SHIZI_PATHS__MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SHIZI_RELEASES__STORE", str(tmp_path / "release"))
    change = Change(Event.ADVANCE, "anna", "a new model", 1.0)
    FileStore(tmp_path / "release").swap(0, start(None, "r1", "crnn-s@0", "mine@1", change))

    assert main(["models", "remove", "mine@1"]) == 3
    assert "release r1" in capsys.readouterr().err
    monkeypatch.setenv("SHIZI_RELEASES__STORE", "")
    assert main(["models", "remove", "mine@1"]) == 0


@pytest.mark.parametrize("task", ["recognize", "detect"])
def test_a_model_that_a_setting_names_is_not_removed(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    make_model(tmp_path / "mine", task=task)
    monkeypatch.setenv("SHIZI_PATHS__MODELS", str(tmp_path))
    setting = {"recognize": "RECOGNIZER", "detect": "DETECTOR"}[task]
    monkeypatch.setenv(f"SHIZI_READER__{setting}", "mine")

    assert main(["models", "remove", "mine"]) == 3
    assert f"reader.{setting.lower()} names it" in capsys.readouterr().err
    monkeypatch.delenv(f"SHIZI_READER__{setting}")
    assert main(["models", "remove", "mine"]) == 0


def test_all_versions_of_a_name_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    for version in ("1", "2"):
        make_model(tmp_path / f"mine@{version}", version=version)
    (tmp_path / "mine@2" / "model.onnx").write_bytes(b"tampered")
    monkeypatch.setenv("SHIZI_PATHS__MODELS", str(tmp_path))

    assert main(["models", "verify", "mine"]) == 3
    told = capsys.readouterr()
    assert told.out == "mine@1  ok\n"
    assert "is not the file of its manifest" in told.err
    assert main(["models", "verify", "mine@1"]) == 0
