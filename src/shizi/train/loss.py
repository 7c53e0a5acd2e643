"""CTC over ten thousand classes without ten thousand columns.

Graves et al., "Connectionist Temporal Classification", ICML 2006. The loss needs the
probabilities of the blank and of the line's own symbols only; every other class enters through
the normalizer. So the label columns are scored alone and CTC runs on an alphabet as large as the
line, while the normalizer is one logsumexp over all classes, or over a sample of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a batch's texts lie over its columns, as the network sees it now.

    Attributes:
        loss: mean over lines of the CTC loss per symbol.
        log_probs: (T, B, K) float32 of the classes in `classes`, over all classes.
        path: (T, B) int64 places in `classes`: what most likely stands in each column of all the
            ways to write the text; no gradient.
        classes: (B, K) int64 the line's own classes, the blank first.
        possible: (B,) bool, whether the text fits into the line's columns.
    """

    loss: Tensor
    log_probs: Tensor
    path: Tensor
    classes: Tensor
    possible: Tensor


def align(
    features: Tensor,
    head: nn.Linear,
    targets: Tensor,
    lengths: Tensor,
    negatives: Tensor | None = None,
) -> Alignment:
    """Compute the CTC loss of a batch from the features before the head.

    Args:
        features: (B, T, D) floating.
        head: scores D features for C classes, class 0 the blank.
        targets: (B, L) int64 classes, 0 beyond a line's length.
        lengths: (B,) int64 in 1..L.
        negatives: (N,) int64 classes that, with the blank and the batch's own symbols, stand for
            all in the normalizer; None takes all C.

    Returns:
        The loss, and the alignment it rests on; a line that needs more columns than it has
        counts 0.
    """
    small, columns = _local_alphabet(targets)
    weight, bias = head.weight[columns], head.bias[columns]  # (B, K, D), (B, K)
    scores = torch.baddbmm(bias.unsqueeze(1), features.float(), weight.transpose(1, 2))
    normalizer = _log_normalizer(features, head, targets, negatives)
    log_probs = (scores - normalizer.unsqueeze(2)).transpose(0, 1)  # (T, B, K)
    losses, posterior = _PartialCtc.apply(log_probs, small, lengths)  # type: ignore[no-untyped-call]
    loss = (losses / lengths.to(losses.device)).mean()
    return Alignment(loss, log_probs, posterior.argmax(2), columns, losses > 0)


class _PartialCtc(torch.autograd.Function):
    """CTC over some of the classes, their log-probabilities normalized over all of them.

    torch's own backward adds the probabilities to the gradient, which is right only in front of
    a log_softmax over the same columns (pytorch#52241); here it is taken off again.
    """

    @staticmethod
    def forward(
        ctx: Any, log_probs: Tensor, targets: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute the loss of each line, (B,), 0 where no alignment exists, and posteriors."""
        inputs = log_probs.detach().requires_grad_()
        steps = torch.full((inputs.shape[1],), inputs.shape[0], dtype=torch.long)
        with torch.enable_grad():
            losses = F.ctc_loss(
                inputs, targets, steps, lengths, reduction="none", zero_infinity=True
            )
            (gradient,) = torch.autograd.grad(losses.sum(), inputs)
        possible = (losses.detach() > 0).view(1, -1, 1)
        posterior = (inputs.detach().exp() - gradient) * possible
        ctx.save_for_backward(posterior)
        ctx.mark_non_differentiable(posterior)
        return losses.detach(), posterior

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, None, None]:
        """Scale each line's gradient: minus the posterior of each column's class."""
        (posterior,) = ctx.saved_tensors
        return -posterior * grad.view(1, -1, 1), None, None


def _local_alphabet(targets: Tensor) -> tuple[Tensor, Tensor]:
    """Renumber each line's classes 1..K-1 so that equal symbols keep equal numbers.

    Returns:
        (B, L) renumbered targets, and (B, K) the class of each number, 0 for the blank; numbers
        a line does not use repeat the blank's class and are never asked for.
    """
    same = targets.unsqueeze(2) == targets.unsqueeze(1)  # (B, L, L)
    first = same.int().argmax(2)  # where the symbol stands first
    columns = F.pad(targets, (1, 0))
    return (first + 1) * (targets > 0), columns


def _log_normalizer(
    features: Tensor, head: nn.Linear, targets: Tensor, negatives: Tensor | None
) -> Tensor:
    """Log of the sum of exponentials over the classes, (B, T) float32."""
    # In bf16 the rounding of the scores would make up a fifth of a trained network's gradient.
    features = features.float()
    if negatives is None:
        return torch.logsumexp(F.linear(features, head.weight, head.bias), 2)
    present = torch.zeros(head.out_features, dtype=torch.bool, device=targets.device)
    present[targets.reshape(-1)] = True
    present[0] = True
    share = negatives.numel() / head.out_features
    drawn = torch.zeros_like(present)
    drawn[negatives] = True
    ids = (present | drawn).nonzero().squeeze(1)
    # A drawn class stands for 1/share classes: the estimate of the sum stays unbiased.
    boost = torch.where(present[ids], 0.0, -torch.log(torch.tensor(share)))
    return torch.logsumexp(F.linear(features, head.weight[ids], head.bias[ids] + boost), 2)
