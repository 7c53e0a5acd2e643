"""What every run of training does with weights: steps of AdamW, a schedule, a running mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


def make_optimizer(
    nets: Sequence[nn.Module | None], learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """Give AdamW without decay on biases and norms, which have nothing to shrink."""
    parameters = [p for net in nets if net is not None for p in net.parameters()]
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, peak: float, warm: float, done: float) -> None:
    """Warm up linearly, then fall along a cosine to a hundredth.

    Args:
        optimizer: whose rate is set for the next step.
        peak: of the rate.
        warm: share of the warm-up that is through; 1 and more is all of it.
        done: share of the run that is through, in [0, 1].
    """
    falling = (1 + math.cos(math.pi * done)) / 2
    for group in optimizer.param_groups:
        group["lr"] = peak * min(1.0, warm) * (0.01 + 0.99 * falling)


@torch.no_grad()
def average_into(average: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Move a running mean of weights a step on (Polyak and Juditsky, 1992).

    Args:
        average: changed in place.
        net: of the same shape.
        decay: of the mean, a step, in (0, 1).
        step: number of this one, from 0 on.
    """
    # Early on a long memory would keep the random start: let it grow with the steps.
    decay = min(decay, (1 + step) / (10 + step))
    new = net.state_dict()
    pairs = [(kept, new[key]) for key, kept in average.state_dict().items()]
    averaged = [pair for pair in pairs if pair[0].dtype.is_floating_point]
    torch._foreach_lerp_([a for a, _ in averaged], [b for _, b in averaged], 1 - decay)
    for kept, value in pairs:
        if not kept.dtype.is_floating_point:
            kept.copy_(value)
