"""A simulated month of releases: what the rules do to good versions and to bad ones.

`scripts/rehearse_releases.py` plays a thousand of them; docs/releases.md has its table.
"""

from __future__ import annotations

import statistics
from collections import Counter

import numpy as np
import pytest

from shizi.release.document import Phase
from shizi.release.plan import Plan
from shizi.release.rehearsal import Played, Traffic, Traits, play

SEEN = Plan(shadow_bp=0, shadow_requests=0, shadow_s=0)
"""Without a shadow phase, so that all requests are seen by users: the harder case."""
MONTH = 30


def _played(releases: int, salt: int, **how: object) -> list[Played]:
    return [
        play(np.random.default_rng([salt, n]), **how)  # type: ignore[arg-type]
        for n in range(releases)
    ]


@pytest.mark.slow
def test_a_healthy_month_is_promoted() -> None:
    """A release a day; one that is rolled back falsely fails."""
    played = _played(MONTH, 11, traffic=Traffic(look_s=60))

    phases = Counter(release.document.phase for release in played)
    assert phases == {Phase.PROMOTED: MONTH}
    assert min(release.canary_requests for release in played) > 1_000


@pytest.mark.parametrize(("failure_rate", "requests"), [(0.10, 150), (0.05, 400), (0.30, 60)])
def test_failures_are_caught_in_time(failure_rate: float, requests: int) -> None:
    played = _played(
        MONTH,
        12,
        canary=Traits(failure_rate=failure_rate),
        plan=SEEN,
        traffic=Traffic(look_s=10),
    )

    assert {release.document.phase for release in played} == {Phase.ROLLED_BACK}
    assert statistics.median(release.canary_requests for release in played) <= requests


@pytest.mark.parametrize(
    "canary",
    [
        Traits(empty_rate=0.3),
        Traits(garbled_rate=0.3),
        Traits(confidence=0.75),
        Traits(agreement=0.5),
        Traits(seconds=0.5),
    ],
    ids=["empty", "garbled", "unsure", "disagrees", "slow"],
)
def test_worse_versions_are_rolled_back(canary: Traits) -> None:
    played = _played(5, 13, canary=canary)

    assert {release.document.phase for release in played} == {Phase.ROLLED_BACK}


@pytest.mark.parametrize("plan", [Plan(), SEEN], ids=["with a shadow phase", "without"])
def test_low_traffic_holds_instead_of_passing(plan: Plan) -> None:
    """Three requests an hour, for two days: nothing is known of a version, so nothing goes on."""
    quiet = Traffic(requests_an_hour=3, look_s=300)
    for release in _played(3, 14, plan=plan, traffic=quiet):
        assert release.document.phase is Phase.HOLD
        assert release.document.ratio_bp <= 1_000
        assert release.holds == 1
