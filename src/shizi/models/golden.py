"""Lines whose text is known; a model that misreads them is broken, and does not get to serve.

They are plain print, Chinese and English, drawn by `scripts/make_golden.py`. A model that reads
them well may still read poorly elsewhere; one that does not has the wrong charset, weights or head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from shizi.core.errors import GoldenFailed, ShiziError
from shizi.core.pixels import GrayImage
from shizi.models.recognizer import Reading
from shizi.text.distance import edit_distance

_FILE = Path(__file__).parent / "data" / "golden.npz"

Recognize = Callable[[Sequence[GrayImage]], Sequence[Reading | ShiziError]]


def golden_lines() -> list[tuple[GrayImage, str]]:
    """Give the lines: (H, W) uint8 crops with what they say."""
    with np.load(_FILE, allow_pickle=False) as content:
        return [(content[f"line{k}"], str(text)) for k, text in enumerate(content["texts"])]


def golden_errors(recognize: Recognize) -> float:
    """Give the share of characters that are misread; spaces do not count.

    Args:
        recognize: reads crops; a line it cannot read counts whole.
    """
    crops, texts = zip(*golden_lines(), strict=True)
    wrong = characters = 0
    for text, answer in zip(texts, recognize(crops), strict=True):
        wanted, read = _bare(text), _bare(answer.text) if isinstance(answer, Reading) else ""
        wrong += min(len(wanted), edit_distance(wanted, read))
        characters += len(wanted)
    return wrong / characters


def check_golden(name: str, recognize: Recognize, most_errors: float) -> float:
    """Try a model out.

    Args:
        name: of the model, for the message.
        recognize: reads with it.
        most_errors: share of characters it may misread.

    Returns:
        The share it misreads.

    Raises:
        GoldenFailed: it misreads more.
        ModelError: it fails altogether.
    """
    errors = golden_errors(recognize)
    if errors > most_errors:
        raise GoldenFailed(f"{name} misreads {errors:.0%} of lines that every model reads")
    return errors


def _bare(text: str) -> str:
    return "".join(text.split())
