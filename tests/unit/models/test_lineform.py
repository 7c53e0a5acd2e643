from __future__ import annotations

import json

import pytest

from shizi.core.errors import IncompatibleModel
from shizi.imaging.lines import Canvas, Scaling
from shizi.models.lineform import LineForm

FORM = LineForm(48, color=True, stride=8, scaling=Scaling.BILINEAR, canvas=Canvas(300, 252, 24, 0))


def test_a_form_survives_a_manifest() -> None:
    for form in (LineForm(), FORM):
        assert LineForm.from_dict(json.loads(json.dumps(form.to_dict()))) == form


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": "32"},
        {"height": True},
        {"stride": -4},
        {"color": 1},
        {"scaling": "other"},
        {"canvas": None},
        {"canvas": {"first": 64, "step": 0}},
        {"canvas": {"first": 64, "step": 64, "pad": 256}},
        {"canvas": {"first": 64, "step": 64, "margin": -1}},
        {"canvas": {"width": 64}},
        {"unknown": 1},
    ],
)
def test_an_impossible_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(IncompatibleModel, match="form of lines"):
        LineForm.from_dict(FORM.to_dict() | change)


@pytest.mark.parametrize("values", [None, [], "form", {}, {"canvas": {}}])
def test_what_is_no_form_is_refused(values: object) -> None:
    with pytest.raises(IncompatibleModel, match="form of lines"):
        LineForm.from_dict(values)
