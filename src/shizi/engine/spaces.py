"""Gives one reading of a line the spaces of another."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher

from shizi.models.recognizer import Reading, Symbol


def with_spaces_of(first: Reading, second: Reading) -> Reading:
    """Keep the letters of a second reading, and the spaces of the first between letters both see.

    Large recognizers of the PP-OCR family tell letters better than ours, and spaces worse.

    Args:
        first: whose spaces are believed.
        second: whose letters are believed; its confidence stays.

    Returns:
        `second` with spaces moved; between letters that only it sees, its own stay.
    """
    letters, gaps = _split(second.symbols)
    other_letters, other_gaps = _split(first.symbols)
    matcher = SequenceMatcher(None, _text(other_letters), _text(letters), autojunk=False)
    for start, place, length in matcher.get_matching_blocks():
        for k in range(1, length):
            gaps.pop(place + k, None)
            if start + k in other_gaps:
                gaps[place + k] = other_gaps[start + k]
    symbols: list[Symbol] = []
    for place, letter in enumerate(letters):
        if place in gaps:
            before = symbols[-1].end
            space = replace(gaps[place], start=before, end=max(before, letter.start))
            symbols.append(space)
        symbols.append(letter)
    return Reading(_text(symbols), second.confidence, tuple(symbols))


def _split(symbols: tuple[Symbol, ...]) -> tuple[list[Symbol], dict[int, Symbol]]:
    """Part letters from spaces; a space is kept by the number of letters before it."""
    letters: list[Symbol] = []
    gaps: dict[int, Symbol] = {}
    for symbol in symbols:
        if symbol.text == " ":
            gaps[len(letters)] = symbol
        else:
            letters.append(symbol)
    return letters, gaps


def _text(symbols: list[Symbol]) -> str:
    return "".join(symbol.text for symbol in symbols)
