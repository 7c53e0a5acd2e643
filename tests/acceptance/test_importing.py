"""A recognizer of ModelScope's, from its folder to a page that it reads, with the real program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.program import RECEIPT, environment
from tests.unit.compress import modelscope

pytestmark = [pytest.mark.torch, pytest.mark.acceptance]


def shizi(models: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shizi", *args]
    settings = environment() | {"SHIZI_PATHS__MODELS": str(models), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=settings, capture_output=True, text=True, timeout=300, check=False
    )


def test_an_imported_recognizer_reads_a_page(tmp_path: Path) -> None:
    state = modelscope.generated(modelscope.convnext_shapes())
    source = modelscope.save(modelscope.talkative(state), tmp_path / "downloaded")
    models = tmp_path / "models"
    done = shizi(models, "models", "import", str(source), "--name", "vit")
    assert done.returncode == 0, done.stderr
    assert "ConvNextViT: 7643 classes, 1 without a symbol left out" in done.stderr
    assert [path.name for path in models.iterdir()] == ["vit"]
    assert shizi(models, "models", "verify", "vit").stdout == "vit  ok\n"
    page = shizi(models, "read", "-f", "json", "--recognizer", "vit", str(RECEIPT))
    assert page.returncode == 0, page.stderr
    content = json.loads(page.stdout)
    lines = json.dumps(content, ensure_ascii=False)
    assert '"vit' in lines
    # Its weights know nothing; but they were asked, and answered in their own symbols.
    assert sum(symbol in lines for symbol in modelscope.VOCABULARY) > 20


def test_what_is_no_checkpoint_is_told_in_two_lines(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.pt").write_bytes(b"<html>not found</html>")
    (tmp_path / "vocab.txt").write_text("a\n")
    refused = shizi(tmp_path, "models", "import", str(tmp_path), "--name", "x")
    assert refused.returncode == 3
    first, second = refused.stderr.strip().split("\n")
    assert "pytorch_model.pt" in first
    assert second
    assert "Traceback" not in refused.stderr
