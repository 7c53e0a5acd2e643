"""The engine process, put together: one model's networks, its queues, its socket."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from shizi.engine.admission import Admission
from shizi.engine.channel import listen
from shizi.engine.host import EngineHost
from shizi.engine.memory import fill_small_blocks, trim_heap, unmap_clean_files
from shizi.engine.metrics import EngineMetrics
from shizi.engine.plans import GOLDEN_ERRORS, EnginePlan
from shizi.engine.reader import Reader
from shizi.engine.sandbox import Sandbox
from shizi.engine.sharing import Sharing
from shizi.engine.signals import die_with_parent
from shizi.engine.watch import Watch
from shizi.models.golden import check_golden
from shizi.models.manifest import split_ref
from shizi.models.session import make_arena

_log = logging.getLogger(__name__)

#: What the process leaves with when a run of a network does not stop.
STUCK_STATUS = 70


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the engine process, to its end."""
    plan = msgspec.json.decode(plan_json, type=EnginePlan)
    die_with_parent(signal.SIGKILL)
    fill_small_blocks()
    make_arena(plan.arena_bytes)
    metrics = EngineMetrics(*split_ref(plan.recognizer))
    sharing = Sharing(Watch(_end_stuck), 1, metrics.count_batch, plan.batch_columns)
    reader = _open_reader(plan, sharing, metrics)
    admission = Admission(plan.places, plan.waiting)
    metrics.watch_queues(
        lambda: admission.working, lambda: admission.waiting, lambda: sharing.queued_columns
    )
    # A few milliseconds; without it each page's leftovers stay beside the next one's.
    tidy = trim_heap if plan.arena_bytes else _keep
    host = EngineHost(reader, admission, metrics.to_text, tidy)
    host.serve(listen(Path(plan.socket)), announce, plan.grace_s)


def _open_reader(plan: EnginePlan, sharing: Sharing, metrics: EngineMetrics) -> Reader:
    models = Path(plan.models) if plan.models else None
    sandbox = Sandbox(Path(plan.decoders), plan.decode_s, metrics.count_lost)
    reader = Reader(
        plan.recognizer, plan.threads, models, sharing, sandbox.open_document, plan.detector
    )
    # The first run of a network allocates what the later ones use; no caller shall wait for it.
    errors = check_golden(plan.recognizer, reader.recognize, plan.golden_errors)
    if errors > GOLDEN_ERRORS:
        _log.warning("%s misreads %.0f %% of plain print", plan.recognizer, 100 * errors)
    reader.read(np.full((320, 320), 255, np.uint8))
    trim_heap()
    unmap_clean_files()
    return reader


def _keep() -> None:
    """Leave the heap as it is: where memory is not counted, speed is."""


def _end_stuck() -> None:
    """End the process from within a thread: a run that cannot be stopped holds one for ever."""
    _log.error("a run of a network did not stop when its time was over; the engine is replaced")
    os._exit(STUCK_STATUS)
