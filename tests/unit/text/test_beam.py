from __future__ import annotations

import gc
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from shizi.text.beam import BeamDecoder, BeamOptions
from shizi.text.charset import Charset
from shizi.text.ctc import Span, candidates, greedy_spans
from shizi.text.folding import Kind, kind_of
from shizi.text.hypotheses import Node
from shizi.text.lexicon import SYMBOL_BONUS, Lexicon
from tests.fakes import language_of

CHARSET = Charset(tuple(" abcdefhlo0"))
MODEL = language_of(*["he held a ball", "hold the ledge", "a cab called"] * 4)
# Only what was seen counts, and everything is looked at.
BLIND = BeamOptions(
    width=500, gap=60.0, margin=60.0, language_weight=0.0, symbol_bonus=0.0, case_weight=0.0
)


def scores(*columns: dict[str, float]) -> NDArray[np.float32]:
    """Give log-probabilities by symbol, "" for the blank; the rest is shared by all others."""
    rows = []
    for column in columns:
        rest = max(1e-9, 1 - sum(column.values())) / (len(CHARSET) - len(column))
        named = {CHARSET.encode(symbol)[0] if symbol else 0: p for symbol, p in column.items()}
        rows.append([log(named.get(k, rest)) for k in range(len(CHARSET))])
    return np.array(rows, np.float32)


def text_of(spans: list[Span]) -> str:
    return "".join(CHARSET.symbol(span.class_id) for span in spans)


def written(text: str) -> list[dict[str, float]]:
    return [column for symbol in text for column in ({symbol: 0.9999}, {"": 0.9999})]


HELD = [*written("h"), {"c": 0.55, "e": 0.44}, {"": 0.9999}, *written("ld")]


def test_language_decides_where_the_net_wavers() -> None:
    lines = scores(*HELD)
    assert text_of(greedy_spans(lines)) == "hcld"
    assert text_of(BeamDecoder(CHARSET, MODEL, BeamOptions()).decode(lines)) == "held"


