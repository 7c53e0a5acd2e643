"""Runs a batch: finds out what is left to do in its folder, does it, and lists what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from shizi.core.errors import OptionError
from shizi.core.sections import ReaderSettings
from shizi.engine.memory import LEAN_MEMORY
from shizi.engine.signals import WakeUp
from shizi.jobs.batch.crew import COMMAND, Crew
from shizi.jobs.batch.dispatcher import Dispatcher
from shizi.jobs.batch.files import Listing, find_roots, to_path, to_text
from shizi.jobs.batch.folder import OutFolder
from shizi.jobs.batch.messages import WorkerPlan
from shizi.jobs.batch.tally import Tally
from shizi.jobs.ledger import Ledger
from shizi.jobs.opening import open_ledger
from shizi.jobs.values import Item, Job, JobState, Order, Outcome, Source

#: What a worker's processes are told beside the settings.
MEMORY = LEAN_MEMORY | {
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
_CHUNK_ITEMS = 16


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a user chooses of a batch.

    Attributes:
        inputs: folders, patterns and files.
        out: folder that results go to.
        worker: how workers read and write; its `parts` is filled in.
        workers: processes that read.
        attempts: times a file is begun that ends the process reading it.
        fresh: whether everything is read again that an earlier run has read.
        environment: of the workers.
        command: runs a worker.
    """

    inputs: Sequence[str]
    out: Path
    worker: WorkerPlan
    workers: int
    attempts: int = 3
    fresh: bool = False
    environment: Mapping[str, str] | None = None
    command: Sequence[str] = COMMAND


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended.

    Attributes:
        tally: how far it came.
        failures: file that lists what could not be read; None where nothing failed.
        skipped: files left alone because of their endings.
        unentered: folders that could not be entered.
        replaced: workers that died.
        stopped: whether it was asked to stop before its end.
    """

    tally: Tally
    failures: Path | None
    skipped: int
    unentered: int
    replaced: int
    stopped: bool


def run_batch(
    plan: BatchPlan,
    wake: WakeUp,
    report: Callable[[Tally], None],
    warn: Callable[[str], None],
) -> BatchResult:
    """Read everything that was not read yet, one result file an input and format.

    Args:
        plan: what to do.
        wake: takes the signals that stop it.
        report: told a few times a second how far it is.
        warn: told of what is left out.

    Raises:
        FileAccessError: an input is not there, or results cannot be written (any more).
        LedgerFailed: what was done cannot be written down (any more).
        OptionError: the folder holds results of other options, or another batch writes to it.
        ShiziError: the workers cannot work.
    """
    listing = Listing(find_roots(plan.inputs), plan.out, warn)
    folder = OutFolder(plan.out)
    try:
        if plan.fresh:
            folder.forget()
        ledger = open_ledger(folder.ledger)
        try:
            return _run(plan, folder, ledger, listing, wake, report)
        finally:
            ledger.close()
    finally:
        folder.close()


def _run(
    plan: BatchPlan,
    folder: OutFolder,
    ledger: Ledger,
    listing: Listing,
    wake: WakeUp,
    report: Callable[[Tally], None],
) -> BatchResult:
    job, earlier = _open_job(plan, ledger)
    worker = replace(plan.worker, parts=str(folder.parts.resolve()))

    def targets(name: str) -> tuple[str, ...]:
        return tuple(to_text(folder.target(name, form)) for form in worker.formats)

    _recover(ledger, job, targets)
    crew = Crew(plan.workers, worker, plan.environment or {}, plan.command)
    dispatcher = Dispatcher(
        ledger,
        job.id,
        crew,
        targets,
        _unread(ledger, earlier, listing),
        worker,
    )
    try:
        tally = dispatcher.run(wake, report)
    finally:
        failures = folder.write_failures(ledger, job.id)
    return BatchResult(
        tally,
        failures,
        listing.skipped,
        listing.unentered,
        crew.replaced,
        not ledger.job(job.id).state.ended,
    )


def _open_job(plan: BatchPlan, ledger: Ledger) -> tuple[Job, list[Job]]:
    """Give the job that is not done yet, or a new one; and those that are.

    Raises:
        OptionError: the earlier ones were read otherwise.
    """
    spec = _spec(plan.worker)
    jobs = ledger.jobs()
    if any(job.spec != spec for job in jobs):
        raise OptionError(
            f"{plan.out} holds results that were read with other options; name another folder, or "
            "give --fresh to read all of it again"
        )
    earlier = [job for job in jobs if job.state.ended]
    open_job = next((job for job in jobs if not job.state.ended), None)
    order = Order(spec=spec, chunk_items=_CHUNK_ITEMS, max_attempts=plan.attempts, open=True)
    return open_job or ledger.submit(order).job, earlier


def _spec(worker: WorkerPlan) -> str:
    """Describe what a result depends on; never a password."""
    decode = replace(worker.options.decode, password=None)
    options = replace(worker.options, decode=decode)
    content: dict[str, object] = {
        "options": options,
        "formats": worker.formats,
        "recognizer": worker.recognizer,
    }
    # A folder of results from before there was a choice is gone on with.
    if worker.detector != ReaderSettings().detector:
        content["detector"] = worker.detector
    return msgspec.json.encode(content).decode()


def _recover(ledger: Ledger, job: Job, targets: Callable[[str], tuple[str, ...]]) -> None:
    """Take back what an earlier run had in work when it was killed.

    Nobody is blamed for it. What has its results was finished, only not written down yet: a result
    gets its name when it is whole, and an older one is removed before a file is noted as begun.
    """

    def is_finished(item: Item) -> bool:
        return all(Path(to_path(target)).exists() for target in targets(item.source.name))

    begun = ledger.items(job.id, state=JobState.RUNNING)
    finished = [Outcome(item.number) for item in begun if is_finished(item)]
    for pulse in ledger.pulses(job.id):
        # Each lease takes those of its own chunk.
        ledger.finish(pulse.lease, finished)
        ledger.release(pulse.lease)


def _unread(ledger: Ledger, earlier: Sequence[Job], listing: Listing) -> Iterator[Source]:
    """Leave out what an earlier run of the folder has read and what did not change since."""
    for source in listing:
        if not any(ledger.has_read(job.id, source) for job in earlier):
            yield source
