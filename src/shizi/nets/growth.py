"""A wider network that reads exactly as a narrower, trained one: what it has learned is not lost.

Chen, Goodfellow and Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016
(arXiv 1511.05641): some units are doubled, and whoever listens to them listens to each of the
copies by its share. A little noise parts the copies, which would learn the same for ever.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shizi.nets.crnn import Crnn, CrnnDims, convolutions

_GATES = 4


def grow(net: Crnn, dims: CrnnDims, noise: float = 0.02, seed: int = 0) -> Crnn:
    """Give a network of larger dims that scores as the smaller one does.

    Args:
        net: trained; left as it is.
        dims: nowhere smaller; classes, layers and height are the same.
        noise: standard deviation of what is added to copied weights, in shares of their own;
            0 gives the same scores but for rounding.
        seed: of which units are doubled, and of the noise.

    Raises:
        ValueError: the dims do not fit.
    """
    old = net.dims
    same = ("classes", "layers", "height")
    wider = (*zip(old.widths, dims.widths, strict=True), (old.hidden, dims.hidden))
    if any(getattr(old, name) != getattr(dims, name) for name in same) or old.layers != 1:
        raise ValueError("a network grows in width alone, and with one recurrent layer")
    if any(after < before for before, after in (*wider, (old.narrow, dims.narrow))):
        raise ValueError("a network does not shrink by growing")
    chance = torch.Generator().manual_seed(seed)
    grown = Crnn(dims)
    with torch.no_grad():
        units = torch.zeros(1, dtype=torch.long)
        for before, after in zip(convolutions(net), convolutions(grown), strict=True):
            units = _grow_convolution(before, after, units, chance)
        hidden = _grow_lstm(net, grown, units, chance)
        both = torch.cat([hidden, hidden + old.hidden])
        narrow = _pick(old.narrow, dims.narrow, chance)
        _copy(grown.narrow.weight, _listen(net.narrow.weight[narrow], both))
        _copy(grown.narrow.bias, net.narrow.bias[narrow])
        _copy(grown.head.weight, _listen(net.head.weight, narrow))
        _copy(grown.head.bias, net.head.bias)
        for weight in grown.parameters():
            if weight.ndim > 1 and noise:
                weight.add_(noise * weight.std() * torch.randn(weight.shape, generator=chance))
    return grown


def _pick(before: int, after: int, chance: torch.Generator) -> Tensor:
    """Choose whom each new unit copies: all old ones, then some of them once more."""
    extra = torch.arange(after - before) % before
    return torch.cat([torch.arange(before), torch.randperm(before, generator=chance)[extra]])


def _listen(weight: Tensor, units: Tensor) -> Tensor:
    """Take the inputs of copied units, each by its share; the inputs are the second axis."""
    copies = torch.bincount(units)[units].float()
    shape = [1, -1, *[1] * (weight.ndim - 2)]
    return weight[:, units] / copies.view(shape)


def _grow_convolution(
    before: tuple[nn.Conv2d, nn.BatchNorm2d],
    after: tuple[nn.Conv2d, nn.BatchNorm2d],
    inputs: Tensor,
    chance: torch.Generator,
) -> Tensor:
    """Copy a convolution and its norm; gives whom its units copy."""
    (conv, norm), (wide, wide_norm) = before, after
    units = _pick(len(conv.weight), len(wide.weight), chance)
    _copy(wide.weight, _listen(conv.weight[units], inputs))
    old, new = norm.state_dict(), wide_norm.state_dict()
    for name in ("weight", "bias", "running_mean", "running_var"):
        _copy(new[name], old[name][units])
    return units


def _grow_lstm(net: Crnn, grown: Crnn, inputs: Tensor, chance: torch.Generator) -> Tensor:
    """Copy the recurrent layer, both directions alike; gives whom its units copy."""
    size = net.dims.hidden
    units = _pick(size, grown.dims.hidden, chance)
    rows = torch.cat([units + k * size for k in range(_GATES)])
    for end in ("", "_reverse"):
        for name, listened in (("weight_ih", inputs), ("weight_hh", units)):
            weight = getattr(net.rnn, f"{name}_l0{end}")
            _copy(getattr(grown.rnn, f"{name}_l0{end}"), _listen(weight[rows], listened))
        for name in ("bias_ih", "bias_hh"):
            bias = getattr(net.rnn, f"{name}_l0{end}")
            _copy(getattr(grown.rnn, f"{name}_l0{end}"), bias[rows])
    return units


def _copy(to: Tensor, values: Tensor) -> None:
    to.copy_(values)
