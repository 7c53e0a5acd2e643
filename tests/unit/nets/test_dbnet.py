from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from shizi.nets.dbnet import DbDims, DbNet, load_detector, save_detector  # noqa: E402

pytestmark = pytest.mark.torch
TINY = DbDims(widths=(4, 4, 8, 8, 8), depths=(1, 0, 1), neck=8, head=4)


def test_a_map_is_as_large_as_its_page() -> None:
    net = DbNet(TINY).eval()
    for rows, columns in ((32, 32), (64, 160)):
        assert net(torch.zeros(2, 1, rows, columns)).shape == (2, 1, rows, columns)


def test_a_patch_of_the_map_lies_where_the_page_has_it() -> None:
    """Sixteen channels in the wrong places would still have the right shape."""
    net = DbNet(TINY).eval()
    with torch.no_grad():
        net.patches.weight.zero_()
        net.patches.bias.copy_(torch.arange(16.0))
    drawn = net(torch.zeros(1, 1, 32, 32))[0, 0]
    assert drawn[:4, :4].tolist() == [[4.0 * y + x for x in range(4)] for y in range(4)]
    assert torch.equal(drawn[:4, :4], drawn[28:, 12:16])


def test_a_checkpoint_holds_the_network() -> None:
    net = DbNet(TINY).eval()
    again = load_detector(save_detector(net)).eval()
    page = torch.rand(1, 1, 32, 64)
    assert again.dims == TINY
    assert torch.equal(net(page), again(page))


def test_other_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="widths"):
        DbNet(DbDims(widths=(4, 4)))
