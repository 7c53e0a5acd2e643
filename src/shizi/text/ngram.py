"""How likely a symbol is after those before it: a backoff n-gram model over characters.

The model is made by `train/language.py`: counts after Kneser and Ney, "Improved backing-off for
m-gram language modeling", ICASSP 1995, pruned by what an n-gram tells beyond its shorter form.
Symbols that language cannot tell apart are one to it (`text/folding.py`).

An n-gram is kept as 32 bits of a hash, so that half a million fit into a few megabytes; that a
foreign one is taken for one of ours happens once in six thousand questions, and costs a fraction of
a nat.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import IncompatibleModel
from shizi.text.folding import KINDS, Folding

# What numpy raises on a file that is cut short or something else altogether.
_DAMAGED = (OSError, EOFError, ValueError, KeyError, IndexError, BadZipFile, zlib.error)

# Hashes of the n-grams of a model that a text ends with, the shortest first, and for each length
# what falling back to it costs, in nats. No longer n-gram can match where a shorter one does not.
Context = tuple[tuple[int, ...], tuple[float, ...]]
START: Context = ((), (0.0,))

_MASK = (1 << 64) - 1
_FACTOR = 6364136223846793005
_BUCKET_BITS = 19
# One step of a stored number, in nats.
PROBABILITY_STEP = 1 / 12
BACKOFF_STEP = 1 / 16
_BACKOFF_ZERO = 32
_UNKNOWN = -16.0


def symbol_code(symbol: str) -> int:
    """Give the 64 bits that stand for a symbol in hashes (the finalizer of splitmix64)."""
    x = (ord(symbol) * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def chain(before: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash n-grams from the hashes of all but their last symbols; 0 stands for nothing before."""
    return before * np.uint64(_FACTOR) + codes


@dataclass(frozen=True, slots=True)
class NgramTable:
    """The numbers of a model, in the order of their keys.

    Attributes:
        order: longest n-gram.
        keys: (N,) uint32, rising: the upper half of an n-gram's hash.
        probabilities: (N,) uint8: -log P of the last symbol after the others, in steps of
            `PROBABILITY_STEP`.
        backoffs: (N,) uint8: log of what a shorter context is worth, as 32 - log / `BACKOFF_STEP`.
        cases: (KINDS + 1, KINDS + 1) float32: log of how likely a letter is a capital after
            symbols of two kinds; the last kind is that of nothing before.
        folding: which symbols are one.
    """

    order: int
    keys: NDArray[np.uint32]
    probabilities: NDArray[np.uint8]
    backoffs: NDArray[np.uint8]
    cases: NDArray[np.float32]
    folding: Folding

    def to_bytes(self) -> bytes:
        """Give the content of a model file."""
        gaps = np.diff(self.keys, prepend=np.uint32(0)).astype("<u4")
        # Bytes of like weight side by side pack into half.
        planes = gaps.view(np.uint8).reshape(-1, 4).T
        pairs = np.array([self.folding.to_text()])
        file = io.BytesIO()
        np.savez_compressed(
            file,
            order=np.array(self.order),
            gaps=planes,
            probabilities=self.probabilities,
            backoffs=self.backoffs,
            cases=self.cases,
            folding=pairs,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a model file.

        Raises:
            IncompatibleModel: it is none, or damaged.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as parts:
                gaps = np.ascontiguousarray(parts["gaps"].T).view("<u4")[:, 0]
                keys = np.cumsum(gaps, dtype=np.uint64).astype(np.uint32)
                table = cls(
                    int(parts["order"]),
                    keys,
                    parts["probabilities"],
                    parts["backoffs"],
                    parts["cases"],
                    Folding.from_text(str(parts["folding"][0])),
                )
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            IndexError,
            BadZipFile,
            zlib.error,
        ) as error:
            raise IncompatibleModel(f"this is no language model ({error})") from error
        if not len(table.keys) == len(table.probabilities) == len(table.backoffs):
            raise IncompatibleModel("the parts of the language model differ in length")
        if table.cases.shape != (KINDS + 1, KINDS + 1) or not (table.cases < 0).all():
            raise IncompatibleModel("the language model's table of case is damaged")
        return table


