from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import exp

import numpy as np
import pytest

from shizi.core.errors import ConfigError, IncompatibleModel
from shizi.text.folding import Folding, Kind, kind_of
from shizi.text.ngram import START, NgramModel, NgramTable
from shizi.train.language import build_language_model, count_cases

SAID = ["the cat sat on the mat", "the hat is on the cat", "a cat and a hat", "Room 12, 3 cats"]
LINES = SAID * 3
ALPHABET = sorted({symbol.lower() for line in LINES for symbol in line if not symbol.isdigit()})
TABLE = build_language_model(LINES, Folding({"後": "后"}), 10_000, 4)
MODEL = NgramModel(TABLE)


def chance(text: str, model: NgramModel = MODEL) -> float:
    """Probability of the last symbol after the others."""
    context = START
    for symbol in text[:-1]:
        _, context = model.extend(context, model.code(symbol))
    return exp(model.extend(context, model.code(text[-1]))[0])


@pytest.mark.parametrize("before", ["", "t", "th", "the ", "cat", "xyz", " c"])
def test_the_chances_after_a_context_sum_to_one(before: str) -> None:
    everything = [*ALPHABET, "0"]
    assert sum(chance(before + symbol) for symbol in everything) == pytest.approx(1, abs=0.06)


def test_what_was_seen_is_expected() -> None:
    assert chance("the") > 4 * chance("thn")
    assert chance("the c") > chance("the z")
    assert 0 < chance("the 龘") < 1e-5


def test_kin_are_one() -> None:
    assert chance("THE") == chance("the")
    assert chance("room 1") == chance("room 7") == chance("ＲＯＯＭ 9")
    assert MODEL.code("後") == MODEL.code("后")


def test_a_model_looks_back_so_far() -> None:
    assert MODEL.reach == 3
    context = START
    for symbol in "on the cat":
        _, context = MODEL.extend(context, MODEL.code(symbol))
        assert len(context[0]) <= MODEL.reach
    shorter = START
    for symbol in "cat":
        _, shorter = MODEL.extend(shorter, MODEL.code(symbol))
    assert shorter == context


def test_capitals_follow_capitals() -> None:
    model = NgramModel(build_language_model(["PAGE ONE", "two pages", "Three"] * 9, Folding(), 100))
    upper = model.kinds(model.kinds(model.no_kinds, Kind.UPPER), Kind.UPPER)
    lower = model.kinds(model.kinds(model.no_kinds, Kind.LOWER), Kind.LOWER)
    assert model.case(upper, Kind.UPPER) > model.case(upper, Kind.LOWER)
    assert model.case(lower, Kind.LOWER) > model.case(lower, Kind.UPPER)
    both = [exp(model.case(upper, kind)) for kind in (Kind.LOWER, Kind.UPPER)]
    assert sum(both) == pytest.approx(1)


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("a", Kind.LOWER),
        ("É", Kind.UPPER),
        ("7", Kind.DIGIT),
        (" ", Kind.SPACE),
        ("识", Kind.HAN),
        ("，", Kind.OTHER),
        ("-", Kind.OTHER),
        ("％", Kind.OTHER),
    ],
)
def test_kinds(symbol: str, kind: Kind) -> None:
    assert kind_of(symbol) is kind


def test_a_file_holds_the_model() -> None:
    again = NgramTable.from_bytes(TABLE.to_bytes())
    assert np.array_equal(again.keys, TABLE.keys)
    assert np.array_equal(again.probabilities, TABLE.probabilities)
    assert np.array_equal(again.backoffs, TABLE.backoffs)
    assert np.array_equal(again.cases, TABLE.cases)
    assert (again.order, again.folding) == (TABLE.order, TABLE.folding)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_damaged_file_is_refused(cut: int) -> None:
    content = TABLE.to_bytes()
    with pytest.raises(IncompatibleModel, match="language model"):
        NgramTable.from_bytes(content[:cut])


def test_parts_that_do_not_fit_are_refused() -> None:
    torn = replace(TABLE, keys=TABLE.keys[:-1])
    with pytest.raises(IncompatibleModel, match="length"):
        NgramTable.from_bytes(torn.to_bytes())
    cases = np.zeros((2, 2), np.float32)
    torn = replace(TABLE, cases=cases)
    with pytest.raises(IncompatibleModel, match="case"):
        NgramTable.from_bytes(torn.to_bytes())


def test_fewer_ngrams_make_a_smaller_model_of_the_same_mind() -> None:
    sizes = [len(build_language_model(LINES, Folding(), n, 4).keys) for n in (5, 20, 80)]
    assert all(a < b for a, b in pairwise(sizes))
    small = NgramModel(build_language_model(LINES, Folding(), 20, 4))
    assert chance("the", small) > chance("thn", small)


def test_no_text_is_told() -> None:
    for lines in ([], [""], ["aaa"]):
        with pytest.raises(ConfigError, match="text"):
            build_language_model(lines, Folding(), 10)
    with pytest.raises(ConfigError, match="n-grams"):
        build_language_model(LINES, Folding(), 10, 1)


def test_cases_are_chances() -> None:
    cases = count_cases(["Ab", "AB"])
    assert cases.shape == (7, 7)
    assert (cases < 0).all()
