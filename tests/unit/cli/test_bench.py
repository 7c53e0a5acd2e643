from __future__ import annotations

from pathlib import Path

import pytest

from shizi.bench.score import read_manifest
from shizi.cli.bench import OWN_SET
from shizi.cli.main import main
from shizi.core.errors import FileAccessError, OptionError

ROOT = Path(__file__).resolve().parents[3]


def test_the_set_measured_by_default_is_there() -> None:
    pages = read_manifest(ROOT / OWN_SET)
    assert len(pages) == 12
    assert all((ROOT / OWN_SET / page.image).is_file() and page.lines for page in pages)


def test_what_cannot_be_measured_has_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(tmp_path)]) == FileAccessError.exit_status
    assert main(["bench", str(tmp_path), "--threads", "0"]) == OptionError.exit_status
    assert "--threads is at least 1" in capsys.readouterr().err
