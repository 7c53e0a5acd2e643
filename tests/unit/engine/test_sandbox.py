"""Decoding in processes that may die: nothing is lost, and nothing dies twice."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import (
    CorruptImage,
    DeadlineExceeded,
    InputError,
    OptionError,
    Quarantined,
    TooLarge,
    UnsupportedFormat,
)
from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Page
from shizi.engine.plans import DecoderOptions, DecodersPlan
from shizi.engine.programs import program_command
from shizi.engine.sandbox import Sandbox
from shizi.imaging.decode import open_document
from tests.program import environment
from tests.waiting import until

LONG_S = 60.0
OPTIONS, LIMITS = DecodeOptions(), Limits()


@dataclass(frozen=True)
class Decoders:
    socket: Path
    mother: subprocess.Popen[bytes]

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.mother.pid}/task/{self.mother.pid}/children")
        return [int(pid) for pid in tasks.read_text().split()]


@contextmanager
def decoding(folder: Path, **options: Any) -> Iterator[Decoders]:
    """Run decoders, as the supervisor does."""
    reading, writing = os.pipe()
    plan = DecodersPlan(str(folder / "decoders.sock"), DecoderOptions(**options))
    program = program_command("shizi.engine.decoders", writing, plan)
    with subprocess.Popen(program, env=environment(), pass_fds=[writing]) as mother:
        os.close(writing)
        assert os.read(reading, 100) == b"ok"
        os.close(reading)
        yield Decoders(folder / "decoders.sock", mother)
        mother.terminate()
        assert mother.wait(LONG_S) == 0


@pytest.fixture
def decoders(tmp_path: Path) -> Iterator[Decoders]:
    with decoding(tmp_path, children=1) as running:
        yield running


def _picture(*sizes: tuple[int, int], kind: str = "TIFF") -> bytes:
    rng = np.random.default_rng(3)
    pages = [
        Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        for width, height in sizes
    ]
    file = io.BytesIO()
    pages[0].save(file, kind, save_all=True, append_images=pages[1:])
    return file.getvalue()


@pytest.fixture(scope="module")
def costly() -> bytes:
    """A quarter of a megabyte that takes seconds, and 300 MB, to decode."""
    picture = Image.radial_gradient("L").resize((9_900, 9_900)).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "WEBP", method=0)
    return file.getvalue()


def _same(page: Page, other: Page) -> bool:
    return np.array_equal(page.image, other.image) and (
        page.number,
        page.frame,
        page.size,
        page.notices,
    ) == (other.number, other.frame, other.size, other.notices)


def test_pages_are_those_of_the_decoder_itself(decoders: Decoders) -> None:
    data = _picture((90, 60), (3000, 10), (10, 2000))
    small = DecodeOptions(page_pixels=10_000)
    sandbox = Sandbox(decoders.socket)

    for options in (OPTIONS, small, DecodeOptions(first_page=2, last_page=2)):
        pages = list(sandbox.open_document(data, options, LIMITS))
        expected = list(open_document(data, options, LIMITS))
        assert len(pages) == len(expected)
        assert all(map(_same, pages, expected))


@pytest.mark.parametrize(
    ("data", "options", "limits", "error"),
    [
        (b"only words", OPTIONS, LIMITS, UnsupportedFormat),
        (b"", OPTIONS, LIMITS, InputError),
        (_picture((40, 40), kind="PNG")[:200], OPTIONS, LIMITS, CorruptImage),
        (_picture((40, 40)), OPTIONS, Limits(max_pixels=100), TooLarge),
        (_picture((40, 40)), DecodeOptions(first_page=7), LIMITS, OptionError),
    ],
)
def test_errors_are_those_of_the_decoder_itself(
    decoders: Decoders,
    data: bytes,
    options: DecodeOptions,
    limits: Limits,
    error: type[Exception],
) -> None:
    with pytest.raises(error) as here:
        list(open_document(data, options, limits))
    with pytest.raises(error) as there:
        list(Sandbox(decoders.socket).open_document(data, options, limits))

    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_decoder_that_dies_between_pages_is_replaced_and_no_page_is_lost(
    decoders: Decoders, after: int
) -> None:
    data = _picture((30, 20), (40, 20), (50, 20))
    lost: list[str] = []
    sandbox = Sandbox(decoders.socket, count=lost.append)
    widths = []
    for page in sandbox.open_document(data, OPTIONS, LIMITS):
        widths.append(page.image.shape[1])
        if page.number == after:
            os.kill(decoders.children()[0], signal.SIGKILL)

    assert widths == [30, 40, 50]
    assert lost == ["decoder_lost"]


def test_an_input_that_ends_two_decoders_is_not_tried_a_third_time(
    decoders: Decoders, costly: bytes
) -> None:
    """Hardly any processor time is allowed: the kernel ends the child within the page."""
    lost: list[str] = []
    sandbox = Sandbox(decoders.socket, page_s=0.0, count=lost.append)

    for _ in range(3):
        with pytest.raises(Quarantined, match="ended the decoder 2 times"):
            list(sandbox.open_document(costly, OPTIONS, LIMITS))
    assert lost == ["decoder_lost"] * 2
    healthy = Sandbox(decoders.socket)
    assert len(list(healthy.open_document(_picture((30, 20)), OPTIONS, LIMITS))) == 1


def test_a_page_that_takes_too_long_for_its_call_is_given_up(
    decoders: Decoders, costly: bytes
) -> None:
    sandbox = Sandbox(decoders.socket)
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded), under(Terms(Deadline.after(0.3))):
        list(sandbox.open_document(costly, OPTIONS, LIMITS))

    assert time.monotonic() - before < LONG_S
    assert len(list(sandbox.open_document(_picture((30, 20)), OPTIONS, LIMITS))) == 1


def test_a_child_is_replaced_after_its_inputs(tmp_path: Path) -> None:
    with decoding(tmp_path, children=1, inputs=2) as decoders:
        sandbox = Sandbox(decoders.socket)
        seen = []
        for _ in range(6):
            list(sandbox.open_document(_picture((30, 20)), OPTIONS, LIMITS))
            seen += decoders.children()

    assert len(set(seen)) >= 3


def test_a_child_that_has_worked_and_waits_is_replaced(tmp_path: Path) -> None:
    data = _picture((40, 30))
    with decoding(tmp_path, children=2, rest_s=0.5) as decoders:
        fresh = set(decoders.children())
        assert len(list(Sandbox(decoders.socket).open_document(data, OPTIONS, LIMITS))) == 1
        end = time.monotonic() + LONG_S
        while len(set(decoders.children()) - fresh) < 1 and time.monotonic() < end:
            time.sleep(0.05)

        # The one that never worked waits on.
        assert len(fresh & set(decoders.children())) == 1
        assert len(list(Sandbox(decoders.socket).open_document(data, OPTIONS, LIMITS))) == 1


def test_a_child_may_not_take_all_memory(tmp_path: Path, costly: bytes) -> None:
    with decoding(tmp_path, children=1, memory_bytes=64 << 20) as decoders:
        sandbox = Sandbox(decoders.socket)
        with pytest.raises((CorruptImage, Quarantined)):
            list(sandbox.open_document(costly, OPTIONS, LIMITS))

        assert len(list(sandbox.open_document(_picture((30, 20)), OPTIONS, LIMITS))) == 1


def test_a_caller_that_stops_half_way_frees_the_decoder(decoders: Decoders) -> None:
    sandbox = Sandbox(decoders.socket)
    pages = sandbox.open_document(_picture((30, 20), (40, 20)), OPTIONS, LIMITS)
    assert next(pages).number == 1
    pages.close()

    assert len(list(sandbox.open_document(_picture((30, 20)), OPTIONS, LIMITS))) == 1


def test_no_decoder_outlives_its_mother(tmp_path: Path) -> None:
    with decoding(tmp_path, children=2) as decoders:
        children = decoders.children()
        assert len(children) == 2
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
