"""How far two versions agree on one picture; the texts are compared and forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.core.types import PageResult

MOST_CHARACTERS = 5_000
"""What is compared of a text; 5,000 characters take some 5 ms."""


def agreement(first: Sequence[PageResult], second: Sequence[PageResult]) -> float:
    """Compare what two versions read in the same picture.

    Returns:
        1 minus the edit distance over the longer text, in [0, 1]; 1 where both are empty. Spaces
        are left out: versions differ in them more than in what they read.
    """
    one, other = (_text(pages) for pages in (first, second))
    longer = max(len(one), len(other))
    return 1 - edit_distance(one, other) / longer if longer else 1.0


def edit_distance(first: str, second: str) -> int:
    """Count the insertions, deletions and replacements between two texts.

    Myers, "A fast bit-vector algorithm for approximate string matching", 1999, in the form of
    Hyyrö, 2003: a column of the table is two integers, however long the text.
    """
    if not first:
        return len(second)
    places: dict[str, int] = {}
    for n, character in enumerate(first):
        places[character] = places.get(character, 0) | 1 << n
    everything, last = (1 << len(first)) - 1, 1 << len(first) - 1
    rises, falls, distance = everything, 0, len(first)
    for character in second:
        same = places.get(character, 0)
        diagonal = (((same & rises) + rises) ^ rises) | same | falls
        up = falls | ~(diagonal | rises) & everything
        down = rises & diagonal
        distance += bool(up & last) - bool(down & last)
        up = up << 1 | 1
        rises = (down << 1 | ~(diagonal | up)) & everything
        falls = up & diagonal & everything
    return distance


def _text(pages: Sequence[PageResult]) -> str:
    whole = "".join(line.text for page in pages for line in page.lines)
    return "".join(whole.split())[:MOST_CHARACTERS]
