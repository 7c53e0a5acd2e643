"""A recognizer of ModelScope's, from its folder to a page that it reads, with the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.acceptance.conftest import Run
from tests.program import RECEIPT
from tests.unit.compress import modelscope

pytestmark = [pytest.mark.torch, pytest.mark.acceptance]


def test_an_imported_recognizer_reads_a_page(shizi: Run, tmp_path: Path) -> None:
    state = modelscope.generated(modelscope.convnext_shapes())
    source = modelscope.save(modelscope.talkative(state), tmp_path / "downloaded")
    models = tmp_path / "models"
    # Beside other tests, several threads of torch get in each other's way.
    settings = {"SHIZI_PATHS__MODELS": str(models), "OMP_NUM_THREADS": "1"}
    done = shizi("models", "import", source, "--name", "vit", **settings)
    assert done.returncode == 0, done.stderr
    assert b"ConvNextViT: 7643 classes, 1 without a symbol left out" in done.stderr
    assert done.stdout == b"vit@1.0.0\n"
    assert (models / "vit@1.0.0" / "model.onnx").is_file()
    assert shizi("models", "verify", "vit", **settings).stdout.endswith(b"ok\n")
    page = shizi("read", "-f", "json", "--recognizer", "vit", RECEIPT, **settings)
    assert page.returncode == 0, page.stderr
    answer = page.stdout.decode()
    assert '"vit' in answer
    # Its weights know nothing; but they were asked, and answered in their own symbols.
    assert sum(symbol in answer for symbol in modelscope.VOCABULARY) > 20


def test_what_is_no_checkpoint_is_told_in_two_lines(shizi: Run, tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.pt").write_bytes(b"<html>not found</html>")
    (tmp_path / "vocab.txt").write_text("a\n")
    refused = shizi("models", "import", tmp_path, "--name", "x", "--to", tmp_path)
    assert refused.returncode == 3
    first, second = refused.stderr.strip().split(b"\n")
    assert b"pytorch_model.pt" in first
    assert second
