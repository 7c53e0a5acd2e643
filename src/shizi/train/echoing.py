"""Learns from each batch several times, changed a little: a GPU learns faster than cores render.

Choi et al., "Faster Neural Network Training with Data Echoing", arXiv:1907.05550: where making a
sample is what takes the time, it is used again later, shuffled among others and augmented anew,
which is worth nearly as much as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random
from zlib import crc32

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from shizi.train.stream import Batch

#: Batches that echoes are drawn from: as many new ones pass between a batch and its last echo, on
#: average.
POOL_BATCHES = 400
# How far a line moves, in pixels of its strip, and how its contrast and grain change.
_ROWS = 1.0
_COLUMNS = 3.0
_CONTRAST = (0.75, 1.15)
_GRAIN = 0.06


def echo(
    batches: Iterable[Batch], factor: int, seed: int, pool_batches: int = POOL_BATCHES
) -> Iterator[Batch]:
    """Give every batch, and between the new ones those that were given before.

    There are few echoes at first, since there is little to repeat, and those of the last batches
    are left out. So it is again when a run is gone on with.

    Args:
        batches: new ones.
        factor: how often each is given; 1 for no echo.
        seed: of the order.
        pool_batches: that echoes are drawn from.

    Yields:
        The new ones in their order, `echo` 0, and echoes, counted from 1.
    """
    rng = Random(seed)
    pool: list[Batch] = []
    for batch in batches:
        yield batch
        # Without echo nothing would ever leave the pool.
        if factor > 1:
            pool.append(batch)
        for _ in range(factor - 1):
            # A place that is not filled yet gives no echo; once all are, as many leave as come.
            place = rng.randrange(max(pool_batches, len(pool)))
            if place < len(pool):
                yield _take(pool, place, factor)


def _take(pool: list[Batch], place: int, factor: int) -> Batch:
    """Give the next echo of a batch; its last one takes it from the pool."""
    echoed = replace(pool[place], echo=pool[place].echo + 1)
    pool[place] = echoed
    if echoed.echo == factor - 1:
        pool[place] = pool[-1]
        pool.pop()
    return echoed


def vary(strips: Tensor, batch: Batch) -> Tensor:
    """Show an echo as its lines were not seen before: moved a little, paler, with other grain.

    Args:
        strips: (B, 1, 32, W) float32 in [-1, 1], the batch's own.
        batch: its place in the stream and the number of the echo seed what is drawn.

    Returns:
        The same shape and range; a new batch as it is.
    """
    if not batch.echo:
        return strips
    seed = crc32(f"{batch.chunk}/{batch.index}/{batch.echo}".encode())
    generator = torch.Generator(strips.device).manual_seed(seed)

    def drawn(low: float, high: float) -> Tensor:
        share = torch.rand(len(strips), 1, 1, 1, generator=generator, device=strips.device)
        return low + (high - low) * share

    moved = _move(strips, drawn(-_ROWS, _ROWS), drawn(-_COLUMNS, _COLUMNS))
    grain = torch.randn(strips.shape, generator=generator, device=strips.device)
    return (moved * drawn(*_CONTRAST) + grain * drawn(0.0, _GRAIN)).clamp_(-1.0, 1.0)


def _move(strips: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Move each line by a part of a pixel or more; what lies at an edge is stretched."""
    height, width = strips.shape[2:]
    # To the sampler a picture is two units wide and two high.
    places = torch.zeros(len(strips), 2, 3, device=strips.device)
    places[:, 0, 0] = places[:, 1, 1] = 1.0
    places[:, 0, 2] = columns.flatten() * 2 / width
    places[:, 1, 2] = rows.flatten() * 2 / height
    grid = F.affine_grid(places, list(strips.shape), align_corners=False)
    return F.grid_sample(strips, grid, padding_mode="border", align_corners=False)
