"""Weights between two networks, and those that cannot be mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from onnx import numpy_helper  # noqa: E402

from shizi.compress.blend import Blend, blend_models  # noqa: E402
from shizi.compress.onnx import build_onnx, export_onnx  # noqa: E402
from shizi.compress.publish import publish  # noqa: E402
from shizi.core.errors import IncompatibleModel, OptionError  # noqa: E402
from shizi.models.opening import open_recognizer  # noqa: E402
from shizi.models.store import ModelStore  # noqa: E402
from shizi.nets.crnn import Crnn, CrnnDims, save_checkpoint  # noqa: E402
from shizi.text.charset import Charset  # noqa: E402

pytestmark = pytest.mark.torch
CHARSET = Charset(tuple("abcde识字 "))


def network(seed: int, narrow: int = 6) -> Crnn:
    torch.manual_seed(seed)
    return Crnn(CrnnDims(len(CHARSET), (4, 4, 8, 8, 8, 8, 12), hidden=8, narrow=narrow)).eval()


def test_weights_lie_between_those_of_both(tmp_path: Path) -> None:
    export_onnx(network(1), CHARSET, "start", tmp_path / "start.onnx")
    ends = [build_onnx(network(seed), CHARSET, "mini") for seed in (1, 2)]

    mixed = blend_models(ends[1], Blend(tmp_path / "start.onnx", 0.25))

    for start, end, found in zip(
        *(model.graph.initializer for model in (*ends, mixed)), strict=True
    ):
        low, high, value = map(numpy_helper.to_array, (start, end, found))
        assert value == pytest.approx(0.25 * low + 0.75 * high, abs=1e-6)
    assert mixed.graph.name == "mini"


def test_a_blend_is_published_and_served(tmp_path: Path) -> None:
    torch.save(save_checkpoint(network(2), CHARSET.symbols), tmp_path / "last.pt")
    export_onnx(network(1), CHARSET, "start", tmp_path / "start.onnx")
    blend = Blend(tmp_path / "start.onnx", 0.25)

    publish(
        tmp_path / "last.pt", tmp_path / "m" / "mini", "mini", "0.0.1", {"start": "start"}, blend
    )

    recognizer = open_recognizer(ModelStore((tmp_path / "m",)), "mini", 1)
    assert len(recognizer.recognize([np.zeros((32, 100), np.uint8)])) == 1


def test_what_cannot_be_mixed_is_refused(tmp_path: Path) -> None:
    model = build_onnx(network(1), CHARSET, "mini")
    export_onnx(network(1), Charset(tuple("edcba识字 ")), "start", tmp_path / "symbols.onnx")
    export_onnx(network(1, narrow=5), CHARSET, "start", tmp_path / "narrow.onnx")
    export_onnx(network(1), CHARSET, "start", tmp_path / "start.onnx")
    (tmp_path / "text.onnx").write_text("no model")

    for name in ("symbols", "narrow", "text", "missing"):
        with pytest.raises(IncompatibleModel, match=f"{name}.onnx"):
            blend_models(model, Blend(tmp_path / f"{name}.onnx", 0.5))
    for share in (0.0, 1.0, -1.0):
        with pytest.raises(OptionError, match="between 0 and 1"):
            blend_models(model, Blend(tmp_path / "start.onnx", share))
