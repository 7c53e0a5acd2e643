"""Reads crops of text lines: one network, one charset, no memory between calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import CorruptImage, IncompatibleModel, ShiziError
from shizi.core.pixels import GrayImage, RgbImage
from shizi.imaging.lines import OUR_CANVAS, Canvas, line_to_gray, line_to_rgb, strips_to_batch
from shizi.models.calibration import Calibration, Calibrations
from shizi.models.lineform import LineForm
from shizi.models.session import Session, Stop
from shizi.text.beam import BeamDecoder
from shizi.text.charset import Charset
from shizi.text.ctc import Column, Span, greedy_spans
from shizi.text.lexicon import Lexicon
from shizi.text.units import part_units

# Columns of pixels a batch may hold: ten thousand scores every four pixels are what costs memory.
BATCH_COLUMNS = 1280


@dataclass(frozen=True, slots=True)
class Decoding:
    """How scores become text.

    Attributes:
        greedy: whether the scores alone count; otherwise language is weighed, where the recognizer
            has a language model.
        lexicon: a user's words; None for none.
    """

    greedy: bool = False
    lexicon: Lexicon | None = None


_DEFAULT_DECODING = Decoding()


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol of a reading.

    Attributes:
        text: one character.
        confidence: in [0, 1].
        start: where it begins along the crop, 0 at its left edge and 1 at its right.
        end: where it ends, on the same scale.
    """

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a crop says.

    Attributes:
        text: without spaces at its ends; empty where nothing was read.
        confidence: how likely the whole line is right, in [0, 1]; 0 where nothing was read.
        symbols: one for every character of `text`.
    """

    text: str
    confidence: float
    symbols: tuple[Symbol, ...]

    @property
    def legibility(self) -> float:
        """Mean confidence of the symbols, which does not fall with a line's length."""
        return sum(s.confidence for s in self.symbols) / max(1, len(self.symbols))


