"""Prefix beam search: what a line says, given what the network saw and what language expects.

Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs", arXiv 1408.2873: texts grow from left to right, all ways to write a text in columns
count together, and each symbol is weighed by a language model. Three things make it cheap here.
Columns with one candidate do not branch. Symbols are scored only while texts compete. Texts that
end alike have the same future: once the model cannot tell two by their ends, the better one stays,
and how much better it was becomes the confidence of the symbols they differ in.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from shizi.text.charset import BLANK, Charset
from shizi.text.ctc import Column, Span, candidates
from shizi.text.folding import Kind, kind_of
from shizi.text.hypotheses import (
    NEVER,
    Loss,
    Node,
    State,
    add,
    chain,
    covers,
    difference,
    join_blank,
    join_symbol,
    places_of,
    ranked,
    within,
)
from shizi.text.lexicon import Lexicon
from shizi.text.ngram import START, Context, NgramModel

# A weight takes half a kilobyte, and new texts bring new ones. Of the 59,000 that 3,065 lines need,
# 18 % are worked out again with a cache this small, which costs nothing that can be measured.
_CACHE_SIZE = 5_000
_LAST_LETTER = int(Kind.UPPER)
# More than any symbol earns, in nats: what may still come is not judged before it is weighed.
_HOPE = 2.0


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How wide a beam search looks and what it weighs.

    Attributes:
        width: texts kept after a column, at least 1.
        hard_columns: a line with more open columns than this is hard.
        hard_width: texts kept after a column of a hard line, which would take too long otherwise.
        gap: a class that is less likely than a column's best by more than this is no candidate,
            in nats.
        candidates: classes of a column at most.
        margin: a text that falls behind the best by more than this is dropped, in nats.
        language_weight: of the language model's log-probability.
        symbol_bonus: for every symbol, in nats, against the model's love of short texts.
        case_weight: of the log-probability of upper and lower case.
        han_floor: added to the model's probability of a Chinese character, so that a rare one is
            not ruled out by what it stands beside.
        floor: the same for every other symbol.
    """

    width: int = 6
    hard_columns: int = 48
    hard_width: int = 3
    gap: float = 5.0
    candidates: int = 8
    margin: float = 6.0
    language_weight: float = 0.6
    symbol_bonus: float = 1.8
    case_weight: float = 0.1
    han_floor: float = 1e-4
    floor: float = 5e-3


