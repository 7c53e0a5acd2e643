from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from shizi.nets.crnn import (  # noqa: E402
    Crnn,
    CrnnDims,
    count_parameters,
    load_checkpoint,
    save_checkpoint,
    warm_start,
)

pytestmark = pytest.mark.torch
SMALL = CrnnDims(classes=6, widths=(4, 4, 8, 8, 8, 8, 12), hidden=8, narrow=6)


def test_one_column_of_scores_for_four_of_pixels() -> None:
    net = Crnn(SMALL).eval()
    assert net(torch.zeros(3, 1, 32, 64)).shape == (3, 16, 6)


def test_a_checkpoint_rebuilds_the_network_from_itself() -> None:
    net = Crnn(SMALL).eval()
    again, symbols = load_checkpoint(save_checkpoint(net, tuple("abcde")))
    strips = torch.randn(2, 1, 32, 32)
    assert symbols == tuple("abcde")
    assert again.dims == SMALL
    assert torch.equal(again.eval()(strips), net(strips))


def test_the_default_dims_make_a_small_network() -> None:
    assert count_parameters(Crnn(CrnnDims(classes=10_700))) < 2_000_000


def test_other_heights_are_refused() -> None:
    with pytest.raises(ValueError, match="32 rows"):
        Crnn(CrnnDims(classes=3, height=48))


def test_a_warm_start_carries_symbols_over_by_name() -> None:
    old = Crnn(SMALL)
    new = Crnn(CrnnDims(classes=8, widths=SMALL.widths, hidden=8, narrow=6))
    symbols = tuple("xbaey国识")[:7]
    assert warm_start(new, symbols, old.state_dict(), tuple("abcde")) == 3
    for symbol in "abe":
        mine, theirs = symbols.index(symbol) + 1, "abcde".index(symbol) + 1
        assert torch.equal(new.head.weight[mine], old.head.weight[theirs])
        assert new.head.bias[mine] == old.head.bias[theirs]
    assert torch.equal(new.head.weight[0], old.head.weight[0])
    assert torch.equal(new.rnn.weight_hh_l0, old.rnn.weight_hh_l0)


def test_a_warm_start_from_another_shape_is_refused() -> None:
    state = Crnn(SMALL).state_dict()
    del state["narrow.bias"]
    with pytest.raises(ValueError, match=r"narrow\.bias"):
        warm_start(Crnn(SMALL), tuple("abcde"), state, tuple("abcde"))
