"""Makes a network's opinion of itself mean something: of lines it is 80 % sure of, 80 % are right.

Platt, "Probabilistic Outputs for Support Vector Machines", 1999: a logistic curve over the
log-odds, two numbers fitted on readings whose truth is known. Networks trained with CTC are too
sure of symbols they have seen often, and their lines' products lean the other way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from shizi.core.errors import IncompatibleModel

# Log-odds are finite only inside the open interval.
_EDGE = 1e-7


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over log-odds; the identity where nothing was fitted.

    Attributes:
        slope: above 0; below 1 it takes certainty away.
        offset: in log-odds.
    """

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probability: float) -> float:
        """Correct a probability in [0, 1]; the order of two never changes."""
        inside = min(1 - _EDGE, max(_EDGE, probability))
        odds = self.slope * math.log(inside / (1 - inside)) + self.offset
        return 1 / (1 + math.exp(-odds))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves of one recognizer.

    Attributes:
        symbol: from the network's probability of a symbol to how often it is right.
        line: from the product over a line's symbols to how often the whole line is right.
    """

    symbol: Curve = Curve()
    line: Curve = Curve()

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild from `to_dict`, as a manifest holds it; None gives the identity.

        Raises:
            IncompatibleModel: it is something else.
        """
        if values is None:
            return cls()
        try:
            curves = [Curve(*map(float, values[name])) for name in ("symbol", "line")]
        except (TypeError, KeyError, ValueError) as error:
            raise IncompatibleModel(f"a manifest's calibration is damaged: {values!r}") from error
        if any(curve.slope <= 0 for curve in curves):
            raise IncompatibleModel("a manifest's calibration turns the order of lines around")
        return cls(*curves)

    def to_dict(self) -> dict[str, list[float]]:
        """Give plain values for a manifest."""
        return {
            "symbol": [self.symbol.slope, self.symbol.offset],
            "line": [self.line.slope, self.line.offset],
        }


@dataclass(frozen=True, slots=True)
class Calibrations:
    """The curves of one recognizer with each decoder, whose confidences differ in kind."""

    greedy: Calibration = Calibration()
    beam: Calibration = Calibration()

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild from `to_dict`, as a manifest holds it; None gives identities.

        Raises:
            IncompatibleModel: it is something else.
        """
        if not isinstance(values, dict | None):
            raise IncompatibleModel(f"a manifest's calibration is damaged: {values!r}")
        parts = values or {}
        return cls(*(Calibration.from_dict(parts.get(name)) for name in ("greedy", "beam")))

    def to_dict(self) -> dict[str, dict[str, list[float]]]:
        """Give plain values for a manifest."""
        return {"greedy": self.greedy.to_dict(), "beam": self.beam.to_dict()}
