"""A second look: a larger recognizer reads again what the small one doubts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shizi.core.errors import OptionError, ShiziError
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.core.pixels import GrayImage, RgbImage
from shizi.engine.spaces import with_spaces_of
from shizi.models.recognizer import Decoding, Reading
from shizi.text.lexicon import Lexicon
from shizi.text.ngram import NgramModel

Crop = RgbImage | GrayImage
Answer = Reading | ShiziError
_DEFAULT_DECODING = Decoding()


class LineRecognizer(Protocol):
    """Reads lines, alone or in batches with others'; see `Recognizer`."""

    name: str
    version: str

    def recognize(
        self, crops: Sequence[Crop], decoding: Decoding = _DEFAULT_DECODING, /
    ) -> list[Answer]:
        """Read upright line crops; see `Recognizer.recognize`."""
        ...

    def relax(self) -> None:
        """Forget what is only known for speed."""
        ...


@dataclass(frozen=True, slots=True)
class Looks:
    """Who reads the lines of one call.

    Attributes:
        first: reads every line.
        second: reads again what `first` doubts; None for nobody.
        doubt: lines less likely to be right than this are doubted.
        decoding: how both turn scores into text.
    """

    first: LineRecognizer
    second: LineRecognizer | None = None
    doubt: float = 0.0
    decoding: Decoding = _DEFAULT_DECODING

    @property
    def name(self) -> str:
        """Names of the recognizers, the first one first."""
        return f"{self.first.name}+{self.second.name}" if self.second else self.first.name

    @property
    def version(self) -> str:
        """Version of the first recognizer."""
        return self.first.version

    def recognize(self, crops: Sequence[Crop]) -> list[Answer]:
        """Read crops, doubted ones twice; see `Recognizer.recognize`."""
        return self.again(crops, self.look(crops))

    def look(self, crops: Sequence[Crop]) -> list[Answer]:
        """Read crops once; see `Recognizer.recognize`."""
        return self.first.recognize(crops, self.decoding)

    def again(self, crops: Sequence[Crop], answers: Sequence[Answer]) -> list[Answer]:
        """Read doubted crops again.

        Args:
            crops: that were read.
            answers: of the first recognizer, one a crop.

        Returns:
            The second recognizer's answers in place of the doubted ones, with the first one's
            spaces; where it reads nothing, the first one's stay.

        Raises:
            ModelError: the second recognizer failed as a whole.
        """
        kept = list(answers)
        if self.second is None:
            return kept
        doubted = [k for k, answer in enumerate(answers) if self._doubts(answer)]
        again = self.second.recognize([crops[k] for k in doubted], self.decoding)
        for k, answer in zip(doubted, again, strict=True):
            if isinstance(answer, Reading) and answer.text:
                kept[k] = _settled(answers[k], answer)
        return kept

    def _doubts(self, answer: Answer) -> bool:
        return not isinstance(answer, Reading) or answer.confidence < self.doubt


def _settled(first: Answer, second: Reading) -> Reading:
    return with_spaces_of(first, second) if isinstance(first, Reading) else second


class LooksByEffort:
    """The recognizers of a reader; the large one is loaded when it is first asked for.

    Args:
        first: the reader's own recognizer.
        open_second: loads the large one.
        language: gives what stands for the characters of a user's words.
    """

    def __init__(
        self,
        first: LineRecognizer,
        open_second: Callable[[], LineRecognizer],
        language: NgramModel,
    ) -> None:
        self._first = first
        self._language = language
        self._open_second = open_second
        self._second: LineRecognizer | None = None
        self._lock = threading.Lock()

    def choose(self, options: ReadOptions) -> Looks:
        """Give who reads the lines of a call.

        Raises:
            OptionError: the doubt is no probability, or the words cannot be used.
            ModelError: the large recognizer is missing or damaged.
        """
        if not 0 <= options.doubt <= 1:
            raise OptionError(f"doubt is {options.doubt}; it is a probability, 0 to 1")
        decoding = self._decoding(options)
        if options.effort is Effort.FAST:
            return Looks(self._first, decoding=decoding)
        if options.effort is Effort.ACCURATE:
            return Looks(self._large(), decoding=decoding)
        return Looks(self._first, self._large(), options.doubt, decoding)

    def relax(self) -> None:
        """Forget what is only known for speed."""
        for recognizer in (self._first, self._second):
            if recognizer is not None:
                recognizer.relax()

    def _decoding(self, options: ReadOptions) -> Decoding:
        greedy = options.decoder is Decoder.GREEDY
        if not options.words:
            return Decoding(greedy)
        if greedy:
            raise OptionError("the greedy decoder takes no words; use the decoder beam")
        return Decoding(lexicon=Lexicon(options.words, self._language.code))

    def _large(self) -> LineRecognizer:
        with self._lock:
            if self._second is None:
                self._second = self._open_second()
            return self._second
