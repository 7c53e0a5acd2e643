from __future__ import annotations

import pytest

from shizi.text.units import part_units


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("净重3㎏g", "净重3kg"),
        ("18㎜m件", "18mm件"),
        ("20㎡2", "20m2"),
        ("36℃C", "36°C"),
        ("№o 7", "No 7"),
    ],
)
def test_a_unit_before_its_own_last_letter_is_its_first(read: str, meant: str) -> None:
    assert "".join(part_units(read)) == meant


@pytest.mark.parametrize("text", ["3㎏", "5㎏ g", "㎏m", "ⅡI", "kgg", "g㎏", "㏒g", ""])
def test_everything_else_stays(text: str) -> None:
    assert "".join(part_units(text)) == text
