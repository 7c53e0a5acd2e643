"""Whether confidences mean what they say. Pure.

Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning",
AAAI 2015: put lines into bins by their confidence, and compare in each how sure the reader was with
how often it was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

BINS = 15
_NONE = (0.0,) * BINS


@dataclass(frozen=True, slots=True)
class Reliability:
    """Lines by confidence; can be added up.

    Attributes:
        lines: how many lie in each of the `BINS` equal parts of [0, 1].
        sure: sum of their confidences.
        right: how many of them are right.
    """

    lines: tuple[float, ...] = _NONE
    sure: tuple[float, ...] = _NONE
    right: tuple[float, ...] = _NONE

    @classmethod
    def of(cls, confidence: float, *, right: bool) -> Self:
        """Count one line of a confidence in [0, 1]."""
        at = min(BINS - 1, int(max(0.0, confidence) * BINS))
        hit = [float(k == at) for k in range(BINS)]
        sure = tuple(confidence * one for one in hit)
        return cls(tuple(hit), sure, tuple(right * one for one in hit))

    def __add__(self, other: Self) -> Self:
        """Add bin by bin."""
        pairs = ((self.lines, other.lines), (self.sure, other.sure), (self.right, other.right))
        return type(self)(*(tuple(a + b for a, b in zip(*p, strict=True)) for p in pairs))

    @property
    def expected_error(self) -> float:
        """Mean distance of confidence and accuracy over the bins, weighted by their lines."""
        total = sum(self.lines)
        apart = (abs(s - r) for s, r in zip(self.sure, self.right, strict=True))
        return sum(apart) / total if total else 0.0
