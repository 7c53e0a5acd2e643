from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from shizi.nets.crnn import Crnn, CrnnDims  # noqa: E402
from shizi.nets.norms import measure_norms, set_identity  # noqa: E402

pytestmark = pytest.mark.torch
DIMS = CrnnDims(30, (4, 4, 8, 8, 8, 8, 12), hidden=8, narrow=6)


def folded_net() -> Crnn:
    torch.manual_seed(4)
    net = Crnn(DIMS)
    for layer in net.cnn:
        if isinstance(layer, torch.nn.Sequential):
            set_identity(layer[1], torch.randn(layer[0].out_channels))
    return net.eval()


def test_an_identity_only_shifts() -> None:
    norm = torch.nn.BatchNorm2d(3).eval()
    shift = torch.tensor([1.0, -2.0, 0.5])
    set_identity(norm, shift)
    values = torch.randn(2, 3, 4, 5)
    assert torch.allclose(norm(values), values + shift.view(1, 3, 1, 1), atol=1e-6)


def test_measuring_leaves_the_scores_and_gives_training_the_same_ones() -> None:
    net, strips = folded_net(), torch.rand(16, 1, 32, 96)
    with torch.no_grad():
        before = net(strips)
        in_training_before = net.train()(strips)
        measure_norms(folded := folded_net(), [strips[:7], strips[7:]])
        after = folded(strips)
        in_training_after = folded.train()(strips)
    assert torch.allclose(before, after, atol=1e-4)
    # Training on the very strips it was measured with divides by just what was measured.
    assert torch.allclose(before, in_training_after, atol=1e-3)
    assert not torch.allclose(before, in_training_before, atol=1e-2)


def test_without_strips_nothing_can_be_measured() -> None:
    with pytest.raises(ValueError, match="no strips"):
        measure_norms(folded_net(), [])
