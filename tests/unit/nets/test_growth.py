from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from shizi.nets.crnn import Crnn, CrnnDims  # noqa: E402
from shizi.nets.growth import grow  # noqa: E402

SMALL = CrnnDims(classes=30, widths=(4, 6, 8, 8, 10, 10, 12), hidden=8, narrow=7)
LARGE = CrnnDims(classes=30, widths=(6, 9, 12, 8, 25, 10, 18), hidden=13, narrow=20)


def trained() -> Crnn:
    """Give a network whose norms have seen something."""
    torch.manual_seed(1)
    net = Crnn(SMALL)
    net.train()
    for _ in range(3):
        net(torch.randn(4, 1, 32, 64))
    return net.eval()


def test_a_grown_network_scores_as_before() -> None:
    net = trained()
    grown = grow(net, LARGE, noise=0.0).eval()
    assert grown.dims == LARGE
    strips = torch.randn(3, 1, 32, 96)
    with torch.no_grad():
        assert torch.allclose(net(strips), grown(strips), atol=1e-5)


def test_noise_parts_the_copies() -> None:
    net = trained()
    strips = torch.randn(3, 1, 32, 96)
    with torch.no_grad():
        scores, noisy = net(strips), grow(net, LARGE, noise=0.01).eval()(strips)
    assert not torch.allclose(scores, noisy, atol=1e-5)
    assert (scores - noisy).abs().mean() < 0.2 * scores.std()


@pytest.mark.parametrize(
    "dims",
    [
        replace(LARGE, classes=31),
        replace(LARGE, hidden=7),
        replace(LARGE, narrow=6),
        replace(LARGE, widths=(6, 9, 12, 7, 25, 10, 18)),
        replace(LARGE, layers=2),
    ],
)
def test_what_cannot_grow_is_refused(dims: CrnnDims) -> None:
    with pytest.raises(ValueError, match="network"):
        grow(trained(), dims)
