from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import pytest

from shizi.core.errors import CorruptImage, OptionError, ShiziError
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.engine.looks import Crop, Looks, LooksByEffort
from shizi.models.recognizer import Decoding, Reading, Recognizer, Symbol
from tests.fakes import language_of

NO_LANGUAGE = language_of("nothing is said")
CROPS = [np.full((32, 40 + k, 3), 255, np.uint8) for k in range(3)]


class Scripted:
    """Reads a crop by its width and remembers what it was asked."""

    def __init__(self, name: str, answers: Sequence[Reading | ShiziError]) -> None:
        self.name = name
        self.answers = answers
        self.asked: list[int] = []
        self.decoding = Decoding(greedy=True)
        self.rests = 0

    def recognize(self, crops: Sequence[Crop], decoding: Decoding) -> list[Reading | ShiziError]:
        self.decoding = decoding
        places = [crop.shape[1] - 40 for crop in crops]
        self.asked += places
        return [self.answers[k] for k in places]

    def relax(self) -> None:
        self.rests += 1


def sure(text: str, confidence: float) -> Reading:
    return Reading(text, confidence, tuple(Symbol(c, confidence, 0.0, 1.0) for c in text))


def pair(
    first: Sequence[Reading | ShiziError], second: Sequence[Reading | ShiziError]
) -> tuple[Scripted, Scripted]:
    return Scripted("small", first), Scripted("large", second)


def looks(first: Scripted, second: Scripted, doubt: float = 0.7) -> Looks:
    return Looks(cast(Recognizer, first), cast(Recognizer, second), doubt)


def texts(answers: Sequence[Reading | ShiziError]) -> list[str]:
    return [a.text if isinstance(a, Reading) else a.code for a in answers]


def test_only_doubted_lines_are_read_again() -> None:
    small, large = pair(
        [sure("a", 0.9), sure("b", 0.2), sure("c", 0.7)], [sure(t, 0.9) for t in "ABC"]
    )
    assert texts(looks(small, large).recognize(CROPS)) == ["a", "B", "c"]
    assert large.asked == [1]


def test_a_second_look_that_sees_nothing_changes_nothing() -> None:
    error = CorruptImage("x")
    small, large = pair([sure("a", 0.1), sure("b", 0.1), error], [sure("", 0), error, sure("C", 1)])
    assert texts(looks(small, large).recognize(CROPS)) == ["a", "b", "C"]


def test_without_a_second_nothing_is_doubted() -> None:
    small, _ = pair([sure("a", 0.0)] * 3, [])
    alone = Looks(cast(Recognizer, small))
    assert texts(alone.recognize(CROPS)) == ["a"] * 3
    assert alone.name == "small"


@pytest.mark.parametrize(
    ("effort", "name"),
    [(Effort.FAST, "small"), (Effort.BALANCED, "small+large"), (Effort.ACCURATE, "large")],
)
def test_effort_chooses_who_reads(effort: Effort, name: str) -> None:
    small, large = pair([], [])
    opened: list[int] = []

    def open_large() -> Recognizer:
        opened.append(1)
        return cast(Recognizer, large)

    chooser = LooksByEffort(cast(Recognizer, small), open_large, NO_LANGUAGE)
    assert opened == []
    with ThreadPoolExecutor(4) as pool:
        chosen = list(pool.map(chooser.choose, [ReadOptions(effort=effort)] * 8))
    assert {look.name for look in chosen} == {name}
    assert len(opened) == (effort is not Effort.FAST)


def test_only_recognizers_that_are_loaded_rest() -> None:
    small, large = pair([], [])
    chooser = LooksByEffort(cast(Recognizer, small), lambda: cast(Recognizer, large), NO_LANGUAGE)
    chooser.relax()
    chooser.choose(ReadOptions(effort=Effort.BALANCED))
    chooser.relax()
    assert (small.rests, large.rests) == (2, 1)


@pytest.mark.parametrize("doubt", [-0.1, 1.1, float("nan")])
def test_a_doubt_is_a_probability(doubt: float) -> None:
    small, large = pair([], [])
    chooser = LooksByEffort(cast(Recognizer, small), lambda: cast(Recognizer, large), NO_LANGUAGE)
    with pytest.raises(OptionError, match="doubt"):
        chooser.choose(ReadOptions(effort=Effort.BALANCED, doubt=doubt))


def test_both_looks_take_the_words_of_the_call() -> None:
    small, large = pair([sure("a", 0.1), sure("b", 0.9)], [sure("A", 1.0), sure("B", 1.0)])
    chooser = LooksByEffort(cast(Recognizer, small), lambda: cast(Recognizer, large), NO_LANGUAGE)
    chosen = chooser.choose(ReadOptions(effort=Effort.BALANCED, words=("Shizi",)))
    chosen.recognize(CROPS[:2])
    assert small.decoding is large.decoding
    assert small.decoding.lexicon is not None
    assert not small.decoding.greedy


def test_words_need_the_beam() -> None:
    small, _ = pair([], [])
    chooser = LooksByEffort(cast(Recognizer, small), lambda: cast(Recognizer, small), NO_LANGUAGE)
    assert chooser.choose(ReadOptions(decoder=Decoder.GREEDY)).decoding == Decoding(greedy=True)
    with pytest.raises(OptionError, match="beam"):
        chooser.choose(ReadOptions(decoder=Decoder.GREEDY, words=("Shizi",)))
    with pytest.raises(OptionError, match="64"):
        chooser.choose(ReadOptions(words=("x" * 65,)))
