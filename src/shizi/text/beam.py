"""Prefix beam search: what a line says, given what the network saw and what language expects.

Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs", arXiv 1408.2873: texts grow from left to right, all ways to write a text in columns
count together, and each symbol is weighed by a language model. Three things make it cheap here.
Columns with one candidate do not branch. Symbols are scored only while texts compete. Texts that
end alike have the same future: once two agree in as many symbols as the model looks back, the
better one stays, and how much better it was becomes the confidence of the symbols they differ in.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from shizi.text.charset import BLANK, Charset
from shizi.text.ctc import Column, Span, candidates
from shizi.text.folding import Kind, kind_of
from shizi.text.lexicon import Lexicon, Place
from shizi.text.ngram import START, Context, NgramModel

_NEVER = -1e9
_CACHE_SIZE = 100_000


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How wide a beam search looks and what it weighs.

    Attributes:
        width: texts kept after a column, at least 1.
        gap: a class that is less likely than a column's best by more than this is no candidate,
            in nats.
        margin: a text that falls behind the best by more than this is dropped, in nats.
        language_weight: of the language model's log-probability.
        symbol_bonus: for every symbol, in nats, against the model's love of short texts.
        case_weight: of the log-probability of upper and lower case.
        han_floor: added to the model's probability of a Chinese character, so that a rare one is
            not ruled out by what it stands beside.
        floor: the same for every other symbol.
    """

    width: int = 6
    gap: float = 5.0
    margin: float = 7.0
    language_weight: float = 0.6
    symbol_bonus: float = 1.8
    case_weight: float = 0.1
    han_floor: float = 1e-4
    floor: float = 5e-3


class _Node:
    """A text: another one and one symbol more. Equal texts of a search are one node."""

    __slots__ = ("children", "class_id", "context", "kinds", "parent", "place", "total")

    def __init__(self, parent: _Node | None, class_id: int, total: float) -> None:
        self.parent = parent
        self.class_id = class_id
        self.total = total  # what language and words gave, in nats
        self.children: dict[int, _Node] = {}
        self.context: Context | None = None  # of the language model; worked out when asked for
        self.kinds: int = -1  # of the last two symbols, likewise
        self.place: Place | None = None  # in the lexicon, where there is one


# Columns of a text's symbols, the last one first.
_Path = tuple["_Path | None", int]
# How likely the columns so far are to write a text: log-probability of doing so with a blank last,
# the same with its last symbol last, and where its symbols begin in the likeliest way to write it.
_State = tuple[float, float, "_Path | None"]


class BeamDecoder:
    """Decodes with one charset and one language model; threads may share it."""

    def __init__(self, charset: Charset, model: NgramModel, options: BeamOptions) -> None:
        self.model = model
        self.options = options
        symbols = ("", *charset.symbols)
        self._codes = [model.code(symbol) if symbol else 0 for symbol in symbols]
        self._kinds = [kind_of(symbol) if symbol else Kind.OTHER for symbol in symbols]
        self._gains: dict[tuple[int, int], tuple[float, Context]] = {}

    def decode(
        self,
        scores: NDArray[np.float32],
        *,
        probabilities: bool = False,
        lexicon: Lexicon | None = None,
    ) -> list[Span]:
        """Decode the scores of one line; see `ctc.greedy_spans`.

        A symbol's confidence is the probability of its columns' candidates, times that of its text
        against the competing ones.
        """
        columns = candidates(scores, self.options.gap, probabilities=probabilities)
        search = _Search(self, lexicon)
        for place, column in enumerate(columns):
            search.advance(place, column)
        return search.finish(columns)

    def extend(self, node: _Node, class_id: int, lexicon: Lexicon | None) -> _Node:
        """Give the text with one symbol more, weighed."""
        before = node.context if node.context is not None else self.context(node)
        key = (before[-1] if before else 0, class_id)
        known = self._gains.get(key)
        if known is None:
            known = self._gain(before, class_id)
            if len(self._gains) >= _CACHE_SIZE:
                self._gains.clear()
            self._gains[key] = known
        gain, context = known
        kind, kinds = self._kinds[class_id], node.kinds if node.kinds >= 0 else self.kinds(node)
        if kind <= Kind.UPPER:
            gain += self.options.case_weight * self.model.case(kinds, kind)
        place = None
        if lexicon is not None:
            last = None if node.parent is None else self._kinds[node.class_id]
            code = self._codes[class_id]
            bonus, place = lexicon.extend(node.place or lexicon.start, code, last, kind)
            gain += bonus
        child = _Node(node, class_id, node.total + gain)
        child.context, child.kinds, child.place = context, self.model.kinds(kinds, kind), place
        node.children[class_id] = child
        return child

    def _gain(self, before: Context, class_id: int) -> tuple[float, Context]:
        """Weigh a symbol by what the language model says of it."""
        options = self.options
        chance, context = self.model.extend(before, self._codes[class_id])
        floor = options.han_floor if self._kinds[class_id] is Kind.HAN else options.floor
        gain = options.language_weight * log(exp(chance) + floor) + options.symbol_bonus
        return gain, context

    def context(self, node: _Node) -> Context:
        """Give what the language model knows of a text's end."""
        if node.context is None:
            known = START
            codes: list[int] = []
            end: _Node | None = node
            while end is not None and end.parent is not None and len(codes) < self.model.reach:
                codes.append(self._codes[end.class_id])
                end = end.parent
            for code in reversed(codes):
                known = self.model.follow(known, code)
            node.context = known
        return node.context

    def kinds(self, node: _Node) -> int:
        """Give the kinds of a text's last two symbols."""
        if node.kinds < 0:
            last = [n for n in (node.parent, node) if n is not None and n.parent is not None]
            known = self.model.no_kinds
            for part in last:
                known = self.model.kinds(known, self._kinds[part.class_id])
            node.kinds = known
        return node.kinds


