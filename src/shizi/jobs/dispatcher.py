"""The process that works jobs beside the service: it takes chunks and has the engine read them.

There is one, so that no two fight for the ledger's file. With a broker it takes none: workers on
other machines do, and what is left to it is the upkeep.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shizi.core.config import Settings, load
from shizi.core.errors import ShiziError
from shizi.core.sections import JobSettings
from shizi.core.telemetry import LogFormat
from shizi.engine.signals import WakeUp, die_with_parent, wake_on_signals
from shizi.engine.versions import ARRIVAL_S, VersionedEngines
from shizi.jobs.run import Desk, Pace, work_chunk
from shizi.jobs.site import Site, open_site
from shizi.jobs.upkeep import Deliver, Duty, Upkeep
from shizi.jobs.values import Chunk
from shizi.jobs.webhook import Policy, deliver, hosts_of

_log = logging.getLogger(__name__)

# How soon a new job is seen.
_LOOK_S = 0.2
_LONGEST_LOOK_S = 5.0
_ANNOUNCE_S = 0.5


@dataclass(frozen=True, slots=True)
class DispatcherPlan:
    """What the process is told; the rest it takes from the settings.

    Attributes:
        engines: folder of the engines' sockets.
        places: chunks worked on at once; 0 does the upkeep alone.
        grace_s: time for pages in work when it is told to end.
        log_format: of its log.
    """

    engines: str
    places: int
    grace_s: float = 30.0
    log_format: LogFormat = LogFormat.AUTO


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the process, to its end."""
    die_with_parent(signal.SIGTERM)
    plan = msgspec.json.decode(plan_json, type=DispatcherPlan)
    settings = load().settings
    jobs = settings.jobs
    site = open_site(jobs)
    stop = threading.Event()
    desk = make_desk(site, jobs, engines_of(settings, plan.engines))
    upkeep = make_upkeep(site, jobs, _announcing(site, jobs))
    threading.Thread(target=upkeep.run, args=(stop,), name="upkeep", daemon=True).start()
    dispatcher = Dispatcher(desk, plan.places, stop)
    with wake_on_signals(signal.SIGTERM) as wake:
        announce()
        dispatcher.run(wake)
    dispatcher.drain(plan.grace_s)
    site.close()


def engines_of(settings: Settings, folder: str) -> VersionedEngines:
    """Give the engines of this machine; in a release, the version of a job may come late."""
    return VersionedEngines(Path(folder), ARRIVAL_S if settings.releases.store else 0.0)


def make_desk(site: Site, jobs: JobSettings, engines: VersionedEngines) -> Desk:
    """Give what chunks are worked on with."""
    return Desk(site.ledger, engines.default, site.spool.read, pace_of(jobs), engines.reader)


def _announcing(site: Site, jobs: JobSettings) -> list[Duty]:
    """Give the duty to announce chunks to workers elsewhere, where there is a broker."""
    if not jobs.broker:
        return []
    # Nobody who works alone needs Celery.
    from shizi.jobs.queue import Announcer, make_app  # noqa: PLC0415

    return [Duty(_ANNOUNCE_S, Announcer(make_app(jobs, pace_of(jobs)), site.ledger).round)]


def pace_of(jobs: JobSettings) -> Pace:
    """Give the pace that fits the leases of the settings."""
    return Pace(beat_s=jobs.lease_s / 5)


def make_upkeep(site: Site, jobs: JobSettings, further: Sequence[Duty] = ()) -> Upkeep:
    """Give the upkeep that the settings ask for."""
    tell: Deliver | None = None
    if jobs.webhooks:
        policy = Policy(jobs.webhook_secret, hosts_of(jobs.webhook_hosts))

        def tell_to(url: str, body: bytes) -> None:
            deliver(url, body, policy)

        tell = tell_to
    return Upkeep(site, jobs.lease_s, tell, further)


def holder_name() -> str:
    """Name this process in the ledger."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Dispatcher:
    """Takes chunks as places come free, and works each in a thread.

    Args:
        desk: to work at.
        places: chunks in work at once.
        stop: set when the work is to end.
    """

    def __init__(self, desk: Desk, places: int, stop: threading.Event) -> None:
        self._desk = desk
        self._places = places
        self._stop = stop
        self._working: list[threading.Thread] = []
        self._pause_s = _LOOK_S

    def run(self, wake: WakeUp) -> None:
        """Work until a signal ends it."""
        while not wake.wait(self._pause_s):
            self.look()
        self._stop.set()

    def look(self) -> None:
        """Take as many chunks as there are places and chunks."""
        self._working = [thread for thread in self._working if thread.is_alive()]
        try:
            while len(self._working) < self._places and (chunk := self._take()):
                thread = threading.Thread(target=self._work, args=(chunk,), daemon=True)
                self._working.append(thread)
                thread.start()
            self._pause_s = _LOOK_S
        except ShiziError as error:
            _log.warning("no work can be taken: %s", error.detail)
            self._pause_s = min(_LONGEST_LOOK_S, 2 * self._pause_s)

    def drain(self, grace_s: float) -> None:
        """Let the chunks in work come to their next page and give the rest back."""
        ends = time.monotonic() + grace_s
        for thread in self._working:
            thread.join(max(0.0, ends - time.monotonic()))

    def _take(self) -> Chunk | None:
        # Looking costs less than taking, and mostly there is nothing.
        return self._desk.ledger.claim(holder_name()) if self._desk.ledger.queued(1) else None

    def _work(self, chunk: Chunk) -> None:
        try:
            work_chunk(self._desk, chunk, self._stop)
        except ShiziError as error:
            _log.warning("a chunk is left to others: %s", error.detail)
