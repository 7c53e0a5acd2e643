"""The reader: a picture or document in, its text out."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shizi.core.deadline import Deadline, current_terms
from shizi.core.errors import OptionError, ShiziError
from shizi.core.options import DecodeOptions, Limits, ReadOptions
from shizi.core.types import Frame, LineError, Notice, Page, PageResult, TextLine
from shizi.engine.budget import measure_budget
from shizi.engine.layers import layer_lines, uncovered
from shizi.engine.lines import read_lines
from shizi.engine.looks import Crop, LineRecognizer, Looks, LooksByEffort
from shizi.engine.memory import release_memory
from shizi.engine.sharing import Sharing
from shizi.engine.sources import read_file
from shizi.imaging.arrays import array_to_page
from shizi.imaging.prep import check_steps, prepare
from shizi.layout.order import order_lines
from shizi.models.opening import open_detector, open_language_model, open_recognizer
from shizi.models.recognizer import Reading
from shizi.models.store import (
    DEFAULT_DETECTOR,
    DEFAULT_RECOGNIZER,
    SECOND_RECOGNIZER,
    ModelStore,
)

Decode = Callable[[bytes, DecodeOptions, Limits], Generator[Page, None, None]]
Source = str | os.PathLike[str] | bytes | NDArray[Any]

_OPTIONS = ReadOptions()


class Reader:
    """Reads pictures and documents; made once, shared by any number of threads.

    Args:
        recognizer: model that reads lines, a name or name@version; `shizi models list` shows those
            there are.
        threads: of one model run; 0 takes as many as the process may use, up to four.
        models: folder of further models beside the bundled ones.
        sharing: makes many calls at once faster than each alone; None runs each by itself.
        decode: opens documents in a process of its own; None opens them in this one.
        detector: model that finds lines, a name or name@version.

    Raises:
        ModelError: a model is missing or damaged.
        OptionError: `threads` is negative.

    Attributes:
        threads: of one model run.
    """

    def __init__(
        self,
        recognizer: str = DEFAULT_RECOGNIZER,
        threads: int = 0,
        models: Path | None = None,
        sharing: Sharing | None = None,
        decode: Decode | None = None,
        detector: str = DEFAULT_DETECTOR,
    ) -> None:
        if threads < 0:
            raise OptionError(f"threads is {threads}; give 0 to let the reader choose, or more")
        self._decode = decode or _open_here
        store = ModelStore.beside(models)
        self.threads = threads or measure_budget().threads
        wrap = sharing.session if sharing else None
        self._detector = open_detector(store, detector, self.threads, wrap)
        language = open_language_model(store)

        def opened(name: str) -> LineRecognizer:
            alone = open_recognizer(store, name, self.threads, language)
            return sharing.recognizer(alone) if sharing else alone

        self._looks = LooksByEffort(opened(recognizer), lambda: opened(SECOND_RECOGNIZER), language)

    def read(self, source: Source, options: ReadOptions = _OPTIONS) -> list[PageResult]:
        """Read all pages.

        Args:
            source: a path, the bytes of an encoded file, or an array: (H, W) grey, (H, W, 3) RGB
                or (H, W, 4) RGBA in uint8.
            options: not stored; two calls at once may differ.

        Returns:
            One result a page, in the document's order.

        Raises:
            InputError: the input is of no known format, damaged, encrypted or over a limit.
            FileAccessError: the path cannot be read.
            OptionError: an option has an impossible value.
            ModelError: a model failed.
            DeadlineExceeded: the time given ran out; it is looked at between the stages.
        """
        return list(self.read_pages(source, options))

    def read_pages(
        self, source: Source, options: ReadOptions = _OPTIONS
    ) -> Generator[PageResult, None, None]:
        """Read page by page, with one page in memory; see `read`.

        An error rises at the page it concerns. Closing the generator releases the document.
        """
        given = Deadline.after(options.timeout_s)
        check_steps(options.steps or ())
        looks = self._looks.choose(options)
        with closing(self._pages(source, options)) as pages:
            while True:
                started = time.perf_counter()
                # Whoever asks for the next page may give it time of its own.
                deadline = min(given, current_terms().deadline)
                deadline.check("between two pages")
                page = next(pages, None)
                if page is None:
                    return
                clock = _Clock(time.perf_counter() - started, deadline)
                yield self._read_page(page, options, looks, clock)

    def recognize(
        self, crops: Sequence[Crop], options: ReadOptions = _OPTIONS
    ) -> list[Reading | ShiziError]:
        """Read upright lines that were cut out already.

        Args:
            crops: (H, W, 3) RGB or (H, W) grey uint8 each; text runs left to right.
            options: `effort`, `doubt`, `decoder` and `words` count here.

        Returns:
            One entry a crop, same order; a crop that cannot be read yields its error.

        Raises:
            OptionError: an option has an impossible value.
            ModelError: a model failed.
        """
        return self._looks.choose(options).recognize(crops)

    def relax(self) -> None:
        """Give memory that is only kept for speed back to the system, as after the last call.

        The next page takes a few hundredths of a second longer.

        Raises:
            ModelError: a model failed.
        """
        self._looks.relax()
        self._detector.relax()
        release_memory()

    def _pages(self, source: Source, options: ReadOptions) -> Generator[Page, None, None]:
        if isinstance(source, np.ndarray):
            yield array_to_page(source, options.decode, options.limits)
            return
        data = source if isinstance(source, bytes) else read_file(source, options.limits)
        yield from self._decode(data, options.decode, options.limits)

    def _read_page(
        self, page: Page, options: ReadOptions, looks: Looks, clock: _Clock
    ) -> PageResult:
        held = layer_lines(page.layer, characters=options.characters)
        if page.layer is not None and page.layer.whole:
            return PageResult(
                page.number,
                *page.size,
                tuple(order_lines(held)),
                notices=page.notices,
                timing_s=clock.stages(),
                model=looks.name,
            )
        prepared = prepare(page.image, options.steps)
        clock.stop("prepare")
        found = self._detector.find(prepared.image, options.detect)
        clock.stop("detect")
        frame = page.frame.after(prepared.frame)
        quads = uncovered(found.quads, frame, held)
        answers = read_lines(prepared.image, quads, looks, frame, characters=options.characters)
        clock.stop("recognize")
        lines = [line for line in answers if isinstance(line, TextLine) and line.text]
        notices = [*page.notices, *_line_notices(answers, found.dropped, page.number)]
        width, height = page.size
        return PageResult(
            number=page.number,
            width=width,
            height=height,
            lines=tuple(order_lines([*held, *lines])),
            notices=tuple(notices),
            angle_deg=prepared.angle_deg,
            scale=_scale_of(frame),
            steps=prepared.applied,
            timing_s=clock.stages(),
            model=looks.name,
            version=looks.version,
        )


class _Clock:
    """Takes the time of one stage after another; none begins after the deadline."""

    def __init__(self, decode_s: float, deadline: Deadline) -> None:
        self._deadline = deadline
        self._stages = [("decode", decode_s)]
        self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        """End a stage; the next one begins.

        Raises:
            DeadlineExceeded: the time given has run out.
        """
        self._deadline.check(f"after the stage {stage}")
        now = time.perf_counter()
        self._stages.append((stage, now - self._last))
        self._last = now

    def stages(self) -> tuple[tuple[str, float], ...]:
        """Give (stage, seconds) in the order they ran."""
        return tuple(self._stages)


def _open_here(data: bytes, options: DecodeOptions, limits: Limits) -> Generator[Page, None, None]:
    # An engine whose decoders are other processes does without Pillow and PDFium.
    from shizi.imaging.decode import open_document  # noqa: PLC0415

    return open_document(data, options, limits)


def _line_notices(answers: list[TextLine | LineError], dropped: int, page: int) -> Iterator[Notice]:
    failed = [answer.error for answer in answers if isinstance(answer, LineError)]
    if failed:
        detail = f"{len(failed)} lines could not be read, the first because {failed[0].detail}"
        yield Notice("lines_failed", detail, page)
    if dropped:
        yield Notice("lines_dropped", f"{dropped} more lines than the limit were left out", page)


def _scale_of(frame: Frame) -> float:
    """Give pixels worked on over pixels of the original, along x."""
    a, _, _, d, _, _ = frame.matrix
    return 1.0 / math.hypot(a, d)
