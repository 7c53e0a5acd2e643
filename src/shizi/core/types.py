"""The values that travel through Shizi.

The coordinate law, stated once: pixels of the upright original page (EXIF orientation applied),
origin at the top-left corner, x to the right, y down. A quad is four points clockwise, beginning
at the corner where the text begins (the top-left of the text as read). Pictures are (H, W, 3)
uint8 RGB; nothing here accepts BGR. A working image that was scaled or rotated carries a `Frame`
that maps its points back to the original.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from shizi.core.errors import ShiziError

# Processes that only pass results on do without NumPy, a fifth of their memory.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shizi.core.pixels import RgbImage

Point = tuple[float, float]


class Direction(StrEnum):
    """How the characters of a line follow each other."""

    HORIZONTAL = "h"
    VERTICAL = "v"


class Origin(StrEnum):
    """Where the text of a line comes from."""

    PICTURE = "picture"
    """It was read."""
    LAYER = "layer"
    """The document holds it as text."""


@dataclass(frozen=True, slots=True)
class Quad:
    """Four corners of a text line, clockwise from where it begins; pixels, x right, y down."""

    points: tuple[Point, Point, Point, Point]

    @classmethod
    def from_array(cls, array: NDArray[np.floating] | NDArray[np.integer]) -> Self:
        """Take a (4, 2) array of (x, y)."""
        if array.shape != (4, 2):
            raise ValueError(f"a quad has shape (4, 2), not {array.shape}")
        a, b, c, d = ((float(x), float(y)) for x, y in array)
        return cls((a, b, c, d))

    @classmethod
    def from_rect(cls, left: float, top: float, right: float, bottom: float) -> Self:
        """Build an upright quad from its edges."""
        return cls(((left, top), (right, top), (right, bottom), (left, bottom)))

    def to_array(self) -> NDArray[np.float32]:
        """Give a (4, 2) float32 array of (x, y)."""
        import numpy as np  # noqa: PLC0415

        return np.asarray(self.points, dtype=np.float32)

    @property
    def width(self) -> float:
        """Mean length of the two edges along the text, in pixels."""
        (a, b, c, d) = self.points
        return (math.dist(a, b) + math.dist(d, c)) / 2

    @property
    def height(self) -> float:
        """Mean length of the two edges across the text, in pixels."""
        (a, b, c, d) = self.points
        return (math.dist(a, d) + math.dist(b, c)) / 2

    @property
    def angle_deg(self) -> float:
        """Direction of the text, in degrees clockwise from the x axis, in (-180, 180]."""
        (a, b, c, d) = self.points
        return math.degrees(math.atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0]))

    @property
    def center(self) -> Point:
        """Mean of the four corners."""
        return (sum(p[0] for p in self.points) / 4, sum(p[1] for p in self.points) / 4)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the upright box around it."""
        xs = [p[0] for p in self.points]
        ys = [p[1] for p in self.points]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Frame:
    """An affine map from a working image's pixels to the original's: p' = (a b; d e) p + (c, f)."""

    matrix: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

    def map(self, point: Point) -> Point:
        """Carry one point from the working image to the original."""
        a, b, c, d, e, f = self.matrix
        x, y = point
        return a * x + b * y + c, d * x + e * y + f

    def map_quad(self, quad: Quad) -> Quad:
        """Carry a quad from the working image to the original."""
        p, q, r, s = (self.map(point) for point in quad.points)
        return Quad((p, q, r, s))

    def after(self, inner: Frame) -> Frame:
        """Compose: first `inner`, then this one."""
        a, b, c, d, e, f = self.matrix
        g, h, i, j, k, m = inner.matrix
        return Frame(
            (
                a * g + b * j,
                a * h + b * k,
                a * i + b * m + c,
                d * g + e * j,
                d * h + e * k,
                d * i + e * m + f,
            )
        )

    def inverse(self) -> Frame:
        """Give the map from the original to the working image.

        Raises:
            ValueError: the map flattens the plane and has no inverse.
        """
        a, b, c, d, e, f = self.matrix
        det = a * e - b * d
        if abs(det) < 1e-12:
            raise ValueError("the frame has no inverse")
        return Frame(
            (
                e / det,
                -b / det,
                (b * f - c * e) / det,
                -d / det,
                a / det,
                (c * d - a * f) / det,
            )
        )

    @classmethod
    def scaling(cls, factor_x: float, factor_y: float | None = None) -> Frame:
        """Map a working image back that is 1/factor of the original's size."""
        return cls((factor_x, 0.0, 0.0, 0.0, factor_x if factor_y is None else factor_y, 0.0))


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader did to the input that its owner should know of.

    Attributes:
        code: stable name, such as "downscaled" or "pages_skipped".
        detail: one sentence; never holds recognized text.
        page: 1-based page, None where it is about the whole document.
    """

    code: str
    detail: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        number: 1-based place in its document.
        frame: maps points of `image` to the original page; differs from the identity where the
            page was reduced.
        size: (width, height) of the original page in pixels, as coordinates are given in.
        notices: what was done to it on the way.
        layer: text that the document holds for it, None for none. Where that is the whole of it,
            nothing was drawn, and `image` is one white pixel.
    """

    image: RgbImage
    number: int = 1
    frame: Frame = Frame()
    size: tuple[int, int] = (0, 0)
    notices: tuple[Notice, ...] = ()
    layer: TextLayer | None = None


