from __future__ import annotations

import numpy as np
import pytest

from shizi.train.scenery import add_pictures, lay_on_table, texture


@pytest.mark.parametrize("seed", range(12))
def test_pictures_cover_a_part_of_the_page(seed: int) -> None:
    page = np.full((90, 140, 3), 255, np.uint8)
    shown = add_pictures(page, np.random.default_rng(seed))
    assert shown.shape == page.shape
    assert shown.dtype == np.uint8
    assert 0 < (shown != page).any(axis=2).mean() < 1
    assert (page == 255).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_page_on_a_table_is_still_there(seed: int) -> None:
    page = np.zeros((80, 120, 3), np.uint8)
    page[:, ::2] = (250, 3, 5)
    shown = lay_on_table(page, np.random.default_rng(seed))
    assert shown.shape[0] >= 80
    assert shown.shape[1] >= 120
    red = (shown[..., 0] > 120) & (shown[..., 1] < 30)
    assert red.sum() > 0.2 * 80 * 120


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (70, 2)])
def test_a_surface_may_be_of_any_size(size: tuple[int, int]) -> None:
    for seed in range(12):
        surface = texture(*size, np.random.default_rng(seed))
        assert surface.shape == (*size, 3)
        assert surface.dtype == np.uint8
