from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from shizi.text.ctc import greedy_spans

LOGITS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24),
    elements=st.floats(-50, 50, width=32),
)


@given(LOGITS)
def test_spans_are_ordered_and_sure(logits: NDArray[np.float32]) -> None:
    spans = greedy_spans(logits)
    end = 0
    for span in spans:
        assert end <= span.first < span.end <= logits.shape[0]
        assert 0 < span.class_id < logits.shape[1]
        assert 0 < span.confidence <= 1
        assert (logits[span.first : span.end].argmax(axis=1) == span.class_id).all()
        end = span.end


@given(st.lists(st.integers(0, 3), max_size=30))
def test_collapse_follows_the_rule(path: list[int]) -> None:
    logits = np.eye(4, dtype=np.float32)[path].reshape(-1, 4) * 30
    wanted = [k for n, k in enumerate(path) if k and (n == 0 or path[n - 1] != k)]
    assert [span.class_id for span in greedy_spans(logits)] == wanted


@given(LOGITS, st.floats(-100, 100, width=32))
def test_a_shift_of_all_scores_changes_nothing(logits: NDArray[np.float32], shift: float) -> None:
    # Rounded to a grid on which the shift is exact.
    grid = np.round(logits)
    before, after = greedy_spans(grid), greedy_spans(grid + np.float32(round(shift)))
    assert [s.class_id for s in before] == [s.class_id for s in after]
    assert np.allclose([s.confidence for s in before], [s.confidence for s in after], atol=1e-5)


def test_confidence_is_the_softmax_of_the_best_column() -> None:
    logits = np.array([[0, 2, 0], [0, 3, 0], [5, 0, 0]], dtype=np.float32)
    (span,) = greedy_spans(logits)
    assert (
        span.confidence == np.float32(np.exp(3) / (np.exp(3) + 2))
        or abs(span.confidence - np.exp(3) / (np.exp(3) + 2)) < 1e-6
    )
    assert (span.first, span.end) == (0, 2)
