"""How a release is to go: its steps, and the bounds that end it."""

from __future__ import annotations

from dataclasses import dataclass

BASIS_POINTS = 10_000
"""Shares are whole numbers of these; 10,000 are all requests."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The way from the first request to the last.

    Attributes:
        shares_bp: what the canary answers, step by step, of 10,000; each above the one before,
            the last all.
        step_s: seconds a step takes at least.
        step_requests: requests the canary answers in a step at least.
        shadow_bp: of 10,000 requests the stable model answers, so many the canary reads as well.
        shadow_s: seconds the shadow phase takes at least.
        shadow_requests: requests read twice in it at least.
        soak_s: seconds the canary answers everything before it is promoted.
        patience_s: a step that lacks requests for longer than this is held.
    """

    shares_bp: tuple[int, ...] = (1_000, 3_000, 6_000, 10_000)
    step_s: float = 600.0
    step_requests: int = 300
    shadow_bp: int = 1_000
    shadow_s: float = 300.0
    shadow_requests: int = 50
    soak_s: float = 1_800.0
    patience_s: float = 3_600.0

    def __post_init__(self) -> None:
        shares = self.shares_bp
        if not shares or shares[-1] != BASIS_POINTS or list(shares) != sorted(set(shares)):
            raise ValueError("the shares of a plan must rise and end with 10000")
        _within("the first share", shares[0], 1, BASIS_POINTS)
        _within("shadow_bp", self.shadow_bp, 0, BASIS_POINTS)
        for name in ("step_requests", "shadow_requests"):
            _within(name, getattr(self, name), 0, 10**9)
        for name in ("step_s", "shadow_s", "soak_s", "patience_s"):
            _within(name, getattr(self, name), 0, 10**8)


@dataclass(frozen=True, slots=True)
class Guards:
    """The bounds a canary is held to; what each costs and catches is in docs/releases.md.

    Attributes:
        failure_rate: failures a canary may have at most; 0.05 are 5 in 100 requests. What the
            stable model fails at the same time is allowed on top.
        alarm: height of the cumulative sum of log-likelihood ratios that rolls back; higher is
            slower and surer.
        confidence_z: width of the intervals, in standard deviations; 2.58 are 99 %.
        latency_ratio: the canary's median and 95th percentile over the stable model's, at most.
        latency_requests: requests either must have before seconds are compared.
        empty_rise: rise of the rate of answers without a line, at most.
        garbled_rise: rise of the rate of answers that look like no text, at most.
        confidence_fall: fall of the mean confidence of lines, at most.
        agreement: least mean agreement with the stable model on requests read by both.
        corrected_rise: rise of the rate of lines that users correct, at most.
        quality_requests: answers either must have before quality is compared.
        sustained: checks in a row a bound on seconds or quality must be broken in.
        wrong_verdicts: share of spot checks people decide for the stable model, at most.
    """

    failure_rate: float = 0.05
    alarm: float = 8.0
    confidence_z: float = 2.58
    latency_ratio: float = 1.5
    latency_requests: int = 200
    empty_rise: float = 0.05
    garbled_rise: float = 0.05
    confidence_fall: float = 0.05
    agreement: float = 0.8
    corrected_rise: float = 0.05
    quality_requests: int = 100
    sustained: int = 3
    wrong_verdicts: float = 0.5

    def __post_init__(self) -> None:
        for name in (
            "empty_rise garbled_rise confidence_fall agreement corrected_rise wrong_verdicts"
        ).split():
            _within(name, getattr(self, name), 0, 1)
        _within("failure_rate", self.failure_rate, 0.001, 0.9)
        _within("alarm", self.alarm, 1, 100)
        _within("confidence_z", self.confidence_z, 1, 10)
        _within("latency_ratio", self.latency_ratio, 1, 1_000)
        for name in ("latency_requests", "quality_requests", "sustained"):
            _within(name, getattr(self, name), 1, 10**9)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}; it must be from {least:g} to {most:g}")
