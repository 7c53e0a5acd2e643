"""Pictures as they are encoded, for documents that show them unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Coding(StrEnum):
    """How the samples of a picture are packed."""

    JPEG = "jpeg"
    """A whole JPEG file."""
    PNG = "png"
    """The compressed rows of a PNG file, each with its filter, not interlaced."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One page of a picture file, encoded.

    Attributes:
        data: as `coding` says.
        coding: of the data.
        size: (width, height) in pixels, as stored.
        channels: 1 grey or palette, 3 RGB, 4 CMYK.
        bits: of a sample, 1 to 8.
        palette: RGB triples where samples are places in it; empty else.
        inverted: whether CMYK is stored as 255 minus ink, as Adobe's programs do.
        orientation: EXIF, 1 to 8: how the stored picture is turned to stand upright.
        dpi: (along x, along y) as stored, dots per inch; None where the file does not say.
    """

    data: bytes
    coding: Coding
    size: tuple[int, int]
    channels: int
    bits: int = 8
    palette: bytes = b""
    inverted: bool = False
    orientation: int = 1
    dpi: tuple[float, float] | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels once turned upright."""
        return self.size[::-1] if self.orientation >= 5 else self.size