def test_a_search_leaves_nothing_to_the_collector_of_cycles() -> None:
    decoder = BeamDecoder(CHARSET, MODEL, BeamOptions())
    gc.collect()
    gc.disable()
    try:
        decoder.decode(scores(*HELD))
        left = sum(type(thing) is Node for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left == 0


def test_what_is_forgotten_changes_no_reading() -> None:
    decoder = BeamDecoder(CHARSET, MODEL, BeamOptions())
    spans = decoder.decode(scores(*HELD))
    decoder.relax()
    assert decoder.decode(scores(*HELD)) == spans


def test_language_does_not_overrule_what_is_seen() -> None:
    lines = scores(*written("hcld"))
    assert text_of(BeamDecoder(CHARSET, MODEL, BeamOptions()).decode(lines)) == "hcld"


def test_confidence_weighs_the_competitors() -> None:
    spans = BeamDecoder(CHARSET, MODEL, BLIND).decode(scores(*HELD))
    assert text_of(spans) == "hcld"
    assert [span.confidence for span in spans] == pytest.approx([1, 0.55, 1, 1], abs=0.01)
    helped = BeamDecoder(CHARSET, MODEL, BeamOptions()).decode(scores(*HELD))
    assert helped[1].confidence > 0.8
    assert [(span.first, span.end) for span in helped] == [(0, 1), (2, 3), (4, 5), (6, 7)]


def test_two_symbols_against_one_are_doubted_together() -> None:
    lines = scores(*written("a"), {"c": 0.6, "d": 0.4}, {"l": 0.6, "": 0.4}, *written("ba"))
    spans = BeamDecoder(CHARSET, MODEL, BLIND).decode(lines)
    assert text_of(spans) == "aclba"
    product_of_all = np.prod([span.confidence for span in spans])
    assert 0.2 < product_of_all < 0.7


def test_words_are_leant_towards() -> None:
    decoder = BeamDecoder(CHARSET, MODEL, BeamOptions())
    lines = scores(*written("b"), {"o": 0.9, "0": 0.09}, {"": 0.9999}, *written("0e"))
    assert text_of(decoder.decode(lines)) == "bo0e"
    lexicon = Lexicon(["b00e"], MODEL.code)
    assert text_of(decoder.decode(lines, lexicon=lexicon)) == "b00e"
    other = Lexicon(["b00f"], MODEL.code)
    assert text_of(decoder.decode(lines, lexicon=other)) == "bo0e"


def test_a_word_that_is_broken_off_earns_nothing() -> None:
    lexicon = Lexicon(["hello"], MODEL.code)
    place, earned, before = lexicon.start, 0.0, None
    for symbol in "held":
        bonus, place = lexicon.extend(place, MODEL.code(symbol), before, kind_of(symbol))
        earned, before = earned + bonus, kind_of(symbol)
    assert earned == 0
    place, earned, before = lexicon.start, 0.0, None
    for symbol in "hello":
        bonus, place = lexicon.extend(place, MODEL.code(symbol), before, kind_of(symbol))
        earned, before = earned + bonus, kind_of(symbol)
    assert (earned, place.earned) == (5 * SYMBOL_BONUS, 0)


def test_a_word_does_not_begin_within_another() -> None:
    lexicon = Lexicon(["ab", "识"], MODEL.code)
    assert lexicon.extend(lexicon.start, MODEL.code("a"), Kind.LOWER, Kind.LOWER)[0] == 0
    assert lexicon.extend(lexicon.start, MODEL.code("a"), Kind.HAN, Kind.LOWER)[0] > 0
    assert lexicon.extend(lexicon.start, MODEL.code("识"), Kind.LOWER, Kind.HAN)[0] > 0


@settings(max_examples=60)
@given(arrays(np.float32, (4, 4), elements=st.floats(-4, 4, width=16)))
def test_a_wide_beam_finds_a_likely_text(lines: NDArray[np.float32]) -> None:
    charset = Charset(("a", "b", "c"))
    logs = lines - np.log(np.exp(lines).sum(axis=1, keepdims=True))
    totals: dict[tuple[int, ...], float] = {}
    for path in product(range(4), repeat=4):
        text = tuple(k for n, k in enumerate(path) if k and (n == 0 or path[n - 1] != k))
        chance = exp(sum(float(logs[n, k]) for n, k in enumerate(path)))
        totals[text] = totals.get(text, 0.0) + chance
    spans = BeamDecoder(charset, MODEL, BLIND).decode(lines)
    found = tuple(span.class_id for span in spans)
    # Texts that end alike are not followed to the end, which costs little, and nothing where one
    # text is likelier than all others together.
    most = max(totals.values())
    assert totals[found] >= 0.6 * most
    assert most < 0.5 or totals[found] == pytest.approx(most)


@given(arrays(np.float32, (12, 12), elements=st.floats(-30, 30, width=32)))
def test_spans_are_ordered_and_sure(lines: NDArray[np.float32]) -> None:
    end = 0
    for span in BeamDecoder(CHARSET, MODEL, BeamOptions()).decode(lines):
        assert end <= span.first < span.end <= 12
        assert 0 < span.class_id < 12
        assert 0 < span.confidence <= 1
        end = span.first + 1


def test_nothing_gives_nothing() -> None:
    decoder = BeamDecoder(CHARSET, MODEL, BeamOptions())
    assert decoder.decode(np.zeros((0, len(CHARSET)), np.float32)) == []
    assert decoder.decode(scores({"": 0.9999}, {"": 0.9999})) == []


@given(arrays(np.float32, (6, 5), elements=st.floats(-20, 20, width=32)))
def test_probabilities_are_scores_in_another_dress(lines: NDArray[np.float32]) -> None:
    chances = np.exp(lines.astype(np.float64))
    chances = (chances / chances.sum(axis=1, keepdims=True)).astype(np.float32)
    ours, theirs = candidates(lines, 5.0, 9), candidates(chances, 5.0, 9, probabilities=True)
    assert [column.best for column in ours] == [column.best for column in theirs] or np.any(
        np.diff(np.sort(lines, axis=1)[:, -2:]) < 1e-4
    )
    for a, b in zip(ours, theirs, strict=True):
        if a.classes == b.classes:
            assert np.allclose(a.logs, b.logs, atol=1e-3)


def test_a_column_between_a_blank_and_a_sure_neighbour_is_settled() -> None:
    half = {"a": 0.4, "": 0.6}
    alone = candidates(scores({"": 0.9999}, half, {"a": 0.9999}), 5.0, 9)
    assert [column.classes for column in alone] == [[0], CHARSET.encode("a"), [0]]
    # Between two of the same it tells one from two.
    between = candidates(scores({"a": 0.9999}, half, {"a": 0.9999}), 5.0, 9)
    assert len(between[1].classes) == 2


def test_columns_that_choose_between_a_blank_and_one_symbol_are_joined() -> None:
    two = scores({"": 0.9999}, {"a": 0.3, "": 0.7}, {"a": 0.4, "": 0.6}, {"": 0.9999})
    joined = candidates(two, 5.0, 9)
    assert joined[1].classes == [0, *CHARSET.encode("a")]
    assert np.exp(joined[1].logs) == pytest.approx([0.7 * 0.6, 1 - 0.7 * 0.6], abs=0.01)
    assert joined[2].classes == [0]
    # Three may write it twice.
    three = scores(*[{"a": 0.5, "": 0.5}] * 3)
    assert [len(column.classes) for column in candidates(three, 5.0, 9)] == [2, 2, 2]


def test_only_the_likeliest_classes_stay() -> None:
    (column,) = candidates(scores({"a": 0.4, "b": 0.3, "c": 0.2, "": 0.09}), 9.0, 2)
    assert column.classes == sorted(CHARSET.encode("ab"))
    assert column.mass == pytest.approx(0.7, abs=0.01)


def test_a_hard_line_is_searched_narrowly() -> None:
    noise = np.random.default_rng(3).standard_normal((200, len(CHARSET))).astype(np.float32)
    wide = BeamDecoder(CHARSET, MODEL, BeamOptions(hard_columns=1_000))
    narrow = BeamDecoder(CHARSET, MODEL, BeamOptions(hard_columns=10, hard_width=1))
    assert text_of(wide.decode(noise)) != text_of(narrow.decode(noise))
    lines = scores(*HELD)
    assert text_of(wide.decode(lines)) == text_of(narrow.decode(lines)) == "held"
