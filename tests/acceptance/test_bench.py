"""The bench on the project's own pictures, with every peer that is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.acceptance
@pytest.mark.peers
@pytest.mark.slow
def test_shizi_and_its_peers_stand_side_by_side(tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed: apt-get install tesseract-ocr-chi-sim")
    out = tmp_path / "report.json"
    command = [sys.executable, "-m", "shizi", "bench", str(ROOT / "bench" / "rendered")]
    done = subprocess.run(
        [*command, "--limit", "2", "--by", "variant", "-o", str(out)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())["results"]
    assert [r["name"] for r in results] == ["shizi", "rapidocr", "tesseract"]
    for result in results:
        assert result["error"] == ""
        assert result["lines"]["all"]["lines"] > 10
        assert result["lines"]["all"]["ms_a_line"] > 0
        assert result["lines"]["all"]["cer"] < 0.6
        assert result["pages"]["all"]["recall"] > 0.2
        assert result["peak_bytes"] > 20e6
    ours, rapid, _ = results
    assert ours["pages"]["clean"]["cer"] < 0.05
    assert rapid["pages"]["clean"]["cer"] < 0.05
    assert ours["model_bytes"] < rapid["model_bytes"]
