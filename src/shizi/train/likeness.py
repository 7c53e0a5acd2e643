"""How far two detectors agree: whether the lines of one map are those of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.core.options import DetectOptions
from shizi.models.boxes import FloatMap, map_to_boxes

_OPTIONS = DetectOptions()


@dataclass(frozen=True, slots=True)
class Likeness:
    """Lines of one detector among those of another, over any number of pages.

    Attributes:
        ours: lines of the detector that is judged.
        theirs: of the one it is judged by.
        found: of theirs, those that one of ours covers.
        true: of ours, those that one of theirs covers.
    """

    ours: int = 0
    theirs: int = 0
    found: int = 0
    true: int = 0

    def __add__(self, other: Likeness) -> Likeness:
        """Take both together."""
        return Likeness(
            self.ours + other.ours,
            self.theirs + other.theirs,
            self.found + other.found,
            self.true + other.true,
        )

    @property
    def recall(self) -> float:
        """Share of theirs that were found, in [0, 1]; 1 where there is none."""
        return self.found / self.theirs if self.theirs else 1.0

    @property
    def precision(self) -> float:
        """Share of ours that are true, in [0, 1]; 1 where there is none."""
        return self.true / self.ours if self.ours else 1.0

    @property
    def f_measure(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


def compare_maps(ours: FloatMap, theirs: FloatMap, overlap: float = 0.5) -> Likeness:
    """Compare the lines of two maps of one page.

    Args:
        ours: (H, W) float32 in [0, 1].
        theirs: likewise.
        overlap: intersection over union, in (0, 1), from which on two lines are one.
    """
    a, b = _rectangles(ours), _rectangles(theirs)
    if not len(a) or not len(b):
        return Likeness(len(a), len(b))
    same = _overlaps(a, b) > overlap
    return Likeness(len(a), len(b), int(same.any(axis=0).sum()), int(same.any(axis=1).sum()))


def _rectangles(probability: FloatMap) -> NDArray[np.float64]:
    """Give the upright rectangles around a map's lines, (N, 4)."""
    corners = [box.corners for box in map_to_boxes(probability, _OPTIONS)]
    sides = [(*each.min(axis=0), *each.max(axis=0)) for each in corners]
    return np.array(sides, np.float64).reshape(-1, 4)


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give intersection over union of every pair, (len(a), len(b))."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = (a[:, 2:] - a[:, :2]).prod(axis=1)[:, None] + (b[:, 2:] - b[:, :2]).prod(axis=1)[None]
    return np.asarray(common / np.maximum(areas - common, 1e-9), np.float64)
