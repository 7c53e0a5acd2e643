"""Many pages at once read what each alone reads, bit for bit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import DeadlineExceeded
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.core.pixels import RgbImage
from shizi.core.types import PageResult
from shizi.engine.batcher import BatchReport
from shizi.engine.reader import Reader
from shizi.engine.sharing import Sharing
from shizi.engine.watch import Watch
from shizi.models.session import OrtSession
from tests.program import RECEIPT

LONG_S = 60.0


def _page(k: int) -> RgbImage:
    page = Image.new("RGB", (300 + 40 * k, 220), "white")
    draw = ImageDraw.Draw(page)
    for row in range(3):
        text = f"Page {k + 1} row {row + 1} " + "x" * (3 * row)
        draw.text((20, 60 * row + 20), text, "black", ImageFont.load_default(24 + k))
    return np.asarray(page, np.uint8)


def _content(pages: list[PageResult]) -> list[object]:
    return [(page.lines, page.notices, page.model) for page in pages]


def test_pages_read_together_are_read_as_alone() -> None:
    reports: list[tuple[str, BatchReport]] = []
    watch = Watch(lambda: None)
    sharing = Sharing(watch, 1, lambda name, report: reports.append((name, report)))
    together = Reader(threads=1, sharing=sharing)
    alone = Reader(threads=1)
    tasks = [
        (source, options)
        for source in (*map(_page, range(5)), RECEIPT)
        for options in (
            ReadOptions(characters=True),
            ReadOptions(decoder=Decoder.GREEDY),
        )
    ]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda task: together.read(*task), tasks))
    sharing.close()
    watch.close()

    for (source, options), pages in zip(tasks, answers, strict=True):
        assert _content(pages) == _content(alone.read(source, options))
    assert {name for name, _ in reports} == {"crnn-s"}
    assert max(report.items for _, report in reports) > 1


def test_the_large_recognizer_reads_the_same_text_in_any_company() -> None:
    """Its sums differ in the sixth decimal with the size of a batch; its texts do not."""
    watch = Watch(lambda: None)
    sharing = Sharing(watch, 1, lambda *_: None)
    together, alone = Reader(threads=1, sharing=sharing), Reader(threads=1)
    options = ReadOptions(effort=Effort.ACCURATE)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda k: together.read(_page(k), options), range(4)))
    sharing.close()
    watch.close()

    for k, (page,) in enumerate(answers):
        (expected,) = alone.read(_page(k), options)
        assert [line.text for line in page.lines] == [line.text for line in expected.lines]
        for line, other in zip(page.lines, expected.lines, strict=True):
            assert line.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_a_call_without_time_leaves_the_others_alone() -> None:
    watch = Watch(lambda: None)
    sharing = Sharing(watch, 1, lambda *_: None)
    reader = Reader(threads=1, sharing=sharing)

    def read(k: int) -> list[PageResult]:
        with under(Terms(Deadline.after(LONG_S if k % 2 else 0.01 * k))):
            return reader.read(_page(k))

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(read, k) for k in range(8)]
    sharing.close()
    watch.close()

    assert isinstance(futures[0].exception(), DeadlineExceeded)
    for k in (1, 3, 5, 7):
        (page,) = futures[k].result()
        assert page.text.startswith(f"Page {k + 1} row 1")


def test_an_empty_line_and_no_line_are_no_fault() -> None:
    watch = Watch(lambda: None)
    sharing = Sharing(watch, 1, lambda *_: None)
    reader = Reader(threads=1, sharing=sharing)

    assert reader.recognize([]) == []
    (error,) = reader.recognize([np.zeros((0, 4), np.uint8)])
    assert isinstance(error, Exception)
    (page,) = reader.read(np.full((80, 80), 255, np.uint8))
    assert page.lines == ()
    with pytest.raises(DeadlineExceeded), under(Terms(Deadline(0.0))):
        reader.recognize([_page(1)[10:50]])
    sharing.close()
    watch.close()


def test_in_turns_no_two_networks_run_at_once() -> None:
    watch = Watch(lambda: None)
    inside, most, lock = 0, 0, threading.Lock()
    sharing = Sharing(watch, 1, lambda *_: None, 640, in_turns=True)
    reader = Reader(threads=1, sharing=sharing)

    def counted(run: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            try:
                return run(*args, **kwargs)
            finally:
                with lock:
                    inside -= 1

        return inner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OrtSession, "run", counted(OrtSession.run))
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(reader.read, map(_page, range(5))))
    sharing.close()
    watch.close()

    alone = Reader(threads=1)
    assert most == 1
    for k, pages in enumerate(answers):
        assert _content(pages) == _content(alone.read(_page(k)))
