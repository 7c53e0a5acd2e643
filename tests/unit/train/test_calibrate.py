from __future__ import annotations

import numpy as np
import pytest

from shizi.core.errors import ConfigError
from shizi.models.calibration import Curve
from shizi.train.calibrate import fit_calibration, fit_curve


@pytest.mark.parametrize("true", [Curve(1.0, 0.0), Curve(0.6, 0.8), Curve(1.5, -1.0)])
def test_the_curve_that_made_the_answers_is_found(true: Curve) -> None:
    rng = np.random.default_rng(1)
    said = rng.uniform(0.02, 0.995, 20_000)
    right = rng.random(20_000) < [true(p) for p in said]
    fitted = fit_curve(said.tolist(), right.tolist())
    assert fitted.slope == pytest.approx(true.slope, abs=0.06)
    assert fitted.offset == pytest.approx(true.offset, abs=0.06)


def test_answers_that_are_all_right_give_a_finite_curve() -> None:
    curve = fit_curve([0.9, 0.99, 0.8], [True, True, True])
    assert 0.9 < curve(0.9) <= 1


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(ConfigError, match="nothing"):
        fit_curve([], [])
    with pytest.raises(ConfigError, match="says nothing"):
        fit_curve([0.01, 0.02, 0.98, 0.99] * 50, [True, True, False, False] * 50)


def test_symbols_and_lines_have_their_own_curves() -> None:
    symbols = [(0.9, k % 10 > 0) for k in range(100)] + [(0.5, k % 2 > 0) for k in range(100)]
    lines = [(0.5, k % 10 > 0) for k in range(100)] + [(0.2, k % 2 > 0) for k in range(100)]
    fitted = fit_calibration(symbols, lines)
    assert fitted.symbol(0.9) == pytest.approx(0.9, abs=0.02)
    assert fitted.line(0.5) == pytest.approx(0.9, abs=0.02)
