"""The objects that tell of jobs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from shizi.formats import Json
from shizi.jobs.entries import Entry, entry_to_dict
from shizi.jobs.spec import Spec
from shizi.jobs.values import Job

#: Seconds after which it makes sense to ask again.
RETRY_AFTER_S = 2


def job_to_dict(job: Job) -> Json:
    """Give the object of a job under `/v1/jobs`."""
    place = f"/v1/jobs/{job.id}"
    return {
        "id": job.id,
        "status": str(job.state),
        "files_total": job.items,
        "files_done": job.done,
        "files_failed": job.failed,
        "pages_total": max(job.pages, job.pages_done),
        "pages_done": job.pages_done,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "expires_at": _time(job.expires_at),
        "links": {
            "self": place,
            "events": f"{place}/events",
            "results": f"{place}/results",
            "result": f"{place}/result",
        },
    }


def task_to_dict(job: Job) -> Json:
    """Give the object of a job as `/upload` and `/status` tell it."""
    return {
        "success": True,
        "task_id": job.id,
        "status": str(job.state),
        "status_url": f"/status/{job.id}",
        "files_total": job.items,
        "files_failed": job.failed,
        "pages_total": max(job.pages, job.pages_done),
        "pages_done": job.pages_done,
    }


def entries_to_dict(job: Job, entries: Sequence[Entry], spec: Spec, *, more: bool) -> Json:
    """Give a page of results, and where the next one is."""
    following = None
    if more and entries:
        number, page = entries[-1].place
        following = f"/v1/jobs/{job.id}/results?after={number}.{page}&limit={len(entries)}"
    return {
        "id": job.id,
        "status": str(job.state),
        "results": [entry_to_dict(entry, relative=spec.relative) for entry in entries],
        "next": following,
    }


def _time(seconds: float | None) -> str | None:
    """Write a time as in RFC 3339, in UTC."""
    if seconds is None:
        return None
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
