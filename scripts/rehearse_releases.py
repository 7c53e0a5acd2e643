"""Play a thousand releases with invented traffic; docs/releases.md has the table this prints.

It tells how often healthy versions are rolled back, and how soon sick ones are.

    python scripts/rehearse_releases.py [RELEASES] [SECONDS_BETWEEN_LOOKS]
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter

import numpy as np

from shizi.release.document import Phase
from shizi.release.plan import Plan
from shizi.release.rehearsal import Traffic, Traits, play

UNSEEN_LEFT_OUT = Plan(shadow_bp=0, shadow_requests=0, shadow_s=0)
WORSE = {
    "30 % failures": Traits(failure_rate=0.30),
    "10 % failures": Traits(failure_rate=0.10),
    "5 % failures": Traits(failure_rate=0.05),
    "30 % empty answers": Traits(empty_rate=0.30),
    "30 % garbled answers": Traits(garbled_rate=0.30),
    "confidence 0.75 instead of 0.93": Traits(confidence=0.75),
    "agreement 0.5": Traits(agreement=0.5),
    "twice as slow": Traits(seconds=0.4),
}


def main() -> None:
    releases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    traffic = Traffic(look_s=float(sys.argv[2]) if len(sys.argv) > 2 else 30)
    sick = max(20, releases // 5)
    print("| canary | stable | releases | promoted | rolled back | requests to it before, median |")
    print("|---|---|---|---|---|---|")
    row("1 % failures", Traits(), Traits(), releases, traffic, Plan())
    poor = Traits(failure_rate=0.03)
    row("3 % failures", poor, poor, releases // 2, traffic, Plan())
    for name, canary in WORSE.items():
        plan = UNSEEN_LEFT_OUT if "failures" in name else Plan()
        row(name, Traits(), canary, sick, traffic, plan)
    quiet = Traffic(requests_an_hour=3, look_s=300)
    row("1 % failures, 3 requests an hour", Traits(), Traits(), 20, quiet, Plan())


def row(
    name: str, stable: Traits, canary: Traits, releases: int, traffic: Traffic, plan: Plan
) -> None:
    played = [
        play(np.random.default_rng([7, n]), stable, canary, traffic, plan) for n in range(releases)
    ]
    phases = Counter(release.document.phase for release in played)
    ended = [r.canary_requests for r in played if r.document.phase is Phase.ROLLED_BACK]
    median = f"{statistics.median(ended):.0f}" if ended else "–"
    cells = [
        name,
        f"{stable.failure_rate:.0%} failures",
        str(releases),
        str(phases[Phase.PROMOTED]),
        str(phases[Phase.ROLLED_BACK]),
        median,
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