@dataclass(frozen=True, slots=True)
class Character:
    """One recognized character.

    Attributes:
        text: the character.
        confidence: in [0, 1].
        box: where it stands, estimated from its time step.
    """

    text: str
    confidence: float
    box: Quad


@dataclass(frozen=True, slots=True)
class TextLine:
    """One recognized line.

    Attributes:
        text: what it says; may be empty.
        confidence: in [0, 1]; mean over its characters.
        box: where it stands, in pixels of the original page.
        direction: horizontal or vertical.
        characters: one entry a character of `text`, same order; empty where not asked for.
        origin: whether it was read, or taken from the text of the document.
    """

    text: str
    confidence: float
    box: Quad
    direction: Direction = Direction.HORIZONTAL
    characters: tuple[Character, ...] = ()
    origin: Origin = Origin.PICTURE


@dataclass(frozen=True, slots=True)
class TextLayer:
    """Text that a document holds for a page, and that can be read.

    Attributes:
        lines: in the document's order, each with its characters.
        whole: whether the page shows no other text.
    """

    lines: tuple[TextLine, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that could not be read; its neighbours are not affected.

    Attributes:
        box: where it stands.
        error: why.
    """

    box: Quad
    error: ShiziError


@dataclass(frozen=True, slots=True)
class PageResult:
    """What was read on one page.

    Attributes:
        number: 1-based page.
        width: of the original page, pixels.
        height: of the original page, pixels.
        lines: in reading order.
        notices: what the reader did to the input, lines that failed included.
        angle_deg: tilt that was corrected, degrees clockwise.
        scale: pixels of the image worked on over pixels of the original, along x.
        steps: names of the preparation steps that were taken, in their order.
        timing_s: seconds by stage ("decode", "prepare", "detect", "recognize").
        model: name of the recognizer that read it.
        version: of that recognizer.
        epoch: of the release by which the service chose it; None where no service did.
    """

    number: int
    width: int
    height: int
    lines: tuple[TextLine, ...]
    notices: tuple[Notice, ...] = ()
    angle_deg: float = 0.0
    scale: float = 1.0
    steps: tuple[str, ...] = ()
    timing_s: tuple[tuple[str, float], ...] = ()
    model: str = ""
    version: str = ""
    epoch: int | None = None

    @property
    def text(self) -> str:
        """The page's text, a line each, in reading order."""
        return "\n".join(line.text for line in self.lines)

    def __iter__(self) -> Iterator[TextLine]:
        """Walk the lines in reading order."""
        return iter(self.lines)
