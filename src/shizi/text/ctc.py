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
class Column:
    """The likeliest classes of a column.

    Attributes:
        classes: in rising order.
        logs: their log-probabilities.
        best: the likeliest one.
        mass: sum of their probabilities.
    """

    classes: list[int]
    logs: list[float]
    best: int
    mass: float


_SURE_BLANK = Column([BLANK], [0.0], BLANK, 1.0)


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


def candidates(
    scores: NDArray[np.float32], gap: float, *, probabilities: bool = False
) -> list[Column]:
    """Give the classes of each column that are within a gap of its best one.

    Args:
        scores: (T, C) float; T may be 0.
        gap: in nats, above 0.
        probabilities: whether the scores are already in [0, 1] and sum to 1 in each column.
    """
    if scores.shape[0] == 0:
        return []
    columns = [_SURE_BLANK] * scores.shape[0]
    # Most columns are sure blanks: only the others are looked at class by class.
    blank, symbol = scores[:, BLANK], scores[:, BLANK + 1 :].max(axis=1)
    far = np.float32(np.exp(-gap)) if probabilities else np.float32(gap)
    open_rows = np.flatnonzero(symbol >= (blank * far if probabilities else blank - far))
    best = np.maximum(blank, symbol)[open_rows, None]
    part = scores[open_rows]
    near = part >= best * far if probabilities else part >= best - far
    rows, classes = np.divmod(np.flatnonzero(near), part.shape[1])
    if probabilities:
        logs = np.log(np.maximum(part[rows, classes], np.float32(1e-12)))
    else:
        part -= best
        logs = part[rows, classes] - np.log(np.exp(part, out=part).sum(axis=1))[rows]
    names, values, masses = classes.tolist(), logs.tolist(), np.exp(logs).tolist()
    first = 0
    ends = np.cumsum(np.bincount(rows, minlength=len(open_rows)))
    for row, end in zip(open_rows.tolist(), ends.tolist(), strict=True):
        own = values[first:end]
        likeliest = names[first + own.index(max(own))]
        columns[row] = Column(names[first:end], own, likeliest, sum(masses[first:end]))
        first = end
    return _settled(columns)


def _settled(columns: list[Column]) -> list[Column]:
    """Close columns that hesitate between a blank and the sure symbol of one neighbour.

    Whichever they take, the text is the same; only where both neighbours may be that symbol does a
    blank between them tell one from two.
    """
    before = _SURE_BLANK
    for place, column in enumerate(columns):
        classes = column.classes
        if len(classes) == 2 and classes[0] == BLANK:
            after = columns[place + 1] if place + 1 < len(columns) else _SURE_BLANK
            symbol, own = classes[1], classes[1:]
            if (before.classes == own and symbol not in after.classes) or (
                after.classes == own and symbol not in before.classes
            ):
                at = classes.index(column.best)
                columns[place] = Column([column.best], column.logs[at : at + 1], column.best, 1.0)
        before = column
    return columns


def _top_probability(rows: NDArray[np.float32]) -> list[float]:
    """Softmax of the highest score of each row."""
    if rows.shape[0] == 0:
        return []
    shifted = rows - rows.max(axis=1, keepdims=True)
    top: list[float] = (1.0 / np.exp(shifted).sum(axis=1)).tolist()
    return top
