"""What must be done now and then for jobs to end well, by any process on any machine.

Every round may run in several places at once; whatever it does counts once.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shizi.core.errors import JobNotFound, OptionError, ShiziError
from shizi.jobs.hooks import MOST_TRIES, Hook
from shizi.jobs.reaper import Reaper
from shizi.jobs.site import Site
from shizi.jobs.values import Job

_log = logging.getLogger(__name__)

_CLEAN_S = 5.0
_EXPIRE_S = 30.0
_SWEEP_S = 600.0

Deliver = Callable[[str, bytes], None]


@dataclass
class Duty:
    """Something to be done every so many seconds.

    Attributes:
        every_s: seconds between two times.
        act: does it.
        next_s: when it is due, on a monotonic clock.
    """

    every_s: float
    act: Callable[[], object]
    next_s: float = field(default=0.0)


class Upkeep:
    """Looks after a site.

    Args:
        site: the ledger, the spool and the hooks.
        lease_s: seconds without a sign of life after which a worker is taken for gone.
        deliver: posts a body to an address; None tells nobody.
        further: duties of whoever runs this.
    """

    def __init__(
        self,
        site: Site,
        lease_s: float,
        deliver: Deliver | None = None,
        further: Sequence[Duty] = (),
    ) -> None:
        self._site = site
        self._deliver = deliver
        self._reaper = Reaper(site.ledger, lease_s)
        self._duties = [
            Duty(min(1.0, lease_s / 5), self.reap),
            Duty(_CLEAN_S, self.clean),
            Duty(_EXPIRE_S, self.expire),
            Duty(_SWEEP_S, self.sweep),
            *([Duty(1.0, self.tell)] if deliver else []),
            *further,
        ]

    def run(self, stop: threading.Event, pause_s: float = 0.2) -> None:
        """Do everything when it is due, until told to stop."""
        while not stop.wait(pause_s):
            self.round(time.monotonic())

    def round(self, now_s: float) -> None:
        """Do what is due; what fails is told and done again the next time."""
        for duty in self._duties:
            if now_s < duty.next_s:
                continue
            duty.next_s = now_s + duty.every_s
            try:
                duty.act()
            except ShiziError as error:
                _log.warning("upkeep of the jobs: %s", error.detail)
            except Exception:  # noqa: BLE001 - logged; the other duties go on
                _log.exception("unexpected error in the upkeep of the jobs")

    def reap(self) -> None:
        """Take chunks from workers that are gone."""
        for lease in self._reaper.round():
            _log.warning("a chunk of job %s was taken from %s", lease.job_id, lease.holder)

    def clean(self) -> None:
        """Remove the files of jobs that have ended: nobody reads them any more."""
        spool = self._site.spool
        for name in spool.deposits():
            job_id = spool.owner(name)
            if job_id and self._is_over(job_id):
                spool.remove(name)

    def expire(self) -> None:
        """End jobs whose time is over, and forget those that had ended."""
        self._site.ledger.expire()
        for job_id in self._site.ledger.outdated():
            forget(self._site, job_id)

    def sweep(self) -> None:
        """Remove what a crash has left in the spool."""
        spool = self._site.spool
        # The list of all files is asked for in that rare case alone.
        if spool.abandoned(()):
            used = {ref.partition("/")[0] for ref in self._site.ledger.refs()}
            for name in spool.abandoned(used):
                _log.warning("an upload that was never completed is removed")
                spool.remove(name)

    def tell(self) -> None:
        """Tell those who want to know of jobs that have ended."""
        for hook in self._site.hooks.due():
            if self._site.hooks.take(hook):
                self._tell(hook)

    def _tell(self, hook: Hook) -> None:
        assert self._deliver is not None  # noqa: S101 - `tell` is no duty without it
        try:
            body = json.dumps(describe_end(self._site.ledger.job(hook.job_id))).encode()
            self._deliver(hook.url, body)
        except (JobNotFound, OptionError) as error:
            _log.warning("nobody is told of job %s: %s", hook.job_id, error.detail)
        except ShiziError as error:
            _log.warning("job %s: %s", hook.job_id, error.detail)
            if hook.tries + 1 < MOST_TRIES:
                return
        self._site.hooks.drop(hook.job_id)

    def _is_over(self, job_id: str) -> bool:
        try:
            return self._site.ledger.job(job_id).state.ended
        except JobNotFound:
            return True


def forget(site: Site, job_id: str) -> None:
    """Forget a job with everything it has; who works on it finds its lease lost.

    Raises:
        JobNotFound: there is none.
    """
    refs = site.ledger.purge(job_id)
    for name in {ref.partition("/")[0] for ref in refs}:
        site.spool.remove(name)
    site.hooks.drop(job_id)


def describe_end(job: Job) -> dict[str, object]:
    """Give what a webhook is told: how the job ended, and nothing that was read."""
    return {
        "id": job.id,
        "status": str(job.state),
        "files_total": job.items,
        "files_failed": job.failed,
        "pages_done": job.pages_done,
        "finished_at": job.finished_at,
    }