class _Search:
    """One line's search: the texts that compete, and those that lost."""

    def __init__(self, decoder: BeamDecoder, lexicon: Lexicon | None) -> None:
        self._decoder = decoder
        self._lexicon = lexicon
        self._texts: dict[_Node, _State] = {_Node(None, BLANK, 0.0): (0.0, _NEVER, None)}
        self._lost: list[tuple[_Node, _Node, float]] = []  # winner, loser, lead in nats

    def advance(self, place: int, column: Column) -> None:
        """Take the next column in."""
        if len(column.classes) == 1:
            if column.best == BLANK:
                # Everything that was written stays, with a blank last.
                (chance,) = column.logs
                self._texts = {
                    node: (_add(blank, symbol) + chance, _NEVER, path)
                    for node, (blank, symbol, path) in self._texts.items()
                }
                return
            if len(self._texts) == 1 and self._lexicon is None and self._follow(place, column):
                return
        grown: dict[_Node, _State] = {}
        for node, state in self._texts.items():
            self._grow(place, column, node, state, grown)
        self._texts = self._select(grown) if len(grown) > 1 else grown

    def _follow(self, place: int, column: Column) -> bool:
        """Go on with the one symbol after the one text; False where that makes two of it."""
        ((node, (blank, symbol, path)),) = self._texts.items()
        (chance,) = column.logs
        if column.best == node.class_id:
            if blank > _NEVER:
                return False
            self._texts = {node: (_NEVER, symbol + chance, path)}
            return True
        # Nobody competes: what language says of the symbol changes nothing.
        child = _Node(node, column.best, node.total)
        self._texts = {child: (_NEVER, _add(blank, symbol) + chance, (path, place))}
        return True

    def _grow(
        self,
        place: int,
        column: Column,
        node: _Node,
        state: _State,
        grown: dict[_Node, _State],
    ) -> None:
        """Give a text every candidate of a column."""
        blank, symbol, path = state
        both = _add(blank, symbol)
        for class_id, chance in zip(column.classes, column.logs, strict=True):
            if class_id == BLANK:
                _join_blank(grown, node, both + chance, path)
                continue
            source = both
            if class_id == node.class_id:
                if symbol > _NEVER:
                    _join_symbol(grown, node, symbol + chance, path)
                source = blank
                if source <= _NEVER:
                    continue
            child = node.children.get(class_id)
            if child is None:
                child = self._decoder.extend(node, class_id, self._lexicon)
            _join_symbol(grown, child, source + chance, (path, place))

    def _select(self, grown: dict[_Node, _State]) -> dict[_Node, _State]:
        """Drop texts far behind, and of those that end alike all but the best."""
        ranked = _ranked(grown)
        decoder, options = self._decoder, self._decoder.options
        least = ranked[0][0] - options.margin
        kept: dict[_Node, _State] = {}
        best: dict[object, tuple[_Node, float]] = {}
        for score, _, node in ranked[: options.width]:
            if score < least:
                break
            end = (decoder.context(node)[-1:], decoder.kinds(node), node.class_id, _within(node))
            if end in best:
                winner, lead = best[end]
                self._lost.append((winner, node, lead - score))
            else:
                best[end] = node, score
                kept[node] = grown[node]
        return kept

    def finish(self, columns: list[Column]) -> list[Span]:
        """Choose a text, and tell how sure its symbols are."""
        ranked = _ranked(self._texts, ended=True)
        lead, _, node = ranked[0]
        self._lost += [(node, other, lead - score) for score, _, other in ranked[1:]]
        path = self._texts[node][2]
        chain = _chain(node)
        doubts = self._doubts(chain)
        places: list[int] = []
        while path is not None:
            path, place = path
            places.append(place)
        spans = []
        for text, first in zip(chain, reversed(places), strict=True):
            end = first + 1
            while end < len(columns) and columns[end].best == text.class_id:
                end += 1
            mass = max(column.mass for column in columns[first:end])
            sure = min(1.0, mass * exp(-doubts.get(text, 0.0)))
            spans.append(Span(text.class_id, sure, first, end))
        return spans

    def _doubts(self, chain: list[_Node]) -> dict[_Node, float]:
        """Give each symbol of the chosen text what its competitors leave it, as -log."""
        doubts: dict[_Node, float] = {}
        chosen = set(chain)
        for winner, loser, lead in self._lost:
            if winner not in chosen:
                continue
            apart = _difference(winner, loser)
            # Shared, so that the product over the line holds it once.
            share = log1p(exp(-lead)) / len(apart)
            for node in apart:
                doubts[node] = doubts.get(node, 0.0) + share
        return doubts


