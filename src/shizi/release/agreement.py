"""How far two versions agree on one picture; the texts are compared and forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.core.types import PageResult
from shizi.text.distance import edit_distance

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


def _text(pages: Sequence[PageResult]) -> str:
    whole = "".join(line.text for page in pages for line in page.lines)
    return "".join(whole.split())[:MOST_CHARACTERS]
