from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from shizi.core.errors import ConfigError  # noqa: E402
from shizi.train.auxiliary import (  # noqa: E402
    AttentionReader,
    CenterLoss,
    Lesson,
    PathLoss,
    make_auxiliary,
)
from shizi.train.loss import align  # noqa: E402

pytestmark = pytest.mark.torch
CLASSES, WIDTH = 12, 8
TARGETS = torch.tensor([[3, 3, 5], [7, 0, 0]])
LENGTHS = torch.tensor([3, 1])


def lesson(features: Tensor, head: nn.Linear, done: float = 1.0) -> Lesson:
    return Lesson(features, TARGETS, align(features, head, TARGETS, LENGTHS), done)


def written(head: nn.Linear, classes: list[list[int]], sure: float = 9.0) -> Tensor:
    """Features of columns that say these classes."""
    with torch.no_grad():
        head.weight.copy_(torch.eye(CLASSES, WIDTH))
        head.bias.zero_()
    return sure * torch.eye(CLASSES, WIDTH)[torch.tensor(classes)].requires_grad_()


def test_the_path_is_the_text_where_the_columns_say_it() -> None:
    head = nn.Linear(WIDTH, CLASSES)
    said = [[3, 0, 3, 5, 5], [0, 0, 7, 0, 0]]
    found = align(written(head, said), head, TARGETS, LENGTHS)
    assert found.classes.gather(1, found.path.T).tolist() == said


def test_the_path_loss_is_the_cross_entropy_of_its_classes() -> None:
    torch.manual_seed(2)
    head, features = nn.Linear(WIDTH, CLASSES), torch.randn(2, 6, WIDTH)
    given = lesson(features, head)
    classes = given.alignment.classes.gather(1, given.alignment.path.T)
    entropy = nn.functional.cross_entropy(
        head(features).flatten(0, 1), classes.flatten(), reduction="none"
    ).view(2, 6)
    wanted = 0.5 * (entropy.sum(1) / LENGTHS).mean()
    assert PathLoss(0.5)(given).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_centers_are_measured_first_and_pull_later() -> None:
    head = nn.Linear(WIDTH, CLASSES)
    features = written(head, [[3, 0, 3, 5, 5], [0, 0, 7, 0, 0]])
    loss = CenterLoss(CLASSES, WIDTH, start=0.5, rate=1.0)
    assert loss(lesson(features, head, done=0.1)).item() == 0
    assert loss.seen.nonzero().flatten().tolist() == [3, 5, 7]
    assert torch.allclose(loss.centers[5], features.detach()[0, 3])
    # Blanks have no center; on the centers themselves nothing pulls, beside them it does.
    assert loss(lesson(features, head, done=0.9)).item() == pytest.approx(0, abs=1e-6)
    loss.rate = 0.0
    moved = (features.detach() + 0.5).requires_grad_()
    assert loss(lesson(moved, head, done=0.9)).item() > 0


def test_the_reader_learns_on_its_own_before_it_guides() -> None:
    torch.manual_seed(3)
    head, features = nn.Linear(WIDTH, CLASSES), torch.randn(2, 6, WIDTH, requires_grad=True)
    reader = AttentionReader(CLASSES, WIDTH, start=0.5, model=16).eval()
    reader(lesson(features, head, done=0.1)).backward()
    assert reader.memory.weight.grad is not None
    alone = reader(lesson(features, head, done=0.1))
    assert torch.autograd.grad(alone, features, allow_unused=True) == (None,)
    guided = reader(lesson(features, head, done=0.6))
    (gradient,) = torch.autograd.grad(guided, features)
    assert gradient.abs().sum() > 0


def test_the_reader_learns_to_read() -> None:
    torch.manual_seed(3)
    head, features = nn.Linear(WIDTH, CLASSES), torch.randn(2, 6, WIDTH)
    reader = AttentionReader(CLASSES, WIDTH, weight=1.0, model=16).eval()
    optimizer = torch.optim.Adam(reader.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = reader(lesson(features, head))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.1 * losses[0]


def test_a_loss_nobody_knows_is_refused() -> None:
    assert make_auxiliary("none", CLASSES, WIDTH) is None
    with pytest.raises(ConfigError, match="attention"):
        make_auxiliary("magic", CLASSES, WIDTH)
