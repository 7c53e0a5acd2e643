"""Which symbols language cannot tell apart, and which kinds of signs there are.

A language model of a few megabytes has no room to learn each word in upper and lower case, each
number, and each character in both scripts. It sees what is left when these are folded; case is
weighed apart, and script and digits are left to the eye.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from shizi.core.errors import IncompatibleModel


class Kind(IntEnum):
    """What sort of sign a symbol is."""

    LOWER = 0
    UPPER = 1
    DIGIT = 2
    SPACE = 3
    HAN = 4
    OTHER = 5


KINDS = len(Kind)


def kind_of(symbol: str) -> Kind:
    """Tell the kind of one character."""
    if symbol >= "\u3400":
        return Kind.HAN if unicodedata.category(symbol) == "Lo" else Kind.OTHER
    if symbol == " ":
        return Kind.SPACE
    if symbol.isdigit():
        return Kind.DIGIT
    if symbol.islower():
        return Kind.LOWER
    return Kind.UPPER if symbol.isupper() else Kind.OTHER


@dataclass(frozen=True, slots=True)
class Folding:
    """Folds a character: compatible form, lower case, digits to 0, traditional to simplified.

    Attributes:
        simplified: traditional characters and their simplified forms.
    """

    simplified: dict[str, str] = field(default_factory=dict)

    def fold(self, symbol: str) -> str:
        """Give the one character that stands for all of a symbol's kin."""
        compatible = unicodedata.normalize("NFKC", symbol)
        one = compatible if len(compatible) == 1 else symbol
        lower = one.lower()
        one = lower if len(lower) == 1 else one
        return "0" if one.isdigit() else self.simplified.get(one, one)

    def to_text(self) -> str:
        """Give all pairs as one text: a character and its form, again and again."""
        return "".join(a + b for a, b in sorted(self.simplified.items()))

    @classmethod
    def from_text(cls, content: str) -> Self:
        """Rebuild from `to_text`.

        Raises:
            IncompatibleModel: a pair is torn.
        """
        if len(content) % 2:
            raise IncompatibleModel("the pairs of the folding are torn")
        return cls(dict(zip(content[::2], content[1::2], strict=True)))
