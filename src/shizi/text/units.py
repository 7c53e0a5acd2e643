"""Units in one sign that were read beside one of their own letters.

Print knows `㎏` and `kg`. Where letters stand close, the network may see the one sign and the last
letter once more; no text has `㎏g`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

# Of the signs whose compatible form is several characters, those where a doubled last character
# says nothing of its own, as the I of ⅡI may: the squared units, and these.
_FIRST_UNIT, _LAST_UNIT = "\u3380", "\u33df"
_OTHERS = frozenset("℃℉№")


def part_units(symbols: Sequence[str]) -> list[str]:
    """Give a unit's first letter in its place where its last one follows: `㎏`, `g` are `k`, `g`.

    Args:
        symbols: of a line, one character each.

    Returns:
        As many symbols.
    """
    return [_first_of(one, after) for one, after in zip_longest(symbols, symbols[1:], fillvalue="")]


def _first_of(symbol: str, after: str) -> str:
    if symbol not in _OTHERS and not _FIRST_UNIT <= symbol <= _LAST_UNIT:
        return symbol
    letters = unicodedata.normalize("NFKC", symbol)
    return letters[0] if len(letters) == 2 and letters[1] == after else symbol
