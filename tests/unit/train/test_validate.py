from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from rapidfuzz.distance import Levenshtein  # noqa: E402

from shizi.train.validate import collapse, edit_distance  # noqa: E402

pytestmark = pytest.mark.torch
WORDS = st.lists(st.integers(1, 4), max_size=12)


@given(WORDS, WORDS)
def test_edit_distance_is_levenshteins(first: list[int], second: list[int]) -> None:
    assert edit_distance(first, second) == Levenshtein.distance(first, second)


def test_repeats_go_before_blanks() -> None:
    assert collapse(np.array([0, 5, 5, 0, 5, 3, 3, 0])) == [5, 5, 3]
    assert collapse(np.array([0, 0])) == []
