from __future__ import annotations

from typing import cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from shizi.nets.crnn import Crnn  # noqa: E402
from shizi.train.stream import Batch  # noqa: E402
from shizi.train.validate import collapse, validate  # noqa: E402

pytestmark = pytest.mark.torch


def test_repeats_go_before_blanks() -> None:
    assert collapse(np.array([0, 5, 5, 0, 5, 3, 3, 0])) == [5, 5, 3]
    assert collapse(np.array([0, 0])) == []


def test_edits_are_counted_over_symbols_and_lines() -> None:
    # A network that reads the classes written into the strips' first row.
    def read(strips: torch.Tensor) -> torch.Tensor:
        classes = ((strips[:, 0, 0, ::4] + 1) * 127.5).round().long()
        return torch.nn.functional.one_hot(classes, 10).float()

    strips = np.zeros((2, 1, 32, 32), np.uint8)
    strips[0, 0, 0, ::4] = [1, 1, 0, 2, 0, 3, 0, 0]
    strips[1, 0, 0, ::4] = [4, 0, 4, 0, 0, 5, 5, 0]
    batch = Batch(strips, np.array([[1, 2, 3], [4, 4, 6]]), np.array([3, 3]), 0, 0, True)
    net = torch.nn.Module()
    net.forward = read
    scores = validate(cast(Crnn, net), [batch], torch.device("cpu"))
    assert (scores.cer, scores.exact) == (1 / 6, 0.5)
