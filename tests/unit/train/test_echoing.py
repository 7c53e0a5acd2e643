"""Batches come again, each as often as asked, spread out and changed a little."""

from __future__ import annotations

import weakref
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from shizi.train.echoing import echo, vary  # noqa: E402
from shizi.train.stream import Batch  # noqa: E402

pytestmark = pytest.mark.torch


def batch_of(number: int) -> Batch:
    strips = np.full((3, 1, 32, 64), 127, np.uint8)
    strips[:, :, 10:20, 20:40] = 20
    one = np.ones(3, np.int64)
    return Batch(strips, one[:, None], one, chunk=number, index=0, last=True)


def strips_of(batch: Batch) -> torch.Tensor:
    return torch.from_numpy(batch.strips).float() / 127.5 - 1.0


def test_each_batch_comes_as_often_as_asked_and_new_ones_in_order() -> None:
    given = list(echo(map(batch_of, range(400)), 4, seed=1, pool_batches=20))

    new = [batch.chunk for batch in given if not batch.echo]
    assert new == list(range(400))
    times = Counter(batch.chunk for batch in given)
    # Those of the end are still waiting for their echoes.
    assert all(times[number] == 4 for number in range(250))
    assert {batch.echo for batch in given if batch.chunk == 7} == {0, 1, 2, 3}


def test_echoes_lie_far_from_each_other() -> None:
    given = [batch.chunk for batch in echo(map(batch_of, range(400)), 4, 1, pool_batches=50)]

    places = [k for k, number in enumerate(given) if number == 200]
    assert places[-1] - places[0] > 50
    assert sum(a == b for a, b in pairwise(given)) < 20


def test_it_begins_with_few_echoes() -> None:
    given = list(echo(map(batch_of, range(400)), 4, seed=1, pool_batches=100))

    assert sum(batch.echo > 0 for batch in given[:40]) < 15


def test_without_echo_nothing_comes_again() -> None:
    assert [b.chunk for b in echo(map(batch_of, range(9)), 1, seed=1)] == list(range(9))


def test_without_echo_nothing_is_kept() -> None:
    given = echo(map(batch_of, range(9)), 1, seed=1)

    first = weakref.ref(next(given).strips)
    next(given)

    assert first() is None


def test_a_new_batch_is_shown_as_it_is() -> None:
    strips = strips_of(batch_of(0))

    assert torch.equal(vary(strips, batch_of(0)), strips)


def test_an_echo_is_shown_changed_a_little_and_the_same_each_time() -> None:
    first = replace(batch_of(0), echo=1)
    strips = strips_of(first)

    shown, again, second = (vary(strips, b) for b in (first, first, replace(first, echo=2)))

    assert torch.equal(shown, again)
    assert not torch.allclose(shown, second, atol=0.02)
    assert 0.01 < (shown - strips).abs().mean() < 0.1
    assert shown.abs().max() <= 1.0
    # The text is where it was, within what it may move.
    assert (shown[:, :, 12:18, 24:36] < -0.4).all()
    assert (shown[:, :, :8] > -0.3).all()
    assert (shown[:, :, :, 44:] > -0.3).all()
