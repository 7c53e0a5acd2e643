"""The texts a beam search weighs against each other: how they grow, compare and differ."""

from __future__ import annotations

from math import exp, log1p
from typing import NamedTuple

from shizi.text.lexicon import Place
from shizi.text.ngram import Context

# The logarithm of a probability that is none.
NEVER = -1e9


class Node:
    """A text: another one and one symbol more. Equal texts of a search are one node.

    It knows what it grew from, not what grows from it: so all of them go with the search, and none
    waits for the collector of cycles.
    """

    __slots__ = ("class_id", "context", "kinds", "parent", "place", "total")

    def __init__(self, parent: Node | None, class_id: int, total: float) -> None:
        self.parent = parent
        self.class_id = class_id
        self.total = total  # what language and words gave, in nats
        self.context: Context | None = None  # of the language model; worked out when asked for
        self.kinds: int = -1  # of the last two symbols, likewise
        self.place: Place | None = None  # in the lexicon, where there is one


# Columns of a text's symbols, the last one first.
Path = tuple["Path | None", int]
# How likely the columns so far are to write a text: log-probability of doing so with a blank last,
# the same with its last symbol last, and where its symbols begin in the likeliest way to write it.
State = tuple[float, float, "Path | None"]


class Loss(NamedTuple):
    """A text that another one left behind.

    Attributes:
        place: of the column at which it did.
        winner: the better text.
        loser: the worse one, which ends alike.
        lead: of the winner, in nats.
    """

    place: int
    winner: Node
    loser: Node
    lead: float


def add(first: float, second: float) -> float:
    """Add probabilities given by their logarithms."""
    if first < second:
        first, second = second, first
    return first if first - second > 30 else first + log1p(exp(second - first))


def join_symbol(grown: dict[Node, State], node: Node, reached: float, path: Path | None) -> None:
    """Count one more way to write a text with its last symbol last."""
    state = grown.get(node)
    if state is None:
        grown[node] = (NEVER, reached, path)
        return
    blank, symbol, known = state
    likelier = reached > symbol and reached > blank
    grown[node] = (blank, add(symbol, reached), path if likelier else known)


def join_blank(grown: dict[Node, State], node: Node, reached: float, path: Path | None) -> None:
    """Count the one way to write a text with a blank last."""
    state = grown.get(node)
    if state is None:
        grown[node] = (reached, NEVER, path)
        return
    _, symbol, known = state
    grown[node] = (reached, symbol, path if reached > symbol else known)


def ranked(texts: dict[Node, State], *, ended: bool = False) -> list[tuple[float, int, Node]]:
    """List texts by their score, the best first; the number parts equal ones."""
    scored = [
        (add(blank, symbol) + node.total - (owed(node) if ended else 0.0), -k, node)
        for k, (node, (blank, symbol, _)) in enumerate(texts.items())
    ]
    scored.sort(reverse=True)
    return scored


def covers(winner: Node, above: State, loser: Node, below: State) -> bool:
    """Tell whether a text is ahead of another both with a blank last and with its symbol last."""
    lead = winner.total - loser.total
    return lead + above[0] >= below[0] and lead + above[1] >= below[1]


def within(node: Node) -> int:
    """Name the place of a text in the lexicon."""
    return id(node.place.branches) if node.place is not None else 0


def owed(node: Node) -> float:
    """Give what a word that the line's end breaks off has to give back."""
    return node.place.earned if node.place is not None else 0.0


def chain(end: Node) -> list[Node]:
    """List the symbols of a text from its beginning."""
    found: list[Node] = []
    node: Node | None = end
    while node is not None and node.parent is not None:
        found.append(node)
        node = node.parent
    return found[::-1]


def places_of(path: Path | None) -> list[int]:
    """List the columns of a path from its beginning."""
    found: list[int] = []
    while path is not None:
        path, place = path
        found.append(place)
    return found[::-1]


def difference(winner: Node, loser: Node) -> list[Node]:
    """Give the symbols of a text that another text, ending alike, has not; never none."""
    ours, theirs = chain(winner), chain(loser)
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
