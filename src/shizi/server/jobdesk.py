"""Hands jobs in and looks them up, for whoever owns them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from flask import Request, g, request

from shizi.core.errors import (
    JobNotFound,
    OptionError,
    RateLimited,
    RequestError,
    ShiziError,
    Unauthorized,
)
from shizi.core.sections import JobSettings
from shizi.jobs.entries import LAST, Entry, Place, walk_entries
from shizi.jobs.site import Site
from shizi.jobs.spec import Spec, merge_pages, spec_to_text, text_to_spec
from shizi.jobs.spool import Deposit
from shizi.jobs.upkeep import forget
from shizi.jobs.values import Job, JobState, Order, Source
from shizi.jobs.webhook import Policy, check_address, hosts_of
from shizi.server.bodies import once
from shizi.server.gate import is_loopback
from shizi.server.handin import NAME_PARAMETER, split_hook, take_in
from shizi.server.schema import Call, choose
from shizi.server.service import Service

KEY_HEADER = "Idempotency-Key"
MOST_LISTED = 100
MOST_ENTRIES = 200
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ID = re.compile(r"[0-9a-f]{32}")
_AFTER = re.compile(r"(\d{1,7})\.(\d{1,10})")
_FULL_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class JobDesk:
    """What the routes of jobs work with; threads share it.

    Attributes:
        service: whose options and limits hold.
        site: the ledger and the spool.
    """

    service: Service
    site: Site

    def hand_in(self) -> Job:
        """Make a job of the current request.

        Returns:
            The job; one that the same key gave before, where there was one.

        Raises:
            ShiziError: something in the request is not taken, or there is no room; nothing is kept.
        """
        key = _idempotency_key(request)
        self._check_waiting()
        with self.site.spool.deposit() as deposit:
            spec = self._spec(take_in(request, self.service, deposit))
            spec = replace(spec, version=self._version(deposit.sources))
            sources = deposit.complete()
        return self._submit(sources, spec, deposit, key)

    def find(self, job_id: str) -> Job:
        """Give a job of whoever asks.

        Raises:
            JobNotFound: there is none, or it is somebody else's.
        """
        job = self.site.ledger.job(job_id)
        if job.owner != owner():
            raise JobNotFound(job_id)
        return job

    def cancel(self, job_id: str) -> Job:
        """End a job; what was read of it stays. One that has ended stays as it is."""
        return self.site.ledger.cancel(self.find(job_id).id)

    def purge(self, job_id: str) -> None:
        """Forget a job with everything it has."""
        forget(self.site, self.find(job_id).id)

    def listed(self, limit: int, before: str | None) -> list[Job]:
        """List the jobs of whoever asks, the newest first, those older than one of them.

        Raises:
            Unauthorized: without keys jobs are known by their ids alone, on an open network.
        """
        server = self.service.settings.server
        if not owner() and server.keys is None and not is_loopback(server.host):
            raise Unauthorized("without keys a job is found by its id alone; nobody lists them")
        place = None
        if before is not None:
            if not _ID.fullmatch(before):
                raise OptionError("before is no id of a job")
            last = self.find(before)
            place = (last.created_at, last.id)
        return self.site.ledger.jobs(owner(), before=place, limit=limit)

    def entries(self, job: Job, after: Place, limit: int) -> tuple[list[Entry], bool]:
        """Give results of a job that come after a place, and whether there are more."""
        found = list(islice(walk_entries(self.site.ledger, job.id, after), limit + 1))
        return found[:limit], len(found) > limit

    def _submit(
        self, sources: Sequence[Source], spec: Spec, deposit: Deposit, key: str | None
    ) -> Job:
        jobs = self.service.settings.jobs
        order = Order(
            sources=tuple(sources),
            owner=owner(),
            key=key,
            fingerprint=fingerprint(sources, spec),
            spec=spec_to_text(replace(spec, deposit=deposit.name)),
            chunk_items=jobs.chunk_files,
            max_attempts=jobs.attempts,
            keep_s=jobs.keep_s,
        )
        try:
            submitted = self.site.ledger.submit(order)
        except ShiziError:
            self.site.spool.remove(deposit.name)
            raise
        if not submitted.created:
            self.site.spool.remove(deposit.name)
            return submitted.job
        self.site.spool.assign(deposit.name, submitted.job.id)
        if spec.hook:
            self.site.hooks.add(submitted.job.id, spec.hook)
        return submitted.job

    def _spec(self, given: dict[str, str]) -> Spec:
        """Choose how the job is read; its time is that of one page."""
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != NAME_PARAMETER]
        fields, hook = split_hook(once([*pairs, *given.items()]))
        if hook:
            check_hook(hook, self.service.settings.jobs)
        call = choose(fields, self.service.options, self.service.default)
        if call.form is not None:
            raise OptionError("format: choose it when you fetch what the job has brought")
        return call_to_spec(call, hook)

    def _version(self, sources: Sequence[Source]) -> str:
        """Decide which version reads the job; it keeps it, whatever a release does meanwhile."""
        router = self.service.router
        if router is None:
            return ""
        first = next(source.digest for source in sources if source.ref)
        return router.pin([first.encode()]).version

    def _check_waiting(self) -> None:
        most = self.service.settings.jobs.max_waiting
        ledger = self.site.ledger
        states = (JobState.QUEUED, JobState.RUNNING)
        if sum(len(ledger.jobs(owner(), state=state, limit=most)) for state in states) >= most:
            raise RateLimited(_FULL_RETRY_S)


def owner() -> str:
    """Give whose jobs the current request may see: its key's, or those of nobody."""
    return str(g.get("key_name", ""))


def call_to_spec(call: Call, hook: str = "") -> Spec:
    """Give the spec of what a request chose."""
    return Spec(call.options, merge_pages(call.pages), call.relative, hook)


def fingerprint(sources: Sequence[Source], spec: Spec) -> str:
    """Tell one submission from another: its files, their names, and how they are read.

    Not by which version: sent twice, it may have met two of them.
    """
    files = [(source.name, source.digest) for source in sources]
    told = json.dumps([files, spec_to_text(replace(spec, version=""))])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def check_hook(url: str, jobs: JobSettings) -> None:
    """Look whether an address may be told of the end of a job.

    Raises:
        OptionError: it may not, or nobody is told anything here.
    """
    if not jobs.webhooks:
        raise OptionError("webhook: this service tells nobody; see the setting jobs.webhooks")
    check_address(url, Policy(jobs.webhook_secret, hosts_of(jobs.webhook_hosts)))


def spec_of(job: Job) -> Spec:
    """Give how a job is read."""
    return text_to_spec(job.spec)


def parse_after(text: str | None) -> Place:
    """Read the place of an entry, as `next` of the page before has it; None for the beginning.

    Raises:
        OptionError: it is none.
    """
    if text is None:
        return (-1, LAST)
    found = _AFTER.fullmatch(text)
    if found is None:
        raise OptionError("after is no place; take the address in `next` as it is")
    return int(found[1]), min(LAST, int(found[2]))


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise RequestError(f"{KEY_HEADER} has 1 to 255 visible characters of ASCII")
    return key


def limits_of(jobs: JobSettings) -> dict[str, float]:
    """Give the limits of jobs, for `/v1/options`; none where no jobs are taken."""
    if not jobs.enabled:
        return {}
    return {
        "max_upload_bytes": jobs.upload_bytes,
        "max_files": jobs.max_files,
        "keep_s": jobs.keep_s,
    }
