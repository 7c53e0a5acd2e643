"""What the processes of the service may take, so that all of them together keep to a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shizi.core.config import Settings
from shizi.core.errors import ConfigError
from shizi.core.options import Effort
from shizi.engine.plans import BATCH_COLUMNS

# Measured with the bundled models: every process warm, no page in work, the networks' arena apart,
# no library shared with another program; 205 million and some reserve. The engine's own share, 90
# million, with what it was seen to keep: one replaced too early helps nobody.
FIXED_BYTES = 225_000_000
ENGINE_BYTES = 130_000_000
# The process that works jobs, where the service takes them.
JOBS_BYTES = 20_000_000
# The process that takes releases along, and what the others keep of their state.
RELEASE_BYTES = 25_000_000
# The larger recognizer, where the service reads with it by default.
SECOND_BYTES = 70_000_000
# What a run of the detector takes for a pixel (150) of its piece, which with what it sees beyond
# its own part is up to a quarter larger; a batch of lines for a column; and a page in work for a
# pixel: it is decoded, handed over, prepared, enlarged and cut into lines.
RUN_BYTES = 190
COLUMN_BYTES = 12_000
PAGE_BYTES = 22
_LEAST_PIECE_PIXELS = 150_000
_LEAST_PAGE_PIXELS = 1_500_000
# The weights are in the networks' block too, and between what runs take are gaps.
_SPARE_BYTES = 6_000_000
# With a budget, so much of what is free is the detector's, and batches are half as large.
_PIECE_SHARE = 0.4
_BATCH_COLUMNS = 640
# A place is worth having when it can take a page of this many pixels.
_PLACE_PIXELS = 6_000_000
_DECODE_BYTES = 7
_THREADS = 16
_HELD_SHARE = 16
_HEAP_BYTES = 16 << 20
_SMALL_HEAP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Allowance:
    """What follows from the budget, or from the machine where there is none.

    Attributes:
        places: pages worked on at once.
        page_pixels: a larger page is reduced to it.
        piece_pixels: of a run of the detector.
        batch_columns: of a batch of lines.
        threads: requests held at once.
        held_bytes: of the bodies of requests that wait.
        heap_bytes: freed blocks of this size go back to the system at once. Smaller ones cost
            less memory and, to take them anew, a quarter more time.
        max_pixels: a page with more is refused.
        engine_bytes: an engine that takes more is replaced; 0 for any.
        version_bytes: kept for one more version of the recognizer, what it works on left out; 0
            for none, or where there is no budget.
        arena_bytes: of the first step of the networks' memory; 0 for a small one.
    """

    places: int
    page_pixels: int
    piece_pixels: int
    batch_columns: int
    threads: int
    held_bytes: int
    heap_bytes: int
    max_pixels: int
    engine_bytes: int
    version_bytes: int = 0
    arena_bytes: int = 0


def allow(settings: Settings, cpus: float) -> Allowance:
    """Derive what the service may work on at once.

    Args:
        settings: resolved; what they say is never exceeded.
        cpus: processors it may use.

    Raises:
        ConfigError: the budget does not hold the processes themselves.
    """
    engine, reader = settings.engine, settings.reader
    places = engine.places or max(1, round(cpus))
    if not engine.memory_budget:
        return _allow_all(settings, places)
    second = 0 if reader.effort is Effort.FAST else SECOND_BYTES
    batches = _BATCH_COLUMNS * COLUMN_BYTES
    more = ENGINE_BYTES + SECOND_BYTES if engine.versions > 1 else 0
    jobs = JOBS_BYTES if settings.jobs.enabled else 0
    releases = RELEASE_BYTES if settings.releases.store else 0
    fixed = FIXED_BYTES + jobs + releases + second + more
    # Engines work at the same time: what is free is shared by them.
    free = (engine.memory_budget - fixed) // engine.versions - batches
    least = _LEAST_PIECE_PIXELS * RUN_BYTES + _LEAST_PAGE_PIXELS * PAGE_BYTES
    if free < least:
        wanted = math.ceil((fixed + engine.versions * (batches + least)) / (1 << 20))
        raise ConfigError(
            f"engine.memory_budget is {engine.memory_budget / (1 << 20):.0f} MiB; "
            f"the service takes at least {wanted} MiB"
        )
    piece = min(reader.piece_pixels, max(_LEAST_PIECE_PIXELS, int(free * _PIECE_SHARE / RUN_BYTES)))
    pages = free - piece * RUN_BYTES
    places = max(1, min(places, pages // (_PLACE_PIXELS * PAGE_BYTES)))
    page_pixels = min(reader.page_pixels, pages // places // PAGE_BYTES)
    return Allowance(
        places=places,
        page_pixels=page_pixels,
        piece_pixels=piece,
        batch_columns=_BATCH_COLUMNS,
        threads=min(settings.server.threads, _THREADS),
        held_bytes=min(settings.server.max_held_bytes, engine.memory_budget // _HELD_SHARE),
        heap_bytes=_SMALL_HEAP_BYTES,
        max_pixels=min(settings.limits.max_pixels, max(page_pixels, pages // _DECODE_BYTES)),
        engine_bytes=ENGINE_BYTES + max(second, SECOND_BYTES if more else 0) + free,
        version_bytes=more,
        arena_bytes=piece * RUN_BYTES + batches + _SPARE_BYTES,
    )


def _allow_all(settings: Settings, places: int) -> Allowance:
    """Leave everything to the settings, where there is no budget."""
    return Allowance(
        places,
        settings.reader.page_pixels,
        settings.reader.piece_pixels,
        BATCH_COLUMNS,
        settings.server.threads,
        settings.server.max_held_bytes,
        _HEAP_BYTES,
        settings.limits.max_pixels,
        settings.engine.most_memory,
    )