class BeamDecoder:
    """Decodes with one charset and one language model; threads may share it."""

    def __init__(self, charset: Charset, model: NgramModel, options: BeamOptions) -> None:
        self.model = model
        self.options = options
        symbols = ("", *charset.symbols)
        self._codes = [model.code(symbol) if symbol else 0 for symbol in symbols]
        # Plain numbers: comparing members of an enumeration takes several times as long.
        self._kinds = [int(kind_of(symbol) if symbol else Kind.OTHER) for symbol in symbols]
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
        return self.search(self.columns(scores, probabilities=probabilities), lexicon)

    def columns(self, scores: NDArray[np.float32], *, probabilities: bool = False) -> list[Column]:
        """Give what the scores of one line leave to choose from; see `ctc.candidates`."""
        return candidates(
            scores, self.options.gap, self.options.candidates, probabilities=probabilities
        )

    def search(self, columns: list[Column], lexicon: Lexicon | None = None) -> list[Span]:
        """Decode the columns of one line; see `decode`."""
        options = self.options
        undecided = sum(len(column.classes) > 1 for column in columns)
        width = options.width if undecided <= options.hard_columns else options.hard_width
        search = _Search(self, lexicon, width)
        for place, column in enumerate(columns):
            if column.classes[0] == BLANK and len(column.classes) == 1:
                search.pass_blank()
            else:
                search.advance(place, column)
        return search.finish(columns)

    def extend(self, node: Node, class_id: int, lexicon: Lexicon | None) -> Node:
        """Give the text with one symbol more, weighed."""
        before = node.context if node.context is not None else self.context(node)
        gain, context = self._weigh(before, class_id)
        kind, kinds = self._kinds[class_id], node.kinds if node.kinds >= 0 else self.kinds(node)
        if kind <= _LAST_LETTER:
            gain += self.options.case_weight * self.model.case(kinds, kind)
        place = None
        if lexicon is not None:
            last = None if node.parent is None else Kind(self._kinds[node.class_id])
            code = self._codes[class_id]
            bonus, place = lexicon.extend(node.place or lexicon.start, code, last, Kind(kind))
            gain += bonus
        child = Node(node, class_id, node.total + gain)
        child.context, child.kinds, child.place = context, self.model.kinds(kinds, kind), place
        return child

    def _weigh(self, before: Context, class_id: int) -> tuple[float, Context]:
        """Weigh a symbol by what the language model says of it; gives the context after it, too."""
        hashes = before[0]
        key = (hashes[-1] if hashes else 0, class_id)
        known = self._gains.get(key)
        if known is None:
            options = self.options
            chance, context = self.model.extend(before, self._codes[class_id])
            floor = options.han_floor if self._kinds[class_id] == Kind.HAN else options.floor
            gain = options.language_weight * log(exp(chance) + floor) + options.symbol_bonus
            known = gain, context
            if len(self._gains) >= _CACHE_SIZE:
                self._gains.clear()
            self._gains[key] = known
        return known

    def relax(self) -> None:
        """Forget what is only known for speed."""
        self._gains.clear()

    def context(self, node: Node) -> Context:
        """Give what the language model knows of a text's end."""
        if node.context is None:
            known = START
            classes: list[int] = []
            end: Node | None = node
            while end is not None and end.parent is not None and len(classes) < self.model.reach:
                classes.append(end.class_id)
                end = end.parent
            for class_id in reversed(classes):
                _, known = self._weigh(known, class_id)
            node.context = known
        return node.context

    def kinds(self, node: Node) -> int:
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

    def __init__(self, decoder: BeamDecoder, lexicon: Lexicon | None, width: int) -> None:
        self._decoder = decoder
        self._width = width
        self._lexicon = lexicon
        self._texts: dict[Node, State] = {Node(None, BLANK, 0.0): (0.0, NEVER, None)}
        self._children: defaultdict[Node, dict[int, Node]] = defaultdict(dict)
        self._lost: list[Loss] = []
        self._open = False  # whether some text has no blank last

    def advance(self, place: int, column: Column) -> None:
        """Take a column in that is no sure blank."""
        alone = len(column.classes) == len(self._texts) == 1 and self._lexicon is None
        if alone and self._follow(place, column):
            return
        self._open = True
        grown: dict[Node, State] = {}
        leader = max(
            add(blank, symbol) + node.total for node, (blank, symbol, _) in self._texts.items()
        )
        least = leader + max(column.logs) - self._decoder.options.margin - _HOPE
        for node, state in self._texts.items():
            self._grow(place, column, node, state, least, grown)
        self._texts = self._select(place, grown) if len(grown) > 1 else grown

    def pass_blank(self) -> None:
        """Take a sure blank in: it ends the symbol that is open, and that is all."""
        if self._open:
            self._texts = {
                node: (add(blank, symbol), NEVER, path)
                for node, (blank, symbol, path) in self._texts.items()
            }
            self._open = False

    def _follow(self, place: int, column: Column) -> bool:
        """Go on with the one symbol after the one text; False where that makes two of it."""
        ((node, (blank, symbol, path)),) = self._texts.items()
        (chance,), (class_id,) = column.logs, column.classes
        self._open = True
        if class_id == node.class_id:
            if blank > NEVER:
                return False
            self._texts = {node: (NEVER, symbol + chance, path)}
            return True
        # Nobody competes: what language says of the symbol changes nothing.
        child = Node(node, class_id, node.total)
        self._texts = {child: (NEVER, add(blank, symbol) + chance, (path, place))}
        return True

    def _grow(
        self,
        place: int,
        column: Column,
        node: Node,
        state: State,
        least: float,
        grown: dict[Node, State],
    ) -> None:
        """Give a text every candidate of a column that may keep up with the others."""
        blank, symbol, path = state
        both, children = add(blank, symbol), self._children[node]
        for class_id, chance in zip(column.classes, column.logs, strict=True):
            if both + node.total + chance < least:
                continue
            if class_id == BLANK:
                join_blank(grown, node, both + chance, path)
                continue
            source = both
            if class_id == node.class_id:
                if symbol > NEVER:
                    join_symbol(grown, node, symbol + chance, path)
                source = blank
                if source <= NEVER:
                    continue
            child = children.get(class_id)
            if child is None:
                child = children[class_id] = self._decoder.extend(node, class_id, self._lexicon)
            join_symbol(grown, child, source + chance, (path, place))

    def _select(self, place: int, grown: dict[Node, State]) -> dict[Node, State]:
        """Drop texts far behind, and of those that end alike all but the best."""
        order = ranked(grown)
        decoder, options = self._decoder, self._decoder.options
        least = order[0][0] - options.margin
        kept: dict[Node, State] = {}
        best: dict[object, tuple[Node, float]] = {}
        for score, _, node in order[: self._width]:
            if score < least:
                break
            end = (decoder.context(node)[0][-1:], decoder.kinds(node), node.class_id, within(node))
            rival = best.setdefault(end, (node, score))
            if rival[0] is not node and covers(rival[0], grown[rival[0]], node, grown[node]):
                self._lost.append(Loss(place, rival[0], node, rival[1] - score))
            else:
                kept[node] = grown[node]
        return kept

    def finish(self, columns: list[Column]) -> list[Span]:
        """Choose a text, and tell how sure its symbols are."""
        order = ranked(self._texts, ended=True)
        lead, _, node = order[0]
        end = len(columns)
        self._lost += [Loss(end, node, other, lead - score) for score, _, other in order[1:]]
        path = self._texts[node][2]
        symbols, places = chain(node), places_of(path)
        doubts = self._doubts(symbols, [*places, end])
        spans = []
        for text, first in zip(symbols, places, strict=True):
            last = first + 1
            while last < end and columns[last].best == text.class_id:
                last += 1
            mass = max(column.mass for column in columns[first:last])
            sure = min(1.0, mass * exp(-doubts.get(text, 0.0)))
            spans.append(Span(text.class_id, sure, first, last))
        return spans

    def _doubts(self, symbols: list[Node], places: list[int]) -> dict[Node, float]:
        """Give each symbol of the chosen text what its competitors leave it, as -log.

        A text counts while it is the beginning of the chosen one, not where it lingers beside it.
        """
        times = {
            node: (first, last)
            for node, first, last in zip(symbols, places[:-1], places[1:], strict=True)
        }
        doubts: dict[Node, float] = {}
        for loss in self._lost:
            first, last = times.get(loss.winner, (0, -1))
            if not first <= loss.place < last and loss.place != places[-1]:
                continue
            apart = difference(loss.winner, loss.loser)
            # Shared, so that the product over the line holds it once.
            share = log1p(exp(-loss.lead)) / len(apart)
            for node in apart:
                doubts[node] = doubts.get(node, 0.0) + share
        return doubts
