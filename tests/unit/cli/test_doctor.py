"""What `shizi doctor` finds wrong, and that one fault does not hide the others."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from shizi.cli.main import main
from shizi.models import store

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _findings(capsys: Captured) -> dict[str, str]:
    """Give the rows by their subject."""
    rows = [line.split("  ", 1) for line in capsys.readouterr().out.splitlines()]
    return {rest.split("  ")[0].strip(): state + " " + rest for state, rest in rows}


def test_a_missing_detector_is_found(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(store, "_wheel_manifests", list)

    assert main(["doctor"]) == 3
    found = _findings(capsys)["models"]
    assert found.startswith("BAD")
    assert "no model 'ppocr-v6-det-small' to detect; installed: dbnet-s" in found


def test_a_wrong_configuration_does_not_hide_the_models(capsys: Captured) -> None:
    Path("shizi.yaml").write_text("server: {prot: 1}\n")

    assert main(["doctor"]) == 9
    found = _findings(capsys)
    assert "did you mean 'server.port'?" in found["configuration"]
    assert found["model crnn-s"].startswith("ok")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def version(name: str) -> str:
        if name in ("pypdfium2", "torch"):
            raise metadata.PackageNotFoundError
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)

    assert main(["doctor"]) == 3
    found = _findings(capsys)
    assert found["pypdfium2"].startswith("BAD")
    assert found["torch"].startswith("ok")
    assert "only training needs it" in found["torch"]
