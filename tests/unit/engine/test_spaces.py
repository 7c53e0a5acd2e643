from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine.spaces import with_spaces_of
from shizi.models.recognizer import Reading, Symbol


def reading(text: str, confidence: float = 0.9) -> Reading:
    step = 1 / max(1, len(text))
    symbols = tuple(Symbol(c, 0.9, k * step, (k + 1) * step) for k, c in enumerate(text))
    return Reading(text, confidence, symbols)


def merged(first: str, second: str) -> str:
    return with_spaces_of(reading(first), reading(second)).text


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("two words", "twowords", "two words"),
        ("twowords", "two words", "twowords"),
        ("tvvo long words", "twolong words", "two long words"),
        ("a long lime", "along line", "a long line"),
        ("xyz", "no match", "no match"),
        ("", "kept as is", "kept as is"),
    ],
)
def test_spaces_come_from_the_first_where_both_see_the_letters(
    first: str, second: str, expected: str
) -> None:
    assert merged(first, second) == expected


lines = st.text("ab c", max_size=12).map(lambda t: " ".join(t.split()))


@given(lines, lines)
def test_letters_are_the_second_ones_and_symbols_follow_the_text(first: str, second: str) -> None:
    answer = with_spaces_of(reading(first), reading(second, 0.4))
    assert answer.text.replace(" ", "") == second.replace(" ", "")
    assert answer.text == " ".join(answer.text.split())
    assert answer.text == "".join(s.text for s in answer.symbols)
    assert answer.confidence == 0.4
    starts = [s.start for s in answer.symbols]
    assert starts == sorted(starts)
    assert all(s.start <= s.end for s in answer.symbols)
