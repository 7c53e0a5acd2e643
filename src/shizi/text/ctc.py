"""From scores by column to symbols: the decoding half of CTC.

Graves et al., "Connectionist Temporal Classification", ICML 2006: take the best class of every
column, join repeats, drop blanks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.text.charset import BLANK


@dataclass(frozen=True, slots=True)
class Span:
    """One decoded symbol and the columns it was read from.

    Attributes:
        class_id: in 1..C-1.
        confidence: the highest probability among its columns, in [0, 1].
        first: first column.
        end: column after the last.
    """

    class_id: int
    confidence: float
    first: int
    end: int


def greedy_spans(scores: NDArray[np.float32], *, probabilities: bool = False) -> list[Span]:
    """Decode the scores of one line.

    Args:
        scores: (T, C) float; T may be 0.
        probabilities: whether the scores are already in [0, 1] and sum to 1 in each column.

    Returns:
        The symbols from left to right; their columns do not overlap.
    """
    if scores.shape[0] == 0:
        return []
    best = scores.argmax(axis=1)
    starts = np.flatnonzero(np.concatenate(([True], best[1:] != best[:-1])))
    ends = np.concatenate((starts[1:], [len(best)]))
    inked = best[starts] != BLANK
    starts, ends = starts[inked], ends[inked]
    kept = np.flatnonzero(best != BLANK)
    # Most columns are blank: the softmax over ten thousand classes is taken for the others only.
    top = scores[kept].max(axis=1).tolist() if probabilities else _top_probability(scores[kept])
    sure = dict(zip(kept.tolist(), top, strict=True))
    return [
        Span(int(best[a]), max(sure[k] for k in range(a, b)), int(a), int(b))
        for a, b in zip(starts, ends, strict=True)
    ]


def _top_probability(rows: NDArray[np.float32]) -> list[float]:
    """Softmax of the highest score of each row."""
    if rows.shape[0] == 0:
        return []
    shifted = rows - rows.max(axis=1, keepdims=True)
    top: list[float] = (1.0 / np.exp(shifted).sum(axis=1)).tolist()
    return top
