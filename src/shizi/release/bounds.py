"""What counts say, and how surely: intervals, differences, and a sum that watches for a change."""

from __future__ import annotations

import math

CEILING = 0.95
"""No rate of failures is assumed to be higher."""


def wilson(hits: int, samples: int, z: float) -> tuple[float, float]:
    """Give the interval a rate lies in.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927: it holds
    for few samples and for rates near 0, where the usual one fails.

    Args:
        hits: of the samples.
        samples: 0 for none; the rate may be anything then.
        z: half width in standard deviations; 2.58 for 99 %.
    """
    if samples <= 0:
        return 0.0, 1.0
    rate, square = hits / samples, z * z
    center = rate + square / (2 * samples)
    half = z * math.sqrt(rate * (1 - rate) / samples + square / (4 * samples * samples))
    whole = 1 + square / samples
    return max(0.0, (center - half) / whole), min(1.0, (center + half) / whole)


def least_rise(
    hits: int, samples: int, base_hits: int, base_samples: int, z: float
) -> float | None:
    """Give by how much one rate is surely above another; None without samples.

    Newcombe, "Interval estimation for the difference between independent proportions", 1998,
    method 10.
    """
    if samples <= 0 or base_samples <= 0:
        return None
    rate, base = hits / samples, base_hits / base_samples
    low, _ = wilson(hits, samples, z)
    _, base_high = wilson(base_hits, base_samples, z)
    return rate - base - math.hypot(rate - low, base_high - base)


def mean_and_error(total: float, squares: float, samples: int) -> tuple[float, float]:
    """Give a mean and its standard error; an error of infinity for fewer than two samples."""
    if samples < 2:
        return (total if samples else 0.0), math.inf
    mean = total / samples
    variance = max(0.0, squares / samples - mean * mean) * samples / (samples - 1)
    return mean, math.sqrt(variance / samples)


def climb(height: float, faults: int, samples: int, healthy: float, sick: float) -> float:
    """Carry a cumulative sum over further samples, and never below 0.

    Page, "Continuous inspection schemes", 1954, with log-likelihood ratios: the sum falls while
    faults come at the healthy rate and rises when they come at the sick one. Samples counted since
    the last look have lost their order; their faults are taken to have come evenly.

    Args:
        height: of the sum before.
        faults: of the samples.
        samples: new ones.
        healthy: rate that is well.
        sick: rate that is not; above `healthy`.
    """
    up = math.log(sick / healthy)
    down = math.log((1 - healthy) / (1 - sick))
    successes = samples - faults
    if not faults:
        return max(0.0, height - successes * down)
    between = successes / (faults + 1) * down
    for _ in range(faults):
        height = max(0.0, height - between) + up
    return max(0.0, height - between)
