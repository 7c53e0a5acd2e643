"""A second look: a larger recognizer reads again what the small one doubts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shizi.core.errors import OptionError, ShiziError
from shizi.core.options import Effort, ReadOptions
from shizi.core.types import GrayImage, RgbImage
from shizi.engine.spaces import with_spaces_of
from shizi.models.recognizer import Reading, Recognizer

Crop = RgbImage | GrayImage
Answer = Reading | ShiziError


@dataclass(frozen=True, slots=True)
class Looks:
    """Who reads the lines of one call.

    Attributes:
        first: reads every line.
        second: reads again what `first` doubts; None for nobody.
        doubt: lines less likely to be right than this are doubted.
    """

    first: Recognizer
    second: Recognizer | None = None
    doubt: float = 0.0

    @property
    def name(self) -> str:
        """Names of the recognizers, the first one first."""
        return f"{self.first.name}+{self.second.name}" if self.second else self.first.name

    def recognize(self, crops: Sequence[Crop]) -> list[Answer]:
        """Read crops, doubted ones twice; see `Recognizer.recognize`."""
        return self.again(crops, self.first.recognize(crops))

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
        for k, answer in zip(
            doubted, self.second.recognize([crops[k] for k in doubted]), strict=True
        ):
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
    """

    def __init__(self, first: Recognizer, open_second: Callable[[], Recognizer]) -> None:
        self._first = first
        self._open_second = open_second
        self._second: Recognizer | None = None
        self._lock = threading.Lock()

    def choose(self, options: ReadOptions) -> Looks:
        """Give who reads the lines of a call.

        Raises:
            OptionError: the doubt is no probability.
            ModelError: the large recognizer is missing or damaged.
        """
        if not 0 <= options.doubt <= 1:
            raise OptionError(f"doubt is {options.doubt}; it is a probability, 0 to 1")
        if options.effort is Effort.FAST:
            return Looks(self._first)
        if options.effort is Effort.ACCURATE:
            return Looks(self._large())
        return Looks(self._first, self._large(), options.doubt)

    def _large(self) -> Recognizer:
        with self._lock:
            if self._second is None:
                self._second = self._open_second()
            return self._second
