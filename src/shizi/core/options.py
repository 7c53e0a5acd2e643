"""Options of a call: frozen, never stored in an engine, so that two calls may differ at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """What an input may cost; checked before the memory is taken.

    Attributes:
        max_bytes: size of the encoded input.
        max_pixels: width x height of one decoded page.
        max_pages: pages read of one document; more are refused, never dropped in silence.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 100_000_000
    max_pages: int = 2_000


class PdfText(StrEnum):
    """What becomes of the text that a PDF holds."""

    AUTO = "auto"
    """It is taken where it can be read, and the rest of its page is read as a picture."""
    NEVER = "never"
    """Every page is read as a picture."""
    ALWAYS = "always"
    """It is taken as it is; pages that have none are read as pictures."""


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How bytes become pages.

    Attributes:
        pdf_dpi: resolution PDF pages are drawn at, dots per inch.
        page_pixels: budget of one page; a larger one is reduced to it and told in a notice.
        password: for an encrypted PDF.
        first_page: 1-based first page to read.
        last_page: 1-based last page to read, None for all.
        pdf_text: what becomes of the text that a PDF holds.
    """

    pdf_dpi: int = 200
    page_pixels: int = 24_000_000
    password: str | None = field(default=None, repr=False)
    first_page: int = 1
    last_page: int | None = None
    pdf_text: PdfText = PdfText.AUTO


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """How lines of text are found on a page.

    Attributes:
        max_side_px: the longer side of the detector's input; a larger page is reduced to it.
        mask_threshold: probability above which a pixel belongs to text, in (0, 1).
        box_threshold: mean probability below which a box is dropped, in (0, 1).
        unclip_ratio: how far a shrunken kernel is grown back: offset = area * ratio / perimeter.
        piece_pixels: what one run of the network looks at; a larger page is looked at in pieces.
            A run takes some 115 bytes a pixel.
        max_lines: more boxes than this are dropped, the weakest first, and told in a notice.
    """

    max_side_px: int = 1600
    mask_threshold: float = 0.3
    box_threshold: float = 0.5
    unclip_ratio: float = 1.6
    piece_pixels: int = 600_000
    max_lines: int = 3000


class Effort(StrEnum):
    """How much time lines are worth."""

    FAST = "fast"
    """The small recognizer alone."""
    BALANCED = "balanced"
    """The large recognizer reads again what the small one doubts."""
    ACCURATE = "accurate"
    """The large recognizer alone."""


class Decoder(StrEnum):
    """How the scores of a line become its text."""

    BEAM = "beam"
    """What the network saw and what language expects are weighed against each other."""
    GREEDY = "greedy"
    """What the network saw, alone."""


class Lane(StrEnum):
    """Whose turn it is where several calls wait."""

    INTERACTIVE = "interactive"
    """Somebody is waiting for the answer."""
    BULK = "bulk"
    """Nobody is; it is done when nobody else waits, and a little beside those who do."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Everything that may differ from one call of `Reader.read` to the next.

    Attributes:
        decode: how bytes become pages.
        limits: what the input may cost.
        steps: names of preprocessing steps in their order; None chooses them from the measured
            quality of the page ("auto"), an empty tuple leaves the page as it is.
        detect: how lines are found.
        characters: whether each line lists its characters with position and confidence.
        effort: which recognizers read the lines.
        doubt: with balanced effort, lines less likely to be right than this are read again, in
            [0, 1].
        decoder: how a line's scores become its text.
        words: names, codes and terms that are likely to occur; lines lean towards them where they
            waver. Not with the greedy decoder.
        timeout_s: seconds from the call after which it is given up; None for never.
        lane: who goes first where several calls wait.
    """

    decode: DecodeOptions = DecodeOptions()
    limits: Limits = Limits()
    steps: tuple[str, ...] | None = None
    detect: DetectOptions = DetectOptions()
    characters: bool = False
    effort: Effort = Effort.FAST
    doubt: float = 0.8
    decoder: Decoder = Decoder.BEAM
    words: tuple[str, ...] = ()
    timeout_s: float | None = None
    lane: Lane = Lane.INTERACTIVE
