from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from shizi.nets.convnext import ConvNextDims, ConvNextVit, join_pieces  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = ConvNextDims(5, (4, 4, 6, 6), (1, 1, 2, 1), width=8, layers=2, heads=2)


def network() -> ConvNextVit:
    torch.manual_seed(3)
    return ConvNextVit(SMALL).eval()


@pytest.mark.parametrize(("width", "columns"), [(300, 75), (552, 138), (804, 201), (1056, 264)])
def test_one_column_of_scores_for_four_of_pixels(width: int, columns: int) -> None:
    assert network()(torch.zeros(2, 1, 32, width)).shape == (2, columns, 5)


def test_a_seam_is_cut_in_the_middle_of_its_overlap() -> None:
    # Columns that tell their piece and their place in it.
    piece, place = torch.meshgrid(torch.arange(6), torch.arange(75), indexing="ij")
    joined = join_pieces(torch.stack([piece, place], 2).float(), lines=2).int()
    assert joined.shape == (2, 201, 2)
    for line, first in zip(joined.tolist(), (0, 3), strict=True):
        assert line[:69] == [[first, k] for k in range(69)]
        assert line[69:132] == [[first + 1, k] for k in range(6, 69)]
        assert line[132:] == [[first + 2, k] for k in range(6, 75)]


def test_lines_of_a_batch_do_not_see_each_other() -> None:
    net = network()
    strips = torch.rand(2, 1, 32, 552, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        together, alone = net(strips), net(strips[1:])
    assert torch.allclose(together[1], alone[0], atol=1e-5)


def test_pieces_do_not_see_each_other() -> None:
    net = network()
    strips = torch.rand(1, 1, 32, 804, generator=torch.Generator().manual_seed(2))
    changed = strips.clone()
    changed[..., 552:] = 0
    with torch.no_grad():
        before, after = net(strips), net(changed)
    assert torch.allclose(before[:, :132], after[:, :132], atol=1e-5)
    assert not torch.allclose(before[:, 138:], after[:, 138:], atol=1e-5)
