"""The engine process, put together: one model's networks, its queues, its socket."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.engine.admission import Admission
from shizi.engine.channel import listen
from shizi.engine.decoders import die_with_parent
from shizi.engine.host import EngineHost
from shizi.engine.metrics import EngineMetrics
from shizi.engine.reader import Reader
from shizi.engine.sandbox import Sandbox
from shizi.engine.sharing import Sharing
from shizi.engine.watch import Watch

_log = logging.getLogger(__name__)

#: What the process leaves with when a run of a network does not stop.
STUCK_STATUS = 70


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """What an engine process is told.

    Attributes:
        socket: path to listen on.
        decoders: path of the decoders' socket.
        recognizer: name of the model that reads lines.
        models: folder of further models; empty for none.
        threads: of a model's run; 0 takes as many as the process may use.
        places: calls in work at once.
        waiting: calls that may wait.
        decode_s: processor time a page may take to be decoded.
        grace_s: time for calls in work when it is told to end.
    """

    socket: str
    decoders: str
    recognizer: str
    models: str = ""
    threads: int = 0
    places: int = 2
    waiting: int = 64
    decode_s: float = 20.0
    grace_s: float = 30.0


class _CountedReader:
    """A reader whose pages are counted."""

    def __init__(self, reader: Reader, metrics: EngineMetrics) -> None:
        self._reader = reader
        self._metrics = metrics

    def read(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read all pages; see `Reader.read`."""
        pages = self._reader.read(source, options)
        self._metrics.count_pages(pages)
        return pages


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the engine process, to its end."""
    plan = msgspec.json.decode(plan_json, type=EnginePlan)
    die_with_parent(signal.SIGKILL)
    metrics = EngineMetrics(plan.recognizer)
    sharing = Sharing(Watch(_end_stuck), 1, metrics.count_batch)
    reader = _open_reader(plan, sharing, metrics)
    admission = Admission(plan.places, plan.waiting)
    metrics.watch_queues(
        lambda: admission.working, lambda: admission.waiting, lambda: sharing.queued_columns
    )
    host = EngineHost(_CountedReader(reader, metrics), admission, metrics.to_text)
    host.serve(listen(Path(plan.socket)), announce, plan.grace_s)


def _open_reader(plan: EnginePlan, sharing: Sharing, metrics: EngineMetrics) -> Reader:
    models = Path(plan.models) if plan.models else None
    sandbox = Sandbox(Path(plan.decoders), plan.decode_s, metrics.count_lost)
    reader = Reader(plan.recognizer, plan.threads, models, sharing, sandbox.open_document)
    # The first run of a network allocates what the later ones use; no caller shall wait for it.
    reader.recognize([np.full((32, 320), 255, np.uint8)])
    reader.read(np.full((320, 320), 255, np.uint8))
    return reader


def _end_stuck() -> None:
    """End the process from within a thread: a run that cannot be stopped holds one for ever."""
    _log.error("a run of a network did not stop when its time was over; the engine is replaced")
    os._exit(STUCK_STATUS)
