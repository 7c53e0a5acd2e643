"""Stand-ins that several folders of tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shizi.core.options import ReadOptions
from shizi.core.types import PageResult, Quad, TextLine
from shizi.text.folding import Folding
from shizi.text.ngram import NgramModel
from shizi.train.language import build_language_model

Answer = Callable[[object, ReadOptions], list[PageResult]]


def one_page(*texts: str, number: int = 1) -> PageResult:
    """Make a page whose lines stand below each other."""
    lines = tuple(
        TextLine(text, 0.9, Quad.from_rect(10, 20 * k, 200, 20 * k + 16))
        for k, text in enumerate(texts)
    )
    return PageResult(number, 320, 240, lines, model="fake")


class FakeReader:
    """Answers every call alike and keeps what it was asked."""

    def __init__(self, answer: list[PageResult] | Exception | Answer | None = None) -> None:
        self.answer = [one_page("识字 Shizi")] if answer is None else answer
        self.calls: list[tuple[object, ReadOptions]] = []

    def read(self, source: object, options: ReadOptions = ReadOptions()) -> list[PageResult]:  # noqa: B008
        self.calls.append((source, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(source, options) if callable(self.answer) else self.answer

    def read_pages(
        self,
        source: object,
        options: ReadOptions = ReadOptions(),  # noqa: B008
    ) -> Iterator[PageResult]:
        yield from self.read(source, options)


def language_of(*lines: str, order: int = 6) -> NgramModel:
    """Make a language model that has seen a few lines."""
    return NgramModel(build_language_model(lines, Folding(), 10_000, order))
