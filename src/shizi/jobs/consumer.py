"""The process of a worker that takes chunks from the queue: Celery, whose children work them.

The children do not read themselves: they ask the engine of their machine, as the service does. A
child that is killed takes one chunk with it, which is given back to the queue and the ledger.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shizi.core.config import load
from shizi.core.sections import JobSettings
from shizi.core.telemetry import LogFormat
from shizi.engine.signals import die_with_parent
from shizi.engine.versions import VersionedEngines
from shizi.jobs.dispatcher import engines_of, holder_name, make_desk, pace_of
from shizi.jobs.queue import PING, PING_S, QUEUE, TASK, make_app
from shizi.jobs.run import Desk, work_chunk
from shizi.jobs.site import open_site
from shizi.jobs.values import ChunkRef

_log = logging.getLogger(__name__)

# A worker from which nothing was consumed for so long, though the broker took its messages, hangs.
_DEAF_S = 60.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """What the process is told; the rest it takes from the settings.

    Attributes:
        engines: folder of the engines' sockets.
        places: children that work at once.
        queue: of its own, for messages to itself.
        life: file whose time says when something was consumed last.
        log_format: of its log.
    """

    engines: str
    places: int
    queue: str
    life: str
    log_format: LogFormat = LogFormat.AUTO


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the process, to its end."""
    die_with_parent(signal.SIGTERM)
    plan = msgspec.json.decode(plan_json, type=ConsumerPlan)
    settings = load().settings
    app = make_app(settings.jobs, pace_of(settings.jobs))
    _add_tasks(app, _Child(settings.jobs, engines_of(settings, plan.engines), Path(plan.life)))
    _add_signals(Path(plan.life), announce)
    stop_file(Path(plan.life)).unlink(missing_ok=True)
    Path(plan.life).touch()
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=prefork",
            f"--concurrency={plan.places}",
            f"--queues={QUEUE},{plan.queue}",
            f"--hostname={holder_name()}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )


def stop_file(life: Path) -> Path:
    """Give the file whose being there tells children to end at their next page."""
    return life.with_suffix(".stop")


class Echo:
    """Sends the worker messages to itself, and tells whether it hears them.

    Args:
        send: puts one into the worker's own queue; raises where the broker cannot be reached.
        life: file that is touched when one is consumed, and while a chunk is worked on.
        monotonic: seconds that nobody can set.
        wall: seconds since 1970, as the disk counts them.
    """

    def __init__(
        self,
        send: Callable[[], None],
        life: Path,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._send = send
        self._life = life
        self._monotonic = monotonic
        self._wall = wall
        self._sent_s = -PING_S
        self._unheard_s: float | None = None
        self._last = 0.0

    def is_well(self) -> bool:
        """Tell whether the worker consumes; to be asked now and then."""
        now = self._monotonic()
        heard = self._life.stat().st_mtime if self._life.exists() else 0.0
        if heard != self._last:
            self._last, self._unheard_s = heard, None
        if now - self._sent_s >= PING_S:
            self._sent_s = now
            try:
                self._send()
            except Exception:  # noqa: BLE001 - a broker that is away is not the worker's fault
                self._unheard_s = None
                return True
            self._unheard_s = now if self._unheard_s is None else self._unheard_s
        return self._unheard_s is None or now - self._unheard_s < _DEAF_S


def _add_tasks(app: Any, child: _Child) -> None:
    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def work(job_id: str, chunk: int) -> None:
        child.work(ChunkRef(job_id, chunk))

    @app.task(name=PING)  # type: ignore[untyped-decorator]
    def ping() -> None:
        child.life.touch()


def _add_signals(life: Path, announce: Callable[[], None]) -> None:
    from celery import signals  # noqa: PLC0415 - an extra

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def ready(**_: object) -> None:
        announce()

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def end(**_: object) -> None:
        stop_file(life).touch()

    @signals.worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
    def begin(**_: object) -> None:
        # A child that outlived its mother would work without anybody to end it.
        die_with_parent(signal.SIGKILL)


class _Child:
    """What a child works with; its desk is opened in it, for nothing of that survives a fork.

    Args:
        jobs: settings.
        engines: of this machine; they hold nothing open.
        life: file whose time says when something was consumed last.
    """

    def __init__(self, jobs: JobSettings, engines: VersionedEngines, life: Path) -> None:
        self._jobs, self._engines = jobs, engines
        self.life = life
        self._desk: Desk | None = None

    def work(self, ref: ChunkRef) -> None:
        """Work on a chunk, if nobody has it."""
        desk = self._open()
        chunk = desk.ledger.claim(holder_name(), only=ref)
        if chunk is None:
            return
        over, stop = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._watch, args=(over, stop), daemon=True)
        watch.start()
        try:
            work_chunk(desk, chunk, stop)
        finally:
            over.set()

    def _watch(self, over: threading.Event, stop: threading.Event) -> None:
        """Say that the worker lives while it hears no messages, and hear when it is to end."""
        touched_s = 0.0
        while not over.wait(_LOOK_S):
            if time.monotonic() - touched_s > PING_S / 2:
                touched_s = time.monotonic()
                self.life.touch()
            if stop_file(self.life).exists():
                stop.set()

    def _open(self) -> Desk:
        if self._desk is None:
            self._desk = make_desk(open_site(self._jobs), self._jobs, self._engines)
        return self._desk
