from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from shizi.compress.onnx import build_onnx, export_onnx  # noqa: E402
from shizi.compress.publish import publish, read_checkpoint  # noqa: E402
from shizi.compress.restore import restore_checkpoint  # noqa: E402
from shizi.core.errors import FileAccessError, IncompatibleModel, OptionError  # noqa: E402
from shizi.models.opening import open_recognizer  # noqa: E402
from shizi.models.session import OrtSession  # noqa: E402
from shizi.models.store import ModelStore, Task  # noqa: E402
from shizi.nets.crnn import Crnn, CrnnDims, load_checkpoint, save_checkpoint  # noqa: E402
from shizi.text.charset import Charset  # noqa: E402
from tests.unit.compress.norms import settle_norms  # noqa: E402

pytestmark = pytest.mark.torch
CHARSET = Charset(tuple("abcde识字 "))


def network(layers: int = 1) -> Crnn:
    torch.manual_seed(4)
    widths = (4, 4, 8, 8, 8, 8, 12)
    dims = CrnnDims(len(CHARSET), widths, hidden=8, layers=layers, narrow=6)
    net = Crnn(dims)
    settle_norms(net)
    return net.eval()


@pytest.mark.parametrize("layers", [1, 2])
def test_the_graph_computes_what_the_network_computes(tmp_path: Path, layers: int) -> None:
    net = network(layers)
    export_onnx(net, CHARSET, "mini", tmp_path / "model.onnx")
    session = OrtSession(tmp_path / "model.onnx", 1)
    for lines, width in ((1, 8), (3, 64), (2, 320)):
        strips = np.random.default_rng(width).uniform(-1, 1, (lines, 1, 32, width))
        strips = strips.astype(np.float32)
        (logits,) = session.run({"strips": strips})
        with torch.no_grad():
            wanted = net(torch.from_numpy(strips)).numpy()
        assert logits.shape == wanted.shape
        assert np.abs(logits - wanted).max() < 1e-5


def test_the_file_is_the_same_for_the_same_weights(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_onnx(network(), CHARSET, "mini", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_turned_back_into_a_checkpoint_computes_the_same(layers: int) -> None:
    net = network(layers)
    model = build_onnx(net, CHARSET, "mini").SerializeToString()
    content = restore_checkpoint(model, net.dims.to_dict(), CHARSET)
    restored, symbols = load_checkpoint(content)
    strips = torch.rand(2, 1, 32, 64)
    with torch.no_grad():
        assert torch.allclose(net(strips), restored.eval()(strips), atol=1e-5)
    assert symbols == CHARSET.symbols
    assert content["folded"]


def test_another_graph_is_no_checkpoint() -> None:
    model = build_onnx(network(), CHARSET, "mini").SerializeToString()
    for damaged in (b"no model", model[:-200]):
        with pytest.raises(IncompatibleModel, match="training"):
            restore_checkpoint(damaged, network().dims.to_dict(), CHARSET)
    with pytest.raises(IncompatibleModel, match="training"):
        restore_checkpoint(model, {"classes": 3}, CHARSET)


def test_a_published_checkpoint_can_be_served(tmp_path: Path) -> None:
    torch.save(save_checkpoint(network(), CHARSET.symbols), tmp_path / "best.pt")
    card = {"metrics": {"cer": 0.5}}
    publish(tmp_path / "best.pt", tmp_path / "m" / "mini", "mini", "0.0.1", card)
    store = ModelStore((tmp_path / "m",))
    manifest = store.find("mini", Task.RECOGNIZE)
    assert manifest.details["metrics"] == {"cer": 0.5}
    assert manifest.details["dims"]["classes"] == len(CHARSET)
    recognizer = open_recognizer(store, "mini", 1)
    assert len(recognizer.recognize([np.zeros((32, 100), np.uint8)])) == 1


def test_a_name_that_no_store_would_find_is_refused(tmp_path: Path) -> None:
    torch.save(save_checkpoint(network(), CHARSET.symbols), tmp_path / "best.pt")
    with pytest.raises(OptionError, match="Mini"):
        publish(tmp_path / "best.pt", tmp_path / "m", "Mini", "0.0.1", {})
    assert not (tmp_path / "m").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    for name, content in (("text", b"no weights"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(IncompatibleModel, match=name):
            read_checkpoint(tmp_path / name)
    (tmp_path / "json").write_text(json.dumps({"state": 1}))
    with pytest.raises(IncompatibleModel):
        read_checkpoint(tmp_path / "json")
    torch.save({"state": 1}, tmp_path / "other")
    with pytest.raises(IncompatibleModel, match=r"other is no checkpoint that fits \(KeyError\)"):
        read_checkpoint(tmp_path / "other")
    with pytest.raises(FileAccessError):
        read_checkpoint(tmp_path / "missing")
