"""Batch norms that were folded into their convolutions, brought back without a change in scores.

A norm that only shifts scores the same in evaluation, but in training it would begin to divide by
what it measures, and everything learned would be lost. So each norm is given the mean and the
variance of its own inputs, and the scale and shift that undo them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from shizi.nets.crnn import Crnn, convolutions


def set_identity(norm: nn.BatchNorm2d, shift: Tensor) -> None:
    """Let a norm in evaluation mode add `shift` (C,) and do nothing else."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise ValueError("the norm keeps no statistics")
    with torch.no_grad():
        mean.zero_()
        variance.fill_(1.0 - norm.eps)
        norm.weight.fill_(1.0)
        norm.bias.copy_(shift)


@torch.no_grad()
def measure_norms(net: Crnn, batches: Iterable[Tensor]) -> None:
    """Give every norm the statistics of its inputs over some strips, and undo them in its scale.

    Args:
        net: left in evaluation mode; its scores in that mode do not change but for rounding.
        batches: strips as the network takes them, (B, 1, 32, W) each; some thousand lines tell
            enough. Every pixel column counts the same.
    """
    net.eval()
    layers = [(conv, norm, _Moments()) for conv, norm in convolutions(net)]
    hooks = [
        conv.register_forward_hook(lambda _, __, output, kept=kept: kept.add(output))
        for conv, _, kept in layers
    ]
    try:
        for strips in batches:
            net.cnn(strips)
    finally:
        for hook in hooks:
            hook.remove()
    for _, norm, kept in layers:
        _set_moments(norm, *kept.result())


class _Moments:
    """Mean and variance of channels, summed up in 64 bits."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, values: Tensor) -> None:
        wide = values.double()
        self.count += values.numel() // values.shape[1]
        self.total = self.total + wide.sum((0, 2, 3))
        self.squares = self.squares + wide.square().sum((0, 2, 3))

    def result(self) -> tuple[Tensor, Tensor]:
        if not isinstance(self.total, Tensor) or not isinstance(self.squares, Tensor):
            raise ValueError("no strips to measure the norms with")
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()).clamp_min(0.0)


def _set_moments(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Change what a norm subtracts and divides by, and its scale and shift against it."""
    old_mean, old_variance = norm.running_mean, norm.running_var
    if old_mean is None or old_variance is None:
        raise ValueError("the norm keeps no statistics")
    scale = norm.weight / torch.sqrt(old_variance + norm.eps)
    shift = norm.bias - old_mean * scale
    norm.weight.copy_(scale * torch.sqrt(variance + norm.eps))
    norm.bias.copy_(shift + mean * scale)
    old_mean.copy_(mean)
    old_variance.copy_(variance)
