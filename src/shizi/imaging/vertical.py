"""Turns a vertical line into a horizontal one, so that one recognizer reads both.

The characters of a vertical Chinese line stand upright one under the other: the line is cut
between them and the pieces are laid side by side. Latin text along a vertical line lies on its
side: there the whole line is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage
from shizi.core.types import Quad

# A quad higher than this many widths is a vertical line.
TALL = 1.5
# Cuts are sought on a copy of this width.
_WORK_WIDTH = 32
# A character is so many widths of the line's ink high.
_SHORTEST, _USUAL, _LONGEST = 0.55, 1.0, 1.45
# What a cell as high as the longest costs, in widths of cut ink.
_STIFFNESS = 0.35
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """A vertical line laid out as a horizontal one.

    Attributes:
        image: (h, w, 3) or (h, w) uint8; its cells are equally wide.
        cuts: where the cells begin and end along the line, from 0 at its head to 1 at its foot;
            one more than there are cells.
    """

    image: RgbImage | GrayImage
    cuts: tuple[float, ...]

    def to_line(self, place: float) -> float:
        """Carry a place along the row, in [0, 1], to the place along the vertical line."""
        cells = len(self.cuts) - 1
        cell = min(cells - 1, max(0, int(place * cells)))
        share = place * cells - cell
        return self.cuts[cell] + share * (self.cuts[cell + 1] - self.cuts[cell])


def is_tall(quad: Quad) -> bool:
    """Tell a vertical line from a horizontal one by its shape."""
    return quad.height > TALL * quad.width


def lay_out(crop: RgbImage | GrayImage) -> Row:
    """Lay the characters of a vertical line side by side.

    Args:
        crop: (h, w, 3) or (h, w) uint8, a vertical line, upright, h and w of at least 1.

    Returns:
        The row; a crop without ink is one cell.
    """
    ink = _ink(crop)
    left, right = _reach(np.asarray(ink.any(axis=0), dtype=np.bool_))
    strip = crop[:, left:right]
    cuts = _cut_places(ink[:, left:right])
    height = max(low - high for high, low in pairwise(cuts))
    cells = [_centered(strip[high:low], height) for high, low in pairwise(cuts)]
    image = np.ascontiguousarray(np.concatenate(cells, axis=1))
    return Row(image, tuple(cut / crop.shape[0] for cut in cuts))


def turn_left(crop: RgbImage | GrayImage) -> RgbImage | GrayImage:
    """Turn a line that runs from top to bottom on its side, so that it runs from left to right."""
    return np.ascontiguousarray(np.rot90(crop))


def turn_right(crop: RgbImage | GrayImage) -> RgbImage | GrayImage:
    """Turn a line that runs from bottom to top, so that it runs from left to right."""
    return np.ascontiguousarray(np.rot90(crop, -1))


def _ink(crop: RgbImage | GrayImage) -> NDArray[np.bool_]:
    """Mark what stands out from the ground of a line; the ground is the commoner side of Otsu."""
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    gray = np.asarray(gray, dtype=np.uint8)
    bound, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = gray > bound
    return np.asarray(~light if light.mean() >= 0.5 else light, dtype=np.bool_)


def _reach(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Give first and last marked place with a margin, all of it where nothing is marked."""
    places = np.flatnonzero(marked)
    if len(places) == 0:
        return 0, len(marked)
    margin = round(_MARGIN * (places[-1] + 1 - places[0]))
    return max(0, int(places[0]) - margin), min(len(marked), int(places[-1]) + 1 + margin)


def _cut_places(ink: NDArray[np.bool_]) -> list[int]:
    """Choose where to cut a line: between its characters, at nearly regular distances.

    Args:
        ink: (h, w), w the width of the characters.

    Returns:
        Rows from 0 to h, ascending; one cell at least.
    """
    rows, columns = ink.shape
    factor = min(1.0, _WORK_WIDTH / columns)
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    small = cv2.resize(ink.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cuts = _best_cuts(np.asarray(small, dtype=np.float64).mean(axis=1), size[0])
    places = sorted({round(cut * rows / size[1]) for cut in cuts} | {0, rows})
    return places


def _best_cuts(profile: NDArray[np.float64], width: int) -> list[int]:
    """Find the cheapest cuts by dynamic programming.

    Args:
        profile: share of ink in each row, in [0, 1].
        width: of the characters, rows.
    """
    rows = len(profile)
    shortest, longest = max(1, round(_SHORTEST * width)), max(2, round(_LONGEST * width))
    if rows <= longest:
        return [0, rows]
    across = np.concatenate([[0.0], np.minimum(profile[:-1], profile[1:]), [0.0]])
    heights = np.arange(shortest, longest + 1)
    strain = _STIFFNESS * ((heights / width - _USUAL) / (_LONGEST - _USUAL)) ** 2
    cost = np.full(rows + 1, np.inf)
    cost[0] = 0.0
    before = np.zeros(rows + 1, dtype=np.int64)
    for row in range(shortest, rows + 1):
        fits = heights <= row
        candidates = cost[row - heights[fits]] + strain[fits]
        best = int(np.argmin(candidates))
        cost[row] = candidates[best] + across[row]
        before[row] = row - heights[fits][best]
    cuts = [rows]
    while cuts[-1] > 0:
        cuts.append(int(before[cuts[-1]]))
    return cuts[::-1]


def _centered(cell: RgbImage | GrayImage, height: int) -> RgbImage | GrayImage:
    """Bring a cell to a height by repeating its first and last row."""
    above = (height - cell.shape[0]) // 2
    below = height - cell.shape[0] - above
    pads = [(above, below), (0, 0), (0, 0)][: cell.ndim]
    return np.asarray(np.pad(cell, pads, mode="edge"), dtype=np.uint8)
