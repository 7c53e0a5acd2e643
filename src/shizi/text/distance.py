"""How far two texts are apart."""

from __future__ import annotations


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
