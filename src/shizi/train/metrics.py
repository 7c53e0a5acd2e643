"""What a run tells of itself while it goes on: one JSON object a report, in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

METRICS = "metrics.jsonl"


def log_metrics(
    folder: Path,
    place: Mapping[str, float],
    values: Mapping[str, float],
    report: Callable[[str], None],
) -> None:
    """Append a line to a run's `metrics.jsonl`, and report it.

    Args:
        folder: of the run.
        place: where the run stands, written as it is.
        values: what was measured there, written with five digits.
        report: told the line.
    """
    row = json.dumps({**place, **{key: round(value, 5) for key, value in values.items()}})
    with (folder / METRICS).open("a") as file:
        file.write(row + "\n")
    report(row)
