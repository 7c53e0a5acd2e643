from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from shizi.compress.convnext import build_convnext_onnx  # noqa: E402
from shizi.models.session import OrtSession  # noqa: E402
from shizi.nets.convnext import ConvNextDims, ConvNextVit  # noqa: E402
from shizi.text.charset import Charset  # noqa: E402

pytestmark = pytest.mark.torch
CHARSET = Charset(tuple("abcde识字 "))


def network() -> ConvNextVit:
    torch.manual_seed(4)
    dims = ConvNextDims(len(CHARSET), (4, 4, 6, 6), (1, 1, 2, 1), width=8, layers=2, heads=2)
    net = ConvNextVit(dims)
    # Factors and norms as after training: fresh ones would hide what is left out or folded wrongly.
    for weight in net.parameters():
        torch.nn.init.uniform_(weight, -0.6, 0.6)
    return net.eval()


def test_the_graph_computes_what_the_network_computes(tmp_path: Path) -> None:
    net = network()
    model = build_convnext_onnx(net, CHARSET, "mini")
    onnx.save_model(model, str(tmp_path / "model.onnx"))
    session = OrtSession(tmp_path / "model.onnx", 1)
    assert session.metadata["charset_sha256"] == CHARSET.sha256
    for lines, width in ((1, 300), (3, 300), (2, 552), (2, 1560)):
        strips = np.random.default_rng(width).uniform(0, 1, (lines, 1, 32, width))
        strips = strips.astype(np.float32)
        (logits,) = session.run({"strips": strips})
        with torch.no_grad():
            wanted = net(torch.from_numpy(strips)).numpy()
        assert logits.shape == wanted.shape == (lines, width // 4, len(CHARSET))
        assert np.ptp(wanted) > 0.5
        assert np.abs(logits - wanted).max() < 1e-5


def test_the_graph_is_the_same_for_the_same_weights() -> None:
    first, second = (build_convnext_onnx(network(), CHARSET, "mini") for _ in range(2))
    assert first.SerializeToString() == second.SerializeToString()
