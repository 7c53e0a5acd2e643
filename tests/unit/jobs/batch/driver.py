"""Runs a batch with fake workers, as `shizi batch` does with real ones: `driver IN OUT LOG`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shizi.core.options import ReadOptions
from shizi.engine.signals import WakeUp, wake_on_signals
from shizi.jobs.batch.messages import WorkerPlan
from shizi.jobs.batch.run import BatchPlan, BatchResult, run_batch
from shizi.jobs.batch.tally import Tally
from tests.program import environment

FAKE = (sys.executable, "-m", "tests.unit.jobs.batch.fake_worker")
ROOT = Path(__file__).resolve().parents[4]


def fake_plan(folder: Path, out: Path, log: Path, **more: Any) -> BatchPlan:
    """Plan a batch of fake workers."""
    worker = WorkerPlan(
        options=ReadOptions(),
        formats=more.pop("formats", ("txt",)),
        parts="",
        recognizer="fake",
        detector="fake",
        models=str(log),
        at_once=more.pop("at_once", 2),
        page_s=more.pop("page_s", 30.0),
    )
    inputs = more.pop("inputs", (str(folder),))
    variables = environment()
    variables["PYTHONPATH"] += f":{ROOT}"
    return BatchPlan(
        inputs, out, worker, more.pop("workers", 2), environment=variables, command=FAKE, **more
    )


def run_fake(
    plan: BatchPlan, wake: WakeUp, report: Callable[[Tally], None] = lambda _: None
) -> BatchResult:
    """Run it."""
    return run_batch(plan, wake, report, lambda _: None)


def main() -> int:
    """Run it until it ends or is killed; tells how it went."""
    folder, out, log = map(Path, sys.argv[1:4])
    with wake_on_signals(signal.SIGTERM, signal.SIGINT) as wake:
        result = run_fake(fake_plan(folder, out, log), wake)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    told = {"read": result.tally.read, "files": result.tally.files, "peak": peak}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    return 130 if result.stopped else 0


if __name__ == "__main__":
    raise SystemExit(main())
