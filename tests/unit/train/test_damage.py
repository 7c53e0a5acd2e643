from __future__ import annotations

import numpy as np
import pytest

from shizi.train import damage

STEPS = [step for step, _ in (*damage.PAPER, *damage.CAMERA)]
LINE = np.full((40, 200), 230, np.uint8)
LINE[12:28, 20:180:7] = 30


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_keeps_form_changes_pixels_and_repeats_itself(step: damage.Step) -> None:
    changed = 0
    for seed in range(12):
        before = LINE.copy()
        once = step(before, np.random.default_rng(seed))
        again = step(before, np.random.default_rng(seed))
        assert (once.shape, once.dtype) == (LINE.shape, np.uint8)
        assert np.array_equal(once, again)
        assert np.array_equal(before, LINE)
        changed += not np.array_equal(once, LINE)
    assert changed >= 6


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_smallest_pictures_survive(step: damage.Step) -> None:
    for seed in range(12):
        tiny = np.full((6, 4), 128, np.uint8)
        assert step(tiny, np.random.default_rng(seed)).shape == (6, 4)


def test_no_strength_leaves_the_picture_alone() -> None:
    rng = np.random.default_rng(1)
    assert np.array_equal(damage.apply(LINE, damage.CAMERA, rng, 0.0), LINE)
