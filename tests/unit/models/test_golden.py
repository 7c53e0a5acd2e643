from __future__ import annotations

import pytest

from shizi.core.errors import GoldenFailed, ModelError
from shizi.engine.plans import GOLDEN_ERRORS
from shizi.models.golden import check_golden, golden_errors, golden_lines
from shizi.models.opening import open_recognizer
from shizi.models.recognizer import Reading
from shizi.models.store import DEFAULT_RECOGNIZER, SECOND_RECOGNIZER, ModelStore

TEXTS = [text for _, text in golden_lines()]


def answers(*texts: str) -> list[Reading]:
    return [Reading(text, 0.9, ()) for text in texts]


@pytest.mark.parametrize("name", [DEFAULT_RECOGNIZER, SECOND_RECOGNIZER])
def test_the_bundled_recognizers_pass(name: str) -> None:
    recognizer = open_recognizer(ModelStore(), name, 1)

    assert check_golden(name, recognizer.recognize, GOLDEN_ERRORS) <= 0.02


def test_lines_are_chinese_and_english_and_not_alike() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 8
    assert all(crop.ndim == 2 and crop.shape[0] >= 20 for crop, _ in golden_lines())
    assert any(text.isascii() for text in TEXTS)
    assert any("一" <= text[0] <= "鿿" for text in TEXTS)


def test_spaces_do_not_count() -> None:
    assert golden_errors(lambda _: answers(*(text.replace(" ", "") for text in TEXTS))) == 0


@pytest.mark.parametrize(
    "read",
    [
        pytest.param([""] * 8, id="empty"),
        pytest.param(["".join(chr(ord(c) + 1) for c in text) for text in TEXTS], id="shifted"),
        pytest.param([*TEXTS[:6], "", ""], id="no English"),
    ],
)
def test_a_model_that_misreads_them_is_refused(read: list[str]) -> None:
    with pytest.raises(GoldenFailed, match="m@2 misreads"):
        check_golden("m@2", lambda _: answers(*read), GOLDEN_ERRORS)


def test_a_line_that_fails_counts_whole() -> None:
    assert golden_errors(lambda _: [ModelError("x")] * 8) == 1.0


def test_whoever_takes_any_model_is_told_how_bad_it_is() -> None:
    assert check_golden("m@2", lambda _: answers(*[""] * 8), 1.0) == 1.0