@dataclass(frozen=True, slots=True)
class Strip:
    """A line in the form a network takes.

    Attributes:
        pixels: (H, W) or (H, W, 3) uint8, H the network's.
        greedy: whether it will be decoded greedily.
        canvas: the widths the network takes.
    """

    pixels: GrayImage | RgbImage
    greedy: bool
    canvas: Canvas = OUR_CANVAS

    @property
    def bucket(self) -> int:
        """Width it is padded to; only strips of one bucket share a run."""
        return self.canvas.width(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Scan:
    """What the network saw on one line, before it is decoded.

    Attributes:
        width: columns of scores.
        columns: what each leaves to choose from, for the beam.
        spans: symbols, where the line is decoded greedily.
    """

    width: int
    columns: list[Column] = field(default_factory=list)
    spans: list[Span] | None = None


class Recognizer:
    """A recognizer on one session; threads may share it.

    Attributes:
        name: of the model.
        version: of the model.
    """

    def __init__(
        self,
        session: Session,
        charset: Charset,
        name: str,
        form: LineForm | None = None,
        beam: BeamDecoder | None = None,
        calibrations: Calibrations | None = None,
        version: str = "",
    ) -> None:
        """Bind a session to the charset of its head.

        Args:
            session: of the network.
            charset: symbols of its classes.
            name: of the model.
            form: how it takes lines; None for our own networks.
            beam: decodes with a language model; None leaves greedy decoding.
            calibrations: what its probabilities are worth; None takes them at their word.
            version: of the model.

        Raises:
            IncompatibleModel: the model's metadata name another charset.
        """
        self.name, self.version = name, version
        self._session = session
        self._charset = charset
        self._beam = beam
        self._calibrations = calibrations or Calibrations()
        self._form = form or LineForm(stride=int(session.metadata.get("stride", "4")))
        wanted = session.metadata.get("charset_sha256", charset.sha256)
        if wanted != charset.sha256:
            raise IncompatibleModel(f"{name}: the charset file is not the one it was trained with")

    def recognize(
        self, crops: Sequence[RgbImage | GrayImage], decoding: Decoding = _DEFAULT_DECODING
    ) -> list[Reading | ShiziError]:
        """Read upright line crops.

        Args:
            crops: (H, W, 3) RGB or (H, W) grey uint8 each; text runs left to right.
            decoding: how scores become text.

        Returns:
            One entry a crop, same order. A crop that cannot be read yields its error and never
            affects its neighbours; a line's reading is bit-equal whatever it is read with, save
            that the sums of PP-OCR's networks differ in the sixth decimal.

        Raises:
            ModelError: the session failed as a whole.
        """
        strips, failed = self.strips(crops, decoding)
        scans: dict[int, Scan] = {}
        for batch in _batches({k: strip.bucket for k, strip in strips.items()}):
            scans.update(zip(batch, self.scan([strips[k] for k in batch]), strict=True))
        # After all runs of the network: beside them the search would find nothing in the caches.
        return self.readings(scans, failed, decoding)

    def strips(
        self, crops: Sequence[RgbImage | GrayImage], decoding: Decoding
    ) -> tuple[dict[int, Strip], dict[int, ShiziError]]:
        """Bring crops into the form the network takes; the first of three steps.

        Returns:
            By their place in `crops`: strips, and why the others cannot be read.
        """
        form = self._form
        greedy = decoding.greedy or self._beam is None
        strips: dict[int, Strip] = {}
        failed: dict[int, ShiziError] = {}
        for k, crop in enumerate(crops):
            if crop.size == 0 or crop.dtype != np.uint8:
                failed[k] = CorruptImage("a line crop is empty or not 8-bit")
            else:
                to_strip = line_to_rgb if form.color else line_to_gray
                pixels = to_strip(crop, form.height, form.scaling)
                strips[k] = Strip(pixels, greedy, form.canvas)
        return strips, failed

    def scan(self, strips: Sequence[Strip], stop: Stop | None = None) -> list[Scan]:
        """Run the network once; the second step.

        Args:
            strips: of one bucket.
            stop: ends the run.

        Returns:
            One scan a strip, same order; it no longer holds the scores, which are large.

        Raises:
            DeadlineExceeded: it was stopped.
            ModelError: the session failed.
        """
        logits = self._run(strips, stop)
        return [
            # What lies on the strip, not on its padding.
            self._scanned(padded[: -(-strip.pixels.shape[1] // self._form.stride)], strip.greedy)
            for strip, padded in zip(strips, logits, strict=True)
        ]

    def readings(
        self,
        scans: Mapping[int, Scan],
        failed: Mapping[int, ShiziError],
        decoding: Decoding = _DEFAULT_DECODING,
    ) -> list[Reading | ShiziError]:
        """Turn what was seen into text; the third step.

        Args:
            scans: by the place of their crops.
            failed: errors by the place of theirs; every place is in one of the two.
            decoding: how scores become text.

        Returns:
            One entry a place, in order.
        """
        total = len(scans) + len(failed)
        return [failed[k] if k in failed else self._read(scans[k], decoding) for k in range(total)]

    def relax(self) -> None:
        """Forget what is only known for speed; the next lines take a little longer."""
        if self._beam is not None:
            self._beam.relax()

    def _read(self, scan: Scan, decoding: Decoding) -> Reading:
        if self._beam is None or scan.spans is not None:
            return self._reading(scan.spans or [], scan.width, self._calibrations.greedy)
        spans = self._beam.search(scan.columns, decoding.lexicon)
        return self._reading(spans, scan.width, self._calibrations.beam)

    def _scanned(self, scores: NDArray[np.float32], greedy: bool) -> Scan:
        sure = self._form.probabilities
        if greedy or self._beam is None:
            return Scan(len(scores), spans=greedy_spans(scores, probabilities=sure))
        return Scan(len(scores), columns=self._beam.columns(scores, probabilities=sure))

    def _run(self, strips: Sequence[Strip], stop: Stop | None) -> NDArray[np.float32]:
        (name,) = self._session.input_names
        batch = strips_to_batch([strip.pixels for strip in strips], self._form.canvas)
        logits = self._session.run({name: batch}, stop=stop)[0]
        if logits.ndim != 3 or logits.shape[2] != len(self._charset):
            raise IncompatibleModel(
                f"{self.name}: the head has {logits.shape[-1]} classes, "
                f"the charset {len(self._charset)}"
            )
        return logits

    def _reading(self, spans: list[Span], columns: int, calibration: Calibration) -> Reading:
        kept = self._trim(spans)
        if not kept:
            return Reading("", 0.0, ())
        texts = part_units([self._charset.symbol(span.class_id) for span in kept])
        symbols = tuple(
            _symbol(text, span, columns, calibration)
            for text, span in zip(texts, kept, strict=True)
        )
        product = math.prod(span.confidence for span in kept)
        text = "".join(symbol.text for symbol in symbols)
        return Reading(text, calibration.line(product), symbols)

    def _trim(self, spans: list[Span]) -> list[Span]:
        """Drop spaces at both ends: they say something of the crop, not of the text."""
        inked = [k for k, s in enumerate(spans) if self._charset.symbol(s.class_id) != " "]
        return spans[inked[0] : inked[-1] + 1] if inked else []


def _symbol(text: str, span: Span, columns: int, calibration: Calibration) -> Symbol:
    sure = calibration.symbol(span.confidence)
    return Symbol(text, sure, span.first / columns, min(1.0, span.end / columns))


def _batches(bucket_of: dict[int, int]) -> list[list[int]]:
    """Group items of equal bucket, each group within the budget of columns."""
    buckets: dict[int, list[int]] = {}
    for key, bucket in bucket_of.items():
        buckets.setdefault(bucket, []).append(key)
    groups = []
    for bucket, keys in sorted(buckets.items()):
        size = max(1, BATCH_COLUMNS // bucket)
        groups += [keys[k : k + size] for k in range(0, len(keys), size)]
    return groups
