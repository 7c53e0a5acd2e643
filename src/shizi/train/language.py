"""Counts a corpus into the n-gram model of `text/ngram.py`.

Interpolated Kneser-Ney counts, one discount an order (Chen and Goodman, "An Empirical Study of
Smoothing Techniques for Language Modeling", 1998), of which those n-grams are kept that tell most
beyond their shorter form (after Stolcke, "Entropy-based Pruning of Backoff Language Models", 1998).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import ConfigError
from shizi.text.folding import KINDS, Folding, Kind, kind_of
from shizi.text.ngram import (
    NgramTable,
    chain,
    quantize_backoffs,
    quantize_probabilities,
    symbol_code,
)

ORDER = 6
# Longer n-grams seen less often than this are noise or quotations.
_LEAST_SEEN = {2: 2, 3: 2}
_LEAST_SEEN_LONG = 3
_LINE_END = "\n"
# A sum of probabilities is never taken to be closer to 1 than this.
_REST = 1e-4

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(slots=True)
class _Grams:
    """All different n-grams of one length.

    Attributes:
        keys: (N,) rising hashes.
        ends: (N,) where in the text one of each ends.
        seen: (N,) how often each stands in the text.
        weights: (N,) its count: as seen for the longest, else how many symbols stand before it.
        chances: (N,) probability of its last symbol after the others.
        kept: (N,) whether the model holds it.
    """

    keys: Hashes
    ends: Places
    seen: Places
    weights: Places
    chances: Floats
    kept: NDArray[np.bool_]

    def place(self, keys: Hashes) -> Places:
        """Find n-grams that are known to be there."""
        return np.searchsorted(self.keys, keys)


class _Text:
    """A corpus as one array of codes, lines parted by marks."""

    def __init__(self, lines: Iterable[str], folding: Folding) -> None:
        joined = _LINE_END.join(lines) + _LINE_END
        points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
        symbols, ids = np.unique(points, return_inverse=True)
        folded = [chr(s) if chr(s) == _LINE_END else folding.fold(chr(s)) for s in symbols]
        codes = np.array([symbol_code(symbol) for symbol in folded], np.uint64)
        self.codes: Hashes = codes[ids]
        places = np.arange(len(points))
        marks = np.where(points == ord(_LINE_END), places, -1)
        self.before: Places = places - np.maximum.accumulate(marks)

    def hashes(self, ends: Places, length: int) -> Hashes:
        """Hash the n-grams of one length that end at some places."""
        value = np.zeros(len(ends), np.uint64)
        for k in range(length - 1, -1, -1):
            value = chain(value, self.codes[ends - k])
        return value


def build_language_model(
    lines: Sequence[str], folding: Folding, ngrams: int, order: int = ORDER
) -> NgramTable:
    """Make a model of some text.

    Args:
        lines: of text; n-grams do not reach over their ends.
        folding: which symbols are one.
        ngrams: how many n-grams of two symbols and more are chosen; those they rest on are kept
            as well, which adds about half.
        order: symbols of the longest n-gram, at least 2.

    Raises:
        ConfigError: there is no text, or a number is too small.
    """
    if order < 2 or ngrams < 1:
        raise ConfigError("a language model has n-grams of two symbols at least, and one of them")
    text = _Text(lines, folding)
    grams = {n: _count(text, n) for n in range(1, order + 1)}
    if len(grams[1].keys) < 2:
        raise ConfigError("there is no text to make a language model of")
    for n in range(1, order):
        _count_continuations(text, grams[n], grams[n + 1], n)
    grams[1].chances = _first_chances(grams[1].weights)
    for n in range(2, order + 1):
        _estimate(text, grams[n], grams[n - 1], n)
    _prune(text, grams, ngrams)
    return _table(text, grams, count_cases(lines), folding)


def count_cases(lines: Iterable[str]) -> NDArray[np.float32]:
    """Count how often letters are capitals; see `NgramTable.cases`."""
    counts = np.ones((KINDS + 1, KINDS + 1, 2))
    for line in lines:
        first = second = KINDS
        for kind in map(kind_of, line):
            if kind <= Kind.UPPER:
                counts[first, second, kind] += 1
            first, second = second, kind
    chances = np.log(counts[..., Kind.UPPER] / counts.sum(axis=2))
    return np.asarray(chances, np.float32)


def _count(text: _Text, n: int) -> _Grams:
    ends = np.flatnonzero(text.before >= n)
    keys, first, seen = np.unique(text.hashes(ends, n), return_index=True, return_counts=True)
    nothing, none = np.zeros(len(keys)), np.zeros(len(keys), np.bool_)
    return _Grams(keys, ends[first], seen.astype(np.int64), seen.astype(np.int64), nothing, none)


def _count_continuations(text: _Text, short: _Grams, longer: _Grams, n: int) -> None:
    """Weigh an n-gram by how many symbols stand before it, not by how often it stands."""
    suffixes, different = np.unique(text.hashes(longer.ends, n), return_counts=True)
    weights = np.ones(len(short.keys), np.int64)  # at the beginning of lines nothing stands before
    weights[short.place(suffixes)] = different
    short.weights = weights


def _discount(weights: Places) -> float:
    """Estimate what is taken off each count (Ney, Essen and Kneser, 1994)."""
    once, twice = int((weights == 1).sum()), int((weights == 2).sum())
    return min(0.95, max(0.3, once / (once + 2 * twice))) if once else 0.5


def _first_chances(weights: Places) -> Floats:
    discount, total = _discount(weights), weights.sum()
    return np.asarray((weights - discount) / total + discount / total, np.float64)


def _estimate(text: _Text, grams: _Grams, shorter: _Grams, n: int) -> None:
    """Interpolate the counts of one order with the probabilities of the order below."""
    discount = _discount(grams.weights)
    _, of, kinds = np.unique(
        text.hashes(grams.ends - 1, n - 1), return_inverse=True, return_counts=True
    )
    total = np.bincount(of, weights=grams.weights)
    low = shorter.chances[shorter.place(text.hashes(grams.ends, n - 1))]
    rest = discount * kinds[of] / total[of]
    grams.chances = np.maximum(grams.weights - discount, 0) / total[of] + rest * low


def _prune(text: _Text, grams: dict[int, _Grams], ngrams: int) -> None:
    """Keep the n-grams that tell most, and every shorter one that they rest on."""
    gains = {}
    for n, longer in grams.items():
        if n == 1:
            continue
        low = grams[n - 1].chances[grams[n - 1].place(text.hashes(longer.ends, n - 1))]
        gain = longer.seen * (np.log(longer.chances) - np.log(low))
        gains[n] = np.where(longer.seen < _LEAST_SEEN.get(n, _LEAST_SEEN_LONG), -1.0, gain)
    ranked = np.sort(np.concatenate([gain[gain > 0] for gain in gains.values()]))[::-1]
    least = ranked[min(ngrams, len(ranked)) - 1] if len(ranked) else np.inf
    grams[1].kept[:] = True
    for n in range(max(grams), 1, -1):
        grams[n].kept |= gains[n] >= least
        ends = grams[n].ends[grams[n].kept]
        for shifted in (ends - 1, ends):
            grams[n - 1].kept[grams[n - 1].place(text.hashes(shifted, n - 1))] = True


def _table(
    text: _Text, grams: dict[int, _Grams], cases: NDArray[np.float32], folding: Folding
) -> NgramTable:
    keys, chances, backoffs = [], [], []
    for n, level in grams.items():
        keys.append(level.keys[level.kept] >> np.uint64(32))
        chances.append(np.log(level.chances[level.kept]))
        backoffs.append(_backoffs(text, level, grams.get(n + 1), n))
    # Where two hashes agree in their upper half, the shorter n-gram stays.
    all_keys, first = np.unique(np.concatenate(keys).astype(np.uint32), return_index=True)
    return NgramTable(
        max(grams),
        all_keys,
        quantize_probabilities(np.concatenate(chances)[first]),
        quantize_backoffs(np.concatenate(backoffs)[first]),
        cases,
        folding,
    )


def _backoffs(text: _Text, level: _Grams, longer: _Grams | None, n: int) -> Floats:
    """Give the log of what is left for symbols that were not kept after each context."""
    logs = np.zeros(len(level.keys))
    if longer is not None and longer.kept.any():
        ends = longer.ends[longer.kept]
        contexts, of = np.unique(text.hashes(ends - 1, n), return_inverse=True)
        taken = np.bincount(of, weights=longer.chances[longer.kept])
        low = level.chances[level.place(text.hashes(ends, n))]
        meant = np.bincount(of, weights=low)
        rest = np.clip(1 - taken, _REST, 1) / np.clip(1 - meant, _REST, 1)
        logs[level.place(contexts)] = np.log(rest)
    return logs[level.kept]
