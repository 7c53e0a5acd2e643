"""Reads crops of text lines: one network, one charset, no memory between calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import CorruptImage, IncompatibleModel, ShiziError
from shizi.core.types import GrayImage, RgbImage
from shizi.imaging.lines import (
    LINE_HEIGHT,
    bucket_width,
    line_to_gray,
    line_to_rgb,
    strips_to_batch,
)
from shizi.models.calibration import Calibration, Calibrations
from shizi.models.session import Session
from shizi.text.beam import BeamDecoder
from shizi.text.charset import Charset
from shizi.text.ctc import Column, Span, greedy_spans
from shizi.text.lexicon import Lexicon

# Columns of pixels a batch may hold: ten thousand scores every four pixels are what costs memory.
BATCH_COLUMNS = 1280


@dataclass(frozen=True, slots=True)
class LineForm:
    """How a network takes lines and gives scores.

    Attributes:
        height: rows of a strip.
        color: whether strips keep their colors.
        stride: columns of pixels a column of scores.
        probabilities: whether the scores are probabilities already.
    """

    height: int = LINE_HEIGHT
    color: bool = False
    stride: int = 4
    probabilities: bool = False


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


class Recognizer:
    """A recognizer on one session; threads may share it.

    Attributes:
        name: of the model.
    """

    def __init__(
        self,
        session: Session,
        charset: Charset,
        name: str,
        form: LineForm | None = None,
        beam: BeamDecoder | None = None,
        calibrations: Calibrations | None = None,
    ) -> None:
        """Bind a session to the charset of its head.

        Args:
            session: of the network.
            charset: symbols of its classes.
            name: of the model.
            form: how it takes lines; None for our own networks.
            beam: decodes with a language model; None leaves greedy decoding.
            calibrations: what its probabilities are worth; None takes them at their word.

        Raises:
            IncompatibleModel: the model's metadata name another charset.
        """
        self.name = name
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
            affects its neighbours; a line's reading is bit-equal whatever it is read with.

        Raises:
            ModelError: the session failed as a whole.
        """
        answers: list[Reading | ShiziError | None] = [None] * len(crops)
        strips: dict[int, GrayImage] = {}
        for k, crop in enumerate(crops):
            if crop.size == 0 or crop.dtype != np.uint8:
                answers[k] = CorruptImage("a line crop is empty or not 8-bit")
            else:
                strips[k] = self._strip(crop)
        beam = None if decoding.greedy else self._beam
        columns: dict[int, list[Column]] = {}
        for batch in _batches({k: strip.shape[1] for k, strip in strips.items()}):
            logits = self._run([strips[k] for k in batch])
            for k, padded in zip(batch, logits, strict=True):
                # What lies on the strip, not on its padding.
                scores = padded[: -(-strips[k].shape[1] // self._form.stride)]
                if beam is None:
                    answers[k] = self._greedy(scores)
                else:
                    columns[k] = beam.columns(scores, probabilities=self._form.probabilities)
        # After all runs of the network: beside them the search would find nothing in the caches.
        if beam is not None:
            for k, left in columns.items():
                spans = beam.search(left, decoding.lexicon)
                answers[k] = self._reading(spans, len(left), self._calibrations.beam)
        return [answer for answer in answers if answer is not None]

    def _strip(self, crop: RgbImage | GrayImage) -> RgbImage | GrayImage:
        if self._form.color:
            return line_to_rgb(crop, self._form.height)
        return line_to_gray(crop, self._form.height)

    def _run(self, strips: list[GrayImage]) -> NDArray[np.float32]:
        (name,) = self._session.input_names
        logits = self._session.run({name: strips_to_batch(strips)})[0]
        if logits.ndim != 3 or logits.shape[2] != len(self._charset):
            raise IncompatibleModel(
                f"{self.name}: the head has {logits.shape[-1]} classes, "
                f"the charset {len(self._charset)}"
            )
        return logits

    def _greedy(self, scores: NDArray[np.float32]) -> Reading:
        spans = greedy_spans(scores, probabilities=self._form.probabilities)
        return self._reading(spans, len(scores), self._calibrations.greedy)

    def _reading(self, spans: list[Span], columns: int, calibration: Calibration) -> Reading:
        kept = self._trim(spans)
        if not kept:
            return Reading("", 0.0, ())
        symbols = tuple(self._symbol(span, columns, calibration) for span in kept)
        product = math.prod(span.confidence for span in kept)
        text = "".join(symbol.text for symbol in symbols)
        return Reading(text, calibration.line(product), symbols)

    def _symbol(self, span: Span, columns: int, calibration: Calibration) -> Symbol:
        text = self._charset.symbol(span.class_id)
        sure = calibration.symbol(span.confidence)
        return Symbol(text, sure, span.first / columns, min(1.0, span.end / columns))

    def _trim(self, spans: list[Span]) -> list[Span]:
        """Drop spaces at both ends: they say something of the crop, not of the text."""
        inked = [k for k, s in enumerate(spans) if self._charset.symbol(s.class_id) != " "]
        return spans[inked[0] : inked[-1] + 1] if inked else []


def _batches(widths: dict[int, int]) -> list[list[int]]:
    """Group items of equal bucket, each group within the budget of columns."""
    buckets: dict[int, list[int]] = {}
    for key, width in widths.items():
        buckets.setdefault(bucket_width(width), []).append(key)
    groups = []
    for bucket, keys in sorted(buckets.items()):
        size = max(1, BATCH_COLUMNS // bucket)
        groups += [keys[k : k + size] for k in range(0, len(keys), size)]
    return groups
