"""A user's own words: names, product codes, terms. Reading leans towards them where it wavers.

Contextual biasing by a prefix tree, as in Zhao et al., "Shallow-Fusion End-to-End Contextual
Biasing", Interspeech 2019: every symbol that goes on with a word earns a bonus, and a word that is
broken off gives back what it earned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from shizi.core.errors import OptionError
from shizi.text.folding import Kind

# Beside what a language model says of a symbol, a few nats; more would write words into noise.
SYMBOL_BONUS = 2.0
MAX_WORDS = 20_000
MAX_WORD_CHARS = 64
_INSIDE = (Kind.LOWER, Kind.UPPER, Kind.DIGIT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a text ends.

    Attributes:
        branches: what a word may go on with; the tree's root between words.
        earned: bonus of the word begun, which breaking it off gives back.
    """

    branches: dict[int, Any] = field(compare=False)
    earned: float = 0.0


class Lexicon:
    """A prefix tree of words.

    Args:
        words: of one character and more.
        code: gives what stands for a character, as `NgramModel.code`.

    Raises:
        OptionError: a word is empty or too long, or there are too many.
    """

    def __init__(self, words: Iterable[str], code: Callable[[str], int]) -> None:
        self._root: dict[int, Any] = {}
        self._ends: set[int] = set()
        for count, word in enumerate(words):
            if count == MAX_WORDS or not 0 < len(word) <= MAX_WORD_CHARS:
                raise OptionError(
                    f"a list of words holds up to {MAX_WORDS} of 1 to {MAX_WORD_CHARS} characters"
                )
            branches = self._root
            for symbol in word:
                branches = branches.setdefault(code(symbol), {})
            self._ends.add(id(branches))
        self.start = Place(self._root)

    def extend(
        self, place: Place, code: int, before: Kind | None, kind: Kind
    ) -> tuple[float, Place]:
        """Go on with a symbol.

        Args:
            place: of the text before.
            code: of the symbol.
            before: kind of the symbol before, None at the beginning.
            kind: of the symbol.

        Returns:
            What the symbol earns, or gives back, in nats; and the place after it.
        """
        branches = place.branches.get(code)
        if branches is not None and (place.branches is not self._root or _begins(before, kind)):
            done = id(branches) in self._ends
            return SYMBOL_BONUS, Place(branches, 0.0 if done else place.earned + SYMBOL_BONUS)
        if place.branches is self._root:
            return 0.0, self.start
        bonus, begun = self.extend(self.start, code, before, kind)
        return bonus - place.earned, begun


def _begins(before: Kind | None, kind: Kind) -> bool:
    """Tell whether a word may begin here; Latin words and numbers do not begin within another."""
    return kind not in _INSIDE or before not in _INSIDE
