from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from shizi.compress.dbnet import build_detector_onnx  # noqa: E402
from shizi.compress.publish import publish  # noqa: E402
from shizi.core.errors import IncompatibleModel, OptionError  # noqa: E402
from shizi.models.opening import open_detector  # noqa: E402
from shizi.models.session import OrtSession  # noqa: E402
from shizi.models.store import ModelStore, Task  # noqa: E402
from shizi.nets.dbnet import DbDims, DbNet, save_detector  # noqa: E402
from tests.unit.compress.norms import settle_norms  # noqa: E402

pytestmark = pytest.mark.torch


def network() -> DbNet:
    torch.manual_seed(5)
    net = DbNet(DbDims(widths=(4, 8, 8, 12, 8), depths=(1, 2, 1), neck=8, head=4))
    settle_norms(net)
    return net.eval()


def checkpoint(folder: Path) -> Path:
    torch.save({"average": save_detector(network())}, folder / "last.pt")
    return folder / "last.pt"


def test_the_graph_computes_what_the_network_computes() -> None:
    net = network()
    session = OrtSession(build_detector_onnx(net, "mini").SerializeToString(), 1)
    assert session.metadata["planes"] == "1"
    for rows, columns in ((32, 64), (96, 32)):
        page = np.random.default_rng(rows).uniform(-1, 1, (1, 1, rows, columns))
        page = page.astype(np.float32)
        (found,) = session.run({"page": page})
        with torch.no_grad():
            wanted = torch.sigmoid(net(torch.from_numpy(page))).numpy()
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < 1e-5


def test_the_file_is_the_same_for_the_same_weights() -> None:
    files = [build_detector_onnx(network(), "mini").SerializeToString() for _ in range(2)]
    assert files[0] == files[1]


def test_a_published_detector_is_opened_by_its_name(tmp_path: Path) -> None:
    publish(checkpoint(tmp_path), tmp_path / "mini", "mini", "1.2", {"data": "none"})
    store = ModelStore((tmp_path,))
    manifest = store.find("mini@1.2", Task.DETECT)
    assert manifest.details["data"] == "none"
    assert manifest.details["parameters"] == sum(p.numel() for p in network().parameters())
    page = np.full((50, 70, 3), 200, np.uint8)
    assert open_detector(store, "mini", 1).find(page).quads is not None


def test_what_cannot_be_published_is_refused(tmp_path: Path) -> None:
    made = checkpoint(tmp_path)
    with pytest.raises(OptionError, match="names no model"):
        publish(made, tmp_path / "out", "No Name", "1", {})
    torch.save({"average": {"dims": {"widths": [1]}, "state": {}}}, tmp_path / "other.pt")
    with pytest.raises(IncompatibleModel, match="no checkpoint"):
        publish(tmp_path / "other.pt", tmp_path / "out", "mini", "1", {})
    assert not (tmp_path / "out").exists()
