"""Fits a recognizer's calibration on readings whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import ConfigError
from shizi.models.calibration import Calibration, Curve

_ROUNDS = 60
# Keeps the curve finite where all answers are right: as if two more, unlike them, had been seen.
_PRIOR = 1e-3


def fit_curve(probabilities: Sequence[float], right: Sequence[bool]) -> Curve:
    """Fit a logistic curve over log-odds by Newton's method; see `models.calibration`.

    Args:
        probabilities: what the network said, in [0, 1].
        right: whether it was right, one a probability.

    Raises:
        ConfigError: there are no answers, or they do not grow surer as they grow right.
    """
    if not len(probabilities):
        raise ConfigError("there is nothing to fit a calibration on")
    inside = np.clip(np.asarray(probabilities, np.float64), 1e-7, 1 - 1e-7)
    inputs = np.stack([np.log(inside / (1 - inside)), np.ones_like(inside)], axis=1)
    truth = np.asarray(right, np.float64)
    weights = np.array([1.0, 0.0])
    for _ in range(_ROUNDS):
        step = _newton_step(inputs, truth, weights)
        # A full step overshoots where the answers speak against the start.
        weights -= step / max(1.0, 2 * float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-9:
            break
    slope, offset = (float(value) for value in weights)
    if not (math.isfinite(slope) and math.isfinite(offset) and slope > 0):
        raise ConfigError("confidence says nothing here: take more lines, right and wrong ones")
    return Curve(round(slope, 5), round(offset, 5))


def _newton_step(
    inputs: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    said = 1 / (1 + np.exp(-np.clip(inputs @ weights, -40, 40)))
    slope = inputs.T @ (said - truth) + _PRIOR * (weights - np.array([1.0, 0.0]))
    bend = (inputs * (said * (1 - said))[:, None]).T @ inputs + _PRIOR * np.eye(2)
    return np.asarray(np.linalg.solve(bend, slope), np.float64)


def fit_calibration(
    symbols: Sequence[tuple[float, bool]], lines: Sequence[tuple[float, bool]]
) -> Calibration:
    """Fit both curves.

    Args:
        symbols: (probability, right) of symbols.
        lines: (product over the symbols, right) of lines.

    Raises:
        ConfigError: see `fit_curve`.
    """
    return Calibration(fit_curve(*_unzip(symbols)), fit_curve(*_unzip(lines)))


def _unzip(pairs: Sequence[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [p for p, _ in pairs], [right for _, right in pairs]
