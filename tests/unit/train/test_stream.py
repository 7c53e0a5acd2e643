from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from shizi.core.errors import ConfigError
from shizi.text.charset import Charset
from shizi.train.stream import Batch, BatchStream, ChunkMaker, DataRecipe

pytestmark = pytest.mark.torch


def key(batch: Batch) -> tuple[object, ...]:
    return (batch.chunk, batch.index, batch.strips.tobytes(), batch.targets.tobytes())


def test_a_chunk_is_a_function_of_recipe_and_number(recipe: DataRecipe) -> None:
    first, again = (ChunkMaker(recipe).batches(3) for _ in range(2))
    assert [key(b) for b in first] == [key(b) for b in again]
    other = ChunkMaker(replace(recipe, seed=2)).batches(3)
    assert [key(b) for b in first] != [key(b) for b in other]


def test_batches_hold_lines_of_one_bucket_within_the_budget(recipe: DataRecipe) -> None:
    batches = ChunkMaker(recipe).batches(0)
    charset = Charset(recipe.symbols)
    for batch in batches:
        lines, planes, height, width = batch.strips.shape
        assert (planes, height, width % 64) == (1, 32, 0)
        assert lines == 1 or lines * width <= recipe.batch_columns
        for target, length in zip(batch.targets, batch.lengths, strict=True):
            assert 0 < length <= width // 4
            assert (target[:length] > 0).all()
            assert (target[length:] == 0).all()
            assert target.max() < len(charset)
    assert [b.index for b in batches] == list(range(len(batches)))
    assert [b.last for b in batches] == [False] * (len(batches) - 1) + [True]


def test_held_out_fonts_are_never_learned_from(recipe: DataRecipe) -> None:
    learned, held_out = ChunkMaker(recipe), ChunkMaker(recipe, held_out=True)
    names = [{face.name for face in maker.fonts} for maker in (learned, held_out)]
    assert names == [{"DejaVuSans", "DejaVuSerif-Bold"}, {"wqy-microhei"}]


def test_without_fonts_the_way_out_is_told(recipe: DataRecipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="font"):
        ChunkMaker(replace(recipe, fonts=(str(tmp_path),), font_cache=None))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_stream_goes_on_where_it_was_left_with_any_number_of_workers(
    recipe: DataRecipe, workers: int
) -> None:
    maker = ChunkMaker(recipe)
    whole = [key(b) for chunk in range(3) for b in maker.batches(chunk)]
    cut = len(maker.batches(0)) + 2
    with BatchStream(recipe, workers, chunk=1, index=2) as stream:
        rest = [key(b) for b in islice(stream, len(whole) - cut)]
    assert rest == whole[cut:]


def test_a_curriculum_begins_with_short_lines(recipe: DataRecipe) -> None:
    slow = replace(recipe, curriculum=1.0, total_lines=6_000)
    early = [len(s.text) for s in ChunkMaker(slow).samples(0)]
    late = [len(s.text) for s in ChunkMaker(slow).samples(99)]
    assert np.mean(early) < 0.95 * np.mean(late)
