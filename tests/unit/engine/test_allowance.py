"""What may be worked on at once, with and without a budget of memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.core.config import EngineSettings, Settings
from shizi.core.errors import ConfigError
from shizi.core.options import DetectOptions, Effort
from shizi.engine.allowance import (
    COLUMN_BYTES,
    FIXED_BYTES,
    PAGE_BYTES,
    RUN_BYTES,
    Allowance,
    allow,
)
from shizi.models.detector import Detector
from shizi.models.session import FakeSession

MIB = 1 << 20


def _with(**engine: int) -> Settings:
    return replace(Settings(), engine=replace(EngineSettings(), **engine))  # type: ignore[arg-type]


def test_without_a_budget_the_machine_and_the_settings_decide() -> None:
    settings = _with(most_memory=5)

    assert allow(settings, 2.0) == Allowance(
        places=2,
        page_pixels=24_000_000,
        piece_pixels=600_000,
        batch_columns=1280,
        threads=128,
        held_bytes=200_000_000,
        heap_bytes=16 << 20,
        max_pixels=100_000_000,
        engine_bytes=5,
    )
    assert allow(_with(places=7), 2.0).places == 7
    assert allow(settings, 0.5).places == 1


def test_a_small_budget_takes_one_page_at_a_time_and_smaller_ones() -> None:
    small = allow(_with(memory_budget=300 * MIB), 2.0)

    assert small.places == 1
    assert small.piece_pixels < 600_000
    assert 1_500_000 <= small.page_pixels < 24_000_000
    assert small.max_pixels >= small.page_pixels
    assert small.held_bytes < 20 * MIB


def test_a_budget_that_does_not_hold_the_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"memory_budget is 200 MiB; .* at least 300 MiB"):
        allow(_with(memory_budget=200 * MIB), 2.0)


def test_the_larger_recognizer_has_its_place_where_it_reads_by_default() -> None:
    fast = _with(memory_budget=400 * MIB)
    balanced = replace(fast, reader=replace(fast.reader, effort=Effort.BALANCED))

    assert allow(balanced, 2.0).page_pixels < allow(fast, 2.0).page_pixels
    with pytest.raises(ConfigError, match="at least 3"):
        allow(replace(balanced, engine=replace(fast.engine, memory_budget=300 * MIB)), 2.0)


@given(st.integers(300 * MIB, 8_000 * MIB), st.integers(1, 64))
def test_what_is_allowed_fits_the_budget(budget: int, cpus: int) -> None:
    allowed = allow(_with(memory_budget=budget), float(cpus))

    runs = allowed.piece_pixels * RUN_BYTES + allowed.batch_columns * COLUMN_BYTES
    pages = allowed.places * allowed.page_pixels * PAGE_BYTES
    assert FIXED_BYTES + runs + pages <= budget
    assert 1 <= allowed.places <= cpus
    assert allowed.page_pixels <= 24_000_000
    assert allowed.piece_pixels <= 600_000


# What one run was seen to take for a pixel, on the processor that takes the most.
SEEN_RUN_BYTES = 150


@pytest.mark.parametrize("budget", [300 * MIB, 400 * MIB, 1_000 * MIB])
@pytest.mark.parametrize("shape", [(1500, 1500), (400, 4000), (4000, 400), (2449, 2449)])
def test_what_the_detector_runs_fits_its_memory(budget: int, shape: tuple[int, int]) -> None:
    allowed = allow(_with(memory_budget=budget), 2.0)
    session = FakeSession(lambda feeds: [np.zeros_like(feeds["x"][:, :1])])

    options = DetectOptions(piece_pixels=allowed.piece_pixels)
    Detector(session).find_at(np.full((*shape, 3), 255, np.uint8), 1.0, options)

    largest = max(shape["x"][2] * shape["x"][3] for shape in session.shapes)
    assert largest * SEEN_RUN_BYTES <= allowed.arena_bytes
