"""Measures a network in the middle of its training, on lines it never sees to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from shizi.nets.crnn import Crnn
from shizi.train.stream import Batch


@dataclass(frozen=True, slots=True)
class Scores:
    """What a validation found.

    Attributes:
        cer: wrong, missing and needless symbols over symbols, in [0, inf).
        exact: share of lines without an error, in [0, 1].
    """

    cer: float
    exact: float


def collapse(classes: NDArray[np.int64]) -> list[int]:
    """Drop repeats, then blanks: the CTC rule, on one line's best classes."""
    kept = classes[np.concatenate(([True], classes[1:] != classes[:-1]))]
    return [int(k) for k in kept if k]


@torch.no_grad()
def validate(net: Crnn, batches: list[Batch], device: torch.device) -> Scores:
    """Read batches greedily and score them; the network is left in evaluation mode."""
    net.eval()
    errors = symbols = exact = lines = 0
    for batch in batches:
        strips = torch.from_numpy(batch.strips).to(device).float().div_(127.5).sub_(1.0)
        best = net(strips).argmax(2).cpu().numpy()
        for classes, target, length in zip(best, batch.targets, batch.lengths, strict=True):
            wanted = [int(k) for k in target[:length]]
            wrong = Levenshtein.distance(collapse(classes), wanted)
            errors, symbols = errors + wrong, symbols + len(wanted)
            exact, lines = exact + (wrong == 0), lines + 1
    return Scores(errors / max(1, symbols), exact / max(1, lines))
