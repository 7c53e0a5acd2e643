from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from shizi.train.loss import align  # noqa: E402

pytestmark = pytest.mark.torch
CLASSES = 40


def setting(seed: int = 3) -> tuple[Tensor, nn.Linear, Tensor, Tensor]:
    torch.manual_seed(seed)
    features = torch.randn(3, 12, 5, requires_grad=True)
    targets = torch.tensor([[7, 7, 9, 0], [3, 0, 0, 0], [11, 12, 11, 12]])
    return features, nn.Linear(5, CLASSES), targets, torch.tensor([3, 1, 4])


def plain_loss(features: Tensor, head: nn.Linear, targets: Tensor, lengths: Tensor) -> Tensor:
    """CTC the textbook way, over every class."""
    log_probs = head(features).log_softmax(2).transpose(0, 1)
    steps = torch.full((features.shape[0],), features.shape[1])
    losses = nn.functional.ctc_loss(
        log_probs, targets, steps, lengths, reduction="none", zero_infinity=True
    )
    return (losses / lengths).mean()


def gradients(loss: Tensor, features: Tensor, head: nn.Linear) -> list[Tensor]:
    return list(torch.autograd.grad(loss, [features, head.weight, head.bias]))


def test_with_all_classes_loss_and_gradient_are_those_of_plain_ctc() -> None:
    features, head, targets, lengths = setting()
    ours = align(features, head, targets, lengths).loss
    wanted = plain_loss(features, head, targets, lengths)
    assert ours.item() == pytest.approx(wanted.item(), rel=1e-5)
    pairs = zip(gradients(ours, features, head), gradients(wanted, features, head), strict=True)
    for got, want in pairs:
        assert torch.allclose(got, want, atol=1e-6)


def test_a_draw_of_every_class_is_no_estimate() -> None:
    features, head, targets, lengths = setting()
    ours = align(features, head, targets, lengths, torch.arange(1, CLASSES)).loss
    wanted = plain_loss(features, head, targets, lengths)
    # A class that was drawn and is present counts once; the others stand for 40/39 classes.
    assert ours.item() == pytest.approx(wanted.item(), rel=0.02)


def test_the_estimate_lies_around_the_truth() -> None:
    features, head, targets, lengths = setting()
    wanted = plain_loss(features, head, targets, lengths).item()
    generator = torch.Generator().manual_seed(5)
    draws = []
    for _ in range(300):
        some = torch.randperm(CLASSES - 1, generator=generator)[:13] + 1
        draws.append(align(features, head, targets, lengths, some).loss.item())
    assert sum(draws) / len(draws) == pytest.approx(wanted, rel=0.03)


def test_a_line_that_cannot_fit_counts_nothing() -> None:
    features, head, targets, lengths = setting()
    short = features[:, :3].detach().requires_grad_()
    loss = align(short, head, targets, lengths).loss
    (gradient,) = torch.autograd.grad(loss, short)
    assert torch.isfinite(loss)
    # "7 7 9" needs a blank between the sevens, "11 12 11 12" four columns: both are too long.
    assert gradient[0].abs().sum() == 0
    assert gradient[2].abs().sum() == 0
    assert gradient[1].abs().sum() > 0
