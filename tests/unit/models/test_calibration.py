from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.core.errors import IncompatibleModel
from shizi.models.calibration import Calibration, Calibrations, Curve

probabilities = st.floats(0, 1)


@given(probabilities)
def test_nothing_fitted_changes_nothing(p: float) -> None:
    assert Curve()(p) == pytest.approx(p, abs=1e-6)


@given(probabilities, probabilities, st.floats(0.1, 5), st.floats(-5, 5))
def test_a_curve_keeps_the_order_and_the_range(
    first: float, second: float, slope: float, offset: float
) -> None:
    curve = Curve(slope, offset)
    low, high = curve(min(first, second)), curve(max(first, second))
    assert 0 <= low <= high <= 1


def test_a_manifest_holds_two_curves() -> None:
    fitted = Calibration(Curve(0.8, -0.1), Curve(1.2, 0.3))
    assert Calibration.from_dict(fitted.to_dict()) == fitted
    assert Calibration.from_dict(None) == Calibration()


def test_each_decoder_has_its_own() -> None:
    fitted = Calibrations(Calibration(Curve(0.8, -0.1)), Calibration(Curve(1.1, 0.2)))
    assert Calibrations.from_dict(fitted.to_dict()) == fitted
    assert Calibrations.from_dict(None) == Calibrations()
    for damaged in (3, {"beam": {"symbol": [1, 0]}}):
        with pytest.raises(IncompatibleModel, match="calibration"):
            Calibrations.from_dict(damaged)


@pytest.mark.parametrize(
    "values",
    [{}, {"symbol": [1, 0]}, {"symbol": [1], "line": "x"}, 3, {"symbol": [-1, 0], "line": [1, 0]}],
)
def test_damage_is_told(values: object) -> None:
    with pytest.raises(IncompatibleModel, match="calibration"):
        Calibration.from_dict(values)
