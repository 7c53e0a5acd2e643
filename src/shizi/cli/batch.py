"""`shizi batch`: whole folders in, a result file an input out; goes on where it stopped."""

from __future__ import annotations

import argparse
import signal
from dataclasses import replace
from pathlib import Path

from shizi.cli.console import load_settings, say
from shizi.cli.progress import Progress
from shizi.cli.read import PARTIAL_FAILURE, add_reading_arguments
from shizi.core.choices import parse_names, parse_steps
from shizi.core.config import Settings, to_environment
from shizi.core.errors import OptionError
from shizi.core.options import Lane
from shizi.engine.budget import Budget, measure_budget
from shizi.engine.signals import wake_on_signals
from shizi.formats import FORMATS
from shizi.jobs.batch.messages import WorkerPlan
from shizi.jobs.batch.run import MEMORY, BatchPlan, BatchResult, run_batch

_AUTO = "auto"
_INTERRUPTED = 130
#: What a worker takes with the bundled models at work on pages of usual size.
_WORKER_BYTES = 300_000_000
_AT_ONCE = 2


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `batch` takes."""
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="folders, patterns such as 'scans/**/*.png'")
    add("-o", "--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    told = "; ".join(f"{form.name}: {form.help}" for form in FORMATS.values())
    add(
        "-f",
        "--format",
        action="append",
        metavar="NAMES",
        help=f"one or several of {told}; default: txt",
    )
    add("--workers", default=_AUTO, metavar="N", help="processes that read; default: auto")
    add("--timeout", type=float, default=120.0, metavar="S", help="seconds a page may take")
    add(
        "--attempts",
        type=int,
        default=3,
        metavar="N",
        help="times a file is tried that ends the process reading it",
    )
    add("--fresh", action="store_true", help="read again what an earlier run has read")
    add_reading_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Read everything that an earlier run of the same folder has not read."""
    settings = load_settings(args).settings
    progress = Progress(quiet=args.quiet)
    with wake_on_signals(signal.SIGTERM, signal.SIGINT) as wake:
        plan = _plan(args, settings, measure_budget())
        try:
            result = run_batch(plan, wake, progress.show, progress.say)
        finally:
            progress.clear()
    if not args.quiet:
        _tell(result, args.out)
    return _exit_status(result)


def _plan(args: argparse.Namespace, settings: Settings, budget: Budget) -> BatchPlan:
    formats = parse_names(",".join(args.format or ["txt"]))
    for name in formats:
        if name not in FORMATS:
            raise OptionError.unknown(name, FORMATS, "format")
        FORMATS[name].load()
    if not formats or args.timeout <= 0 or args.attempts < 1:
        raise OptionError("--format, --timeout and --attempts need values above nothing")
    workers = _workers(args.workers, budget)
    steps = parse_steps(args.steps)
    options = replace(
        settings.read_options(),
        steps=steps,
        characters=args.chars or any(FORMATS[name].places_words for name in formats),
        lane=Lane.BULK,
    )
    worker = WorkerPlan(
        options=options,
        formats=tuple(dict.fromkeys(formats)),
        parts="",
        recognizer=settings.reader.recognizer,
        detector=settings.reader.detector,
        models=str(settings.paths.models or ""),
        threads=settings.reader.threads or max(1, int(budget.cpus / workers)),
        at_once=_AT_ONCE,
        page_s=args.timeout,
        most_bytes=settings.engine.most_memory,
    )
    environment = to_environment(settings) | MEMORY
    return BatchPlan(args.inputs, args.out, worker, workers, args.attempts, args.fresh, environment)


def _workers(wanted: str, budget: Budget) -> int:
    """Give a process a processor, as long as they fit into the memory there is."""
    if wanted != _AUTO:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise OptionError(f"--workers is {wanted!r}; it is auto or a number from 1")
        return int(wanted)
    fitting = budget.memory_bytes // _WORKER_BYTES if budget.memory_bytes else budget.cpus
    return max(1, int(min(budget.cpus, fitting)))


def _tell(result: BatchResult, out: Path) -> None:
    tally = result.tally
    parts = [f"{tally.read:,} of {tally.files:,} files read, {tally.pages:,} pages"]
    if tally.failed:
        parts.append(f"{tally.failed:,} failed: see {result.failures}")
    if result.skipped:
        parts.append(f"{result.skipped:,} files of other kinds left alone")
    if result.replaced:
        parts.append(f"{result.replaced:,} workers replaced")
    if result.stopped:
        parts.append("stopped; the same command goes on from here")
    say("; ".join([*parts, f"results in {out}"]))


def _exit_status(result: BatchResult) -> int:
    if result.stopped:
        return _INTERRUPTED
    return PARTIAL_FAILURE if result.tally.failed or result.unentered else 0
