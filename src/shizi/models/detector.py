"""Finds lines of text with a DB network, at the smallest scale that keeps the text readable.

Cost grows with the pixels looked at, so the page is neither enlarged nor looked at more closely
than its smallest text asks for. What does not fit into one run is looked at in pieces whose maps
are joined before boxes are taken: a line across a seam stays one line.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import IncompatibleModel
from shizi.core.options import DetectOptions
from shizi.core.pixels import RgbImage
from shizi.core.types import Quad
from shizi.imaging.textsize import measure_text_height
from shizi.models.boxes import Box, FloatMap, map_to_boxes
from shizi.models.session import Session

# Both sides of the network's input are multiples of this.
STRIDE = 32
# Height of the smaller lines of a page at the network's input: from 12 px on all but one line in a
# hundred are covered, from 16 px on neighbours are kept apart as well as at full size.
TARGET_TEXT_PX = 18.0
# A page is enlarged only where its text is lower than this, and only up to it.
LEAST_TEXT_PX = 14.0
MAX_ENLARGEMENT = 2.0
# Without an estimate a page is looked at with its longer side at this length.
UNSURE_SIDE_PX = 1280
# A piece has at least this many rows at its widest, or most of it would be overlap.
_LEAST_ROWS = 375
_MOST_ROWS = 1600
# A page costs at most this many pixels in all, and this many pieces of the size wished for: an
# enlarged page and its map are held as a whole.
PAGE_PIXELS = 6_000_000
MOST_PIECES = 16
# Rows a piece sees beyond its own part, so that a cut line is seen whole on one side.
OVERLAP_PX = 64
_COLORS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Lines of a page, with what was done to find them.

    Attributes:
        quads: in pixels of the page, the strongest first.
        scores: one for each quad, in [0, 1].
        scale: network input pixels over page pixels.
        dropped: how many lines beyond `max_lines` were left out.
    """

    quads: tuple[Quad, ...]
    scores: tuple[float, ...]
    scale: float
    dropped: int = 0


