"""From scores by column to symbols: the decoding half of CTC.

Graves et al., "Connectionist Temporal Classification", ICML 2006: take the best class of every
column, join repeats, drop blanks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shizi.text.charset import BLANK


class Column(NamedTuple):
    """The likeliest classes of a column.

    Attributes:
        classes: in rising order.
        logs: their log-probabilities.
        best: the likeliest one; in a column that was joined to the one before, the class of that.
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
    scores: NDArray[np.float32], gap: float, most: int, *, probabilities: bool = False
) -> list[Column]:
    """Give the classes of each column that are within a gap of its best one.

    Args:
        scores: (T, C) float; T may be 0.
        gap: in nats, above 0.
        most: classes of a column at most; the likeliest stay.
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
    rows, near_classes = np.divmod(np.flatnonzero(near), part.shape[1])
    if probabilities:
        logs = np.log(np.maximum(part[rows, near_classes], np.float32(1e-12)))
    else:
        part -= best
        logs = part[rows, near_classes] - np.log(np.exp(part, out=part).sum(axis=1))[rows]
    names, values, masses = near_classes.tolist(), logs.tolist(), np.exp(logs).tolist()
    first = 0
    ends = np.cumsum(np.bincount(rows, minlength=len(open_rows)))
    for row, end in zip(open_rows.tolist(), ends.tolist(), strict=True):
        own, classes, mass = values[first:end], names[first:end], masses[first:end]
        if end - first > most:
            kept = sorted(sorted(range(end - first), key=own.__getitem__)[-most:])
            own, classes, mass = ([part[k] for k in kept] for part in (own, classes, mass))
        columns[row] = Column(classes, own, classes[own.index(max(own))], sum(mass))
        first = end
    _settle(columns, open_rows.tolist(), gap)
    return columns


def _settle(columns: list[Column], open_rows: list[int], gap: float) -> None:
    """Join neighbouring columns that choose between a blank and one and the same symbol.

    What such columns write together is nothing or the symbol, once: one column with the
    probabilities of both says the same, and mostly one of them is no candidate any more. Where a
    neighbour may be that symbol too, or a blank may part it in two, nothing is joined.
    """
    end, place = len(columns), 0
    for first in open_rows:
        if first < place:
            continue
        place, symbol = first, columns[first].classes[-1]
        while place < end and _chooses(columns[place], symbol):
            place += 1
        if place == first or (place == first + 1 and len(columns[first].classes) == 1):
            place = first + 1
            continue
        before = columns[first - 1] if first else _SURE_BLANK
        after = columns[place] if place < end else _SURE_BLANK
        if symbol in before.classes or symbol in after.classes:
            continue
        joined = _joined(columns[first:place], symbol, gap)
        if joined is not None:
            # It stands where the symbol begins; the rest is blank and keeps the symbol's place.
            filler = Column([BLANK], [0.0], symbol, 1.0)
            columns[first:place] = [joined, *[filler] * (place - first - 1)]


def _chooses(column: Column, symbol: int) -> bool:
    """Tell whether a column is a symbol or a blank, and nothing else."""
    classes = column.classes
    return symbol != BLANK and classes[-1] == symbol and (len(classes) == 1 or classes[:-1] == [0])


def _joined(columns: list[Column], symbol: int, gap: float) -> Column | None:
    """Give one column for several; None where they may write the symbol twice."""
    nothing, open_one, closed_one, twice = 1.0, 0.0, 0.0, 0.0
    for column in columns:
        ink = math.exp(column.logs[-1])
        blank = math.exp(column.logs[0]) if len(column.classes) > 1 else 0.0
        twice += closed_one * ink
        closed_one = (closed_one + open_one) * blank
        open_one = (open_one + nothing) * ink
        nothing *= blank
    once = open_one + closed_one
    near = math.exp(-gap)
    if twice > near * once:
        return None
    best = symbol if once >= nothing else BLANK
    chances = {BLANK: nothing, symbol: once}
    classes = [k for k, chance in chances.items() if chance >= near * chances[best]]
    kept = [chances[k] for k in classes]
    return Column(classes, [math.log(chance) for chance in kept], best, min(1.0, sum(kept)))


def _top_probability(rows: NDArray[np.float32]) -> list[float]:
    """Softmax of the highest score of each row."""
    if rows.shape[0] == 0:
        return []
    shifted = rows - rows.max(axis=1, keepdims=True)
    top: list[float] = (1.0 / np.exp(shifted).sum(axis=1)).tolist()
    return top
