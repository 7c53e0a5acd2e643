"""What the processes of the service may take, so that all of them together keep to a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shizi.core.config import Settings
from shizi.core.errors import ConfigError

# Measured with the bundled models, every process warm and no page in work; the engine's own share.
FIXED_BYTES = 245_000_000
ENGINE_BYTES = 140_000_000
# What a run of the detector takes for a pixel, and what a page in work takes for one: it is
# decoded, mapped, prepared and cut into lines.
_RUN_BYTES = 115
_PAGE_BYTES = 9
_LEAST_PIECE_PIXELS = 200_000
_LEAST_PAGE_PIXELS = 1_500_000
# A place is worth having when it can take a page of this many pixels.
_PLACE_PIXELS = 6_000_000
_DECODE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Allowance:
    """What follows from the budget, or from the machine where there is none.

    Attributes:
        places: pages worked on at once.
        page_pixels: a larger page is reduced to it.
        piece_pixels: of a run of the detector.
        max_pixels: a page with more is refused.
        engine_bytes: an engine that takes more is replaced; 0 for any.
    """

    places: int
    page_pixels: int
    piece_pixels: int
    max_pixels: int
    engine_bytes: int


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
        return Allowance(
            places,
            reader.page_pixels,
            reader.piece_pixels,
            settings.limits.max_pixels,
            engine.most_memory,
        )
    free = engine.memory_budget - FIXED_BYTES
    least = _LEAST_PIECE_PIXELS * _RUN_BYTES + _LEAST_PAGE_PIXELS * _PAGE_BYTES
    if free < least:
        wanted = math.ceil((FIXED_BYTES + least) / (1 << 20))
        raise ConfigError(
            f"engine.memory_budget is {engine.memory_budget / (1 << 20):.0f} MiB; "
            f"the service takes at least {wanted} MiB"
        )
    piece = min(reader.piece_pixels, max(_LEAST_PIECE_PIXELS, free // 2 // _RUN_BYTES))
    pages = free - piece * _RUN_BYTES
    places = max(1, min(places, pages // (_PLACE_PIXELS * _PAGE_BYTES)))
    page_pixels = min(reader.page_pixels, pages // places // _PAGE_BYTES)
    return Allowance(
        places,
        page_pixels,
        piece,
        min(settings.limits.max_pixels, max(page_pixels, pages // _DECODE_BYTES)),
        ENGINE_BYTES + free,
    )