def _add(first: float, second: float) -> float:
    """Add probabilities given by their logarithms."""
    if first < second:
        first, second = second, first
    return first if first - second > 30 else first + log1p(exp(second - first))


def _join_symbol(
    grown: dict[_Node, _State], node: _Node, reached: float, path: _Path | None
) -> None:
    """Count one more way to write a text with its last symbol last."""
    state = grown.get(node)
    if state is None:
        grown[node] = (_NEVER, reached, path)
        return
    blank, symbol, known = state
    likelier = reached > symbol and reached > blank
    grown[node] = (blank, _add(symbol, reached), path if likelier else known)


def _join_blank(
    grown: dict[_Node, _State], node: _Node, reached: float, path: _Path | None
) -> None:
    """Count the one way to write a text with a blank last."""
    state = grown.get(node)
    if state is None:
        grown[node] = (reached, _NEVER, path)
        return
    _, symbol, known = state
    grown[node] = (reached, symbol, path if reached > symbol else known)


def _ranked(texts: dict[_Node, _State], *, ended: bool = False) -> list[tuple[float, int, _Node]]:
    """List texts by their score, the best first; the number parts equal ones."""
    scored = [
        (_add(blank, symbol) + node.total - (_owed(node) if ended else 0.0), -k, node)
        for k, (node, (blank, symbol, _)) in enumerate(texts.items())
    ]
    scored.sort(reverse=True)
    return scored


def _within(node: _Node) -> int:
    """Name the place of a text in the lexicon."""
    return id(node.place.branches) if node.place is not None else 0


def _owed(node: _Node) -> float:
    """Give what a word that the line's end breaks off has to give back."""
    return node.place.earned if node.place is not None else 0.0


def _chain(end: _Node) -> list[_Node]:
    """List the symbols of a text from its beginning."""
    found: list[_Node] = []
    node: _Node | None = end
    while node is not None and node.parent is not None:
        found.append(node)
        node = node.parent
    return found[::-1]


def _difference(winner: _Node, loser: _Node) -> list[_Node]:
    """Give the symbols of a text that another text, ending alike, has not; never none."""
    ours, theirs = _chain(winner), _chain(loser)
    same = 0
    while same < min(len(ours), len(theirs)) and ours[same] is theirs[same]:
        same += 1
    first, last = same, len(ours)
    rest = len(theirs)
    while last > first and rest > first and ours[last - 1].class_id == theirs[rest - 1].class_id:
        last, rest = last - 1, rest - 1
    if last > first:
        return ours[first:last]
    # The other text has a symbol more: the one beside the gap is as doubtful as the gap.
    return ours[max(0, first - 1) : first] or ours[:1] or [winner]
