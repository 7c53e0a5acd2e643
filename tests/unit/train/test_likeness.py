from __future__ import annotations

import numpy as np
import pytest

from shizi.models.boxes import FloatMap
from shizi.train.likeness import Likeness, compare_maps


def drawn(*rows: int, left: int = 20) -> FloatMap:
    page = np.zeros((200, 300), np.float32)
    for row in rows:
        page[row : row + 8, left : left + 200] = 1
    return page


def test_the_same_map_is_all_alike() -> None:
    same = compare_maps(drawn(20, 60, 100), drawn(20, 60, 100))
    assert same == Likeness(3, 3, 3, 3)
    assert same.f_measure == 1


def test_a_missing_line_and_one_too_many_count_apart() -> None:
    found = compare_maps(drawn(20, 60), drawn(60, 100, 140))
    assert found == Likeness(2, 3, 1, 1)
    assert found.recall == pytest.approx(1 / 3)
    assert found.precision == 0.5
    assert found.f_measure == pytest.approx(0.4)


def test_two_lines_in_one_are_not_found() -> None:
    joined = drawn(20)
    joined[20:60, 20:220] = 1
    assert compare_maps(joined, drawn(20, 52)).found == 0


def test_empty_pages_agree() -> None:
    assert compare_maps(drawn(), drawn()).f_measure == 1
    assert compare_maps(drawn(20), drawn()).precision == 0
    assert (Likeness(1, 2, 1, 1) + Likeness(3, 0, 0, 0)) == Likeness(4, 2, 1, 1)