class Detector:
    """A text detector on one session; threads may share it."""

    def __init__(self, session: Session) -> None:
        """Bind a session whose network maps (1, P, H, W) to a probability (1, 1, H, W).

        P is what its metadata call `planes`: 1 for grey, 3 for colors, which is taken where they
        are silent.

        Raises:
            IncompatibleModel: the network takes or gives something else.
        """
        if len(session.input_names) != 1 or len(session.output_names) < 1:
            raise IncompatibleModel("a detector takes one picture and gives one map")
        planes = session.metadata.get("planes", str(_COLORS))
        if planes not in ("1", str(_COLORS)):
            raise IncompatibleModel(f"a detector takes 1 or {_COLORS} planes, not {planes[:20]}")
        self._session = session
        self._planes = int(planes)

    def detect(self, image: RgbImage, options: DetectOptions | None = None) -> list[Quad]:
        """Find the lines of a page; see `find`."""
        return list(self.find(image, options).quads)

    def find(self, image: RgbImage, options: DetectOptions | None = None) -> Found:
        """Find the lines of a page and tell how.

        Args:
            image: (H, W, 3) uint8 RGB, any H >= 1 and W >= 1.
            options: not stored; two calls may use different options at once.

        Returns:
            One quad a line, clockwise from the corner nearest the top-left, clipped to nothing:
            corners may lie a little outside the page. A tall quad is a vertical line.

        Raises:
            ModelError: the network failed.
        """
        options = options or DetectOptions()
        most = min(PAGE_PIXELS, MOST_PIECES * options.piece_pixels)
        text_px = measure_text_height(image)
        scale = choose_scale(image.shape[1], image.shape[0], text_px, most)
        return self.find_at(image, scale, options)

    def find_at(self, image: RgbImage, scale: float, options: DetectOptions) -> Found:
        """Find the lines of a page at a given scale; see `find`."""
        rows, columns = image.shape[:2]
        # Not kept under a name: an enlarged page is as large as what is made of it.
        probability = self.map_of(resize_page(image, scale), options)
        boxes = map_to_boxes(probability, options)
        boxes.sort(key=lambda box: -box.score)
        kept = boxes[: options.max_lines]
        factors = columns / probability.shape[1], rows / probability.shape[0]
        quads = tuple(_to_quad(box, factors) for box in kept)
        scores = tuple(box.score for box in kept)
        return Found(quads, scores, scale, len(boxes) - len(kept))

    def map_of(self, small: RgbImage, options: DetectOptions) -> FloatMap:
        """Run the network over a page at its own scale, in as many pieces as it takes.

        Returns:
            (H, W) float32 in [0, 1]: how sure it is that a pixel lies in the core of a line.

        Raises:
            ModelError: the network failed.
        """
        rows, columns = small.shape[:2]
        whole = np.empty((rows, columns), dtype=np.float32)
        most_columns = min(options.max_side_px, options.piece_pixels // _LEAST_ROWS)
        for top, bottom in _cuts(rows, max_rows(columns, most_columns, options.piece_pixels)):
            for left, right in _cuts(columns, most_columns):
                outer_top, outer_bottom = max(0, top - OVERLAP_PX), min(rows, bottom + OVERLAP_PX)
                outer_left = max(0, left - OVERLAP_PX)
                outer_right = min(columns, right + OVERLAP_PX)
                part = self._run(small[outer_top:outer_bottom, outer_left:outer_right])
                whole[top:bottom, left:right] = part[
                    top - outer_top : bottom - outer_top, left - outer_left : right - outer_left
                ]
        return whole

    def relax(self) -> None:
        """Give memory that runs no longer use back to the system; the next run takes it anew.

        Raises:
            ModelError: the network failed.
        """
        (name,) = self._session.input_names
        self._session.relax({name: np.zeros((1, self._planes, STRIDE, STRIDE), np.float32)})

    def _run(self, piece: RgbImage) -> FloatMap:
        """Run the network over one piece; gives a map of the same height and width."""
        rows, columns = piece.shape[:2]
        (name,) = self._session.input_names
        (answer,) = self._session.run(
            {name: _to_input(piece, self._planes)}, self._session.output_names[:1]
        )
        if answer.ndim != 4 or answer.shape[2] < rows or answer.shape[3] < columns:
            raise IncompatibleModel(f"the detector gave a map of shape {answer.shape}")
        return np.asarray(answer[0, 0, :rows, :columns], dtype=np.float32)


def choose_scale(width: int, height: int, text_px: float, most_pixels: int = PAGE_PIXELS) -> float:
    """Give the smallest scale that keeps small text readable; above 1 only for tiny text.

    Args:
        width: of the page, pixels.
        height: of the page, pixels.
        text_px: height of its small lines, pixels; 0 where unknown.
        most_pixels: of the page at this scale.
    """
    if text_px > 0:
        wanted = min(TARGET_TEXT_PX / text_px, max(1.0, LEAST_TEXT_PX / text_px))
    else:
        wanted = min(1.0, UNSURE_SIDE_PX / max(width, height))
    return min(MAX_ENLARGEMENT, wanted, math.sqrt(most_pixels / (width * height)))


def max_rows(columns: int, most_columns: int, piece_pixels: int) -> int:
    """Give how many rows one run may have at this many columns of the page.

    Args:
        columns: of the page.
        most_columns: of a piece.
        piece_pixels: of a piece, overlap included.
    """
    wide = _round_up(min(columns, most_columns) + 2 * OVERLAP_PX)
    return max(4 * OVERLAP_PX, min(_MOST_ROWS, piece_pixels // wide - 2 * OVERLAP_PX))


def _cuts(length: int, most: int) -> list[tuple[int, int]]:
    """Cut a length into equal parts of at most `most`."""
    count = max(1, math.ceil(length / most))
    edges = [round(k * length / count) for k in range(count + 1)]
    return list(itertools.pairwise(edges))


def resize_page(image: RgbImage, scale: float) -> RgbImage:
    """Reduce a page by area averaging, enlarge it by cubics; sides are at least 1."""
    rows, columns = image.shape[:2]
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    if size == (columns, rows):
        return image
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), dtype=np.uint8)


def _to_input(piece: RgbImage, count: int) -> NDArray[np.float32]:
    """Pad a piece to the stride and bring it to the range the network was trained on.

    Args:
        piece: (H, W, 3) uint8 RGB.
        count: of planes, 1 for grey or 3.

    Returns:
        (1, count, H, W) float32 in [-1, 1]; colors in the order blue, green, red.
    """
    rows, columns = piece.shape[:2]
    planes = np.empty((1, count, _round_up(rows), _round_up(columns)), dtype=np.float32)
    if count == _COLORS:
        source = piece[:, :, ::-1].transpose(2, 0, 1)
    else:
        source = np.asarray(cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY), np.uint8)[None]
    np.multiply(source, 2 / 255, out=planes[0, :, :rows, :columns])
    planes[0, :, :rows, :columns] -= 1
    # The border goes on: an edge in the padding would look like a line of text.
    planes[0, :, rows:, :columns] = planes[0, :, rows - 1 : rows, :columns]
    planes[0, :, :, columns:] = planes[0, :, :, columns - 1 : columns]
    return planes


def _round_up(length: int) -> int:
    return math.ceil(length / STRIDE) * STRIDE


def _to_quad(box: Box, factors: tuple[float, float]) -> Quad:
    return Quad.from_array(box.corners * np.array(factors))