class NgramModel:
    """Answers how likely a symbol is; threads may share it.

    Attributes:
        folding: which symbols are one.
        reach: how many symbols back it looks.
        no_kinds: what `kinds` goes on from at the beginning of a text.
    """

    def __init__(self, table: NgramTable) -> None:
        self.folding = table.folding
        self.reach = table.order - 1
        self.no_kinds = KINDS * (KINDS + 1) + KINDS
        upper = table.cases.astype(np.float64).ravel()
        # By kind: lower, upper.
        self._cases: list[list[float]] = [np.log1p(-np.exp(upper)).tolist(), upper.tolist()]
        borders = np.arange((1 << _BUCKET_BITS) + 1, dtype=np.uint64) << np.uint64(
            32 - _BUCKET_BITS
        )
        starts = np.searchsorted(table.keys.astype(np.uint64), borders).astype(np.uint32)
        self._starts = _scalars(starts)
        self._keys = _scalars(table.keys)
        self._probabilities = _scalars(table.probabilities)
        self._backoffs = _scalars(table.backoffs)

    def code(self, symbol: str) -> int:
        """Give what stands for a symbol in `extend`."""
        return symbol_code(self.folding.fold(symbol))

    def extend(self, context: Context, code: int) -> tuple[float, Context]:
        """Ask for a symbol after others.

        Args:
            context: of the symbols before, `START` or what an earlier call gave.
            code: of the symbol.

        Returns:
            The natural logarithm of its probability, and the context after it.
        """
        hashes, rests = context
        place = self._find(code)
        if place < 0:
            return rests[0] + _UNKNOWN, START
        found, places = [code], [place]
        for before in hashes:
            value = (before * _FACTOR + code) & _MASK
            place = self._find(value)
            if place < 0:
                break
            found.append(value)
            places.append(place)
        chance = rests[len(found) - 1] - self._probabilities[places[-1]] * PROBABILITY_STEP
        return chance, self._context(found, places)

    def _context(self, found: list[int], places: list[int]) -> Context:
        """Keep the n-grams a text ends with, and what each of them costs where it is not used."""
        rests = [0.0]
        for place in reversed(places[: self.reach]):
            rests.append(rests[-1] + (_BACKOFF_ZERO - self._backoffs[place]) * BACKOFF_STEP)
        return tuple(found[: self.reach]), tuple(reversed(rests))

    def kinds(self, before: int, kind: int) -> int:
        """Number the kinds of two symbols: one more after those before."""
        return before % (KINDS + 1) * (KINDS + 1) + kind

    def case(self, kinds: int, kind: int) -> float:
        """Give the log-probability that a letter is upper or lower after two kinds of symbols."""
        return self._cases[kind][kinds]

    def _find(self, value: int) -> int:
        """Give the place of an n-gram, -1 where there is none."""
        key = value >> 32
        bucket = key >> (32 - _BUCKET_BITS)
        keys = self._keys
        for place in range(self._starts[bucket], self._starts[bucket + 1]):
            if keys[place] == key:
                return place
        return -1


def _scalars(array: NDArray[Any]) -> Sequence[int]:
    """Give an array whose items are Python's own numbers, and several times faster to get."""
    view: Any = np.ascontiguousarray(array)
    items: Sequence[int] = memoryview(view)
    return items


def quantize_probabilities(logs: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn natural logarithms of probabilities into stored steps."""
    return np.clip(np.rint(-logs / PROBABILITY_STEP), 0, 255).astype(np.uint8)


def quantize_backoffs(logs: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn natural logarithms of backoff weights into stored steps."""
    return np.clip(np.rint(_BACKOFF_ZERO - logs / BACKOFF_STEP), 0, 255).astype(np.uint8)
