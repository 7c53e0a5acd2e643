"""The routes of long work: handed in now, watched, fetched later."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from flask import Blueprint, Response, abort, g, request

from shizi.core.choices import parse_whole
from shizi.core.errors import Busy, JobNotFound, JobUnfinished, OptionError, ShiziError
from shizi.formats import FORMATS, Json
from shizi.jobs.entries import render, walk_entries
from shizi.jobs.values import Job
from shizi.server.jobdesk import MOST_ENTRIES, MOST_LISTED, JobDesk, parse_after, spec_of
from shizi.server.jobshapes import RETRY_AFTER_S, entries_to_dict, job_to_dict, task_to_dict
from shizi.server.schema import AS_JSON, parse_format
from shizi.server.shapes import DOCUMENTS, LINES, reply

#: A stream of events ends after so long, and its client asks again: no stop waits for it.
STREAM_S = 15.0
_LOOK_S = 0.5
# How soon a client that lost its stream asks for another.
_RECONNECT_MS = 1000
_PING_S = 5.0
_MOST_STREAMS = 32
_STREAMS_RETRY_S = 5.0


def create_jobs(desk: JobDesk | None) -> Blueprint:
    """Make the routes on a desk; where there is none, they are not found."""
    jobs = Blueprint("jobs", __name__)

    def there() -> JobDesk:
        if desk is None:
            abort(404)
        return desk

    _add_tasks(jobs, there)
    _add_jobs(jobs, there)
    _add_results(jobs, there)
    return jobs


def _add_tasks(jobs: Blueprint, desk: Callable[[], JobDesk]) -> None:
    @jobs.post("/upload")
    def upload() -> Response:
        g.shape = LINES
        job = desk().hand_in()
        response = reply(task_to_dict(job), 202)
        response.headers["Location"] = f"/status/{job.id}"
        return _told_when(response, job)

    @jobs.get("/status/<job_id>")
    def status(job_id: str) -> Response:
        g.shape = LINES
        job = desk().find(job_id)
        content = task_to_dict(job)
        if job.state.ended:
            entries, more = desk().entries(job, parse_after(None), MOST_ENTRIES)
            told = entries_to_dict(job, entries, spec_of(job), more=more)
            content |= {"results": told["results"], "next": told["next"]}
        return _told_when(reply(content), job)


def _add_jobs(jobs: Blueprint, desk: Callable[[], JobDesk]) -> None:
    @jobs.post("/v1/jobs")
    def hand_in() -> Response:
        job = desk().hand_in()
        response = reply(job_to_dict(job), 202)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return _told_when(response, job)

    @jobs.get("/v1/jobs")
    def listed() -> Response:
        limit = _limit(MOST_LISTED)
        found = desk().listed(limit, request.args.get("before"))
        following = f"/v1/jobs?before={found[-1].id}&limit={limit}" if len(found) == limit else None
        return reply({"jobs": [job_to_dict(job) for job in found], "next": following})

    @jobs.get("/v1/jobs/<job_id>")
    def show(job_id: str) -> Response:
        job = desk().find(job_id)
        return _told_when(reply(job_to_dict(job)), job)

    @jobs.delete("/v1/jobs/<job_id>")
    def purge(job_id: str) -> Response:
        desk().purge(job_id)
        return Response(status=204)

    @jobs.post("/v1/jobs/<job_id>/cancel")
    def cancel(job_id: str) -> Response:
        return reply(job_to_dict(desk().cancel(job_id)))


def _add_results(jobs: Blueprint, desk: Callable[[], JobDesk]) -> None:
    streams = threading.BoundedSemaphore(_MOST_STREAMS)

    @jobs.get("/v1/jobs/<job_id>/events")
    def events(job_id: str) -> Response:
        job = desk().find(job_id)
        if not streams.acquire(blocking=False):
            raise Busy(_STREAMS_RETRY_S)
        look = partial(desk().site.ledger.job, job.id)
        response = Response(_events(look, job), content_type="text/event-stream")
        response.call_on_close(streams.release)
        response.headers["Cache-Control"] = "no-store"
        # Proxies that gather answers must not gather this one.
        response.headers["X-Accel-Buffering"] = "no"
        return response

    @jobs.get("/v1/jobs/<job_id>/results")
    def results(job_id: str) -> Response:
        job = desk().find(job_id)
        after = parse_after(request.args.get("after"))
        entries, more = desk().entries(job, after, _limit(MOST_ENTRIES))
        return _told_when(reply(entries_to_dict(job, entries, spec_of(job), more=more)), job)

    @jobs.get("/v1/jobs/<job_id>/result")
    def result(job_id: str) -> Response:
        g.shape = DOCUMENTS
        name = parse_format(request.args.get("format", AS_JSON))
        job = desk().find(job_id)
        if not job.state.ended:
            raise JobUnfinished(f"the job is {job.state}")
        form = FORMATS[name]
        if form.one and job.items > 1:
            raise OptionError(f"format {name} holds one document; this job has {job.items:,}")
        pieces = render(form, walk_entries(desk().site.ledger, job.id))
        response = Response(pieces, content_type=form.content_type)
        response.headers["Cache-Control"] = "no-store"
        file = f"shizi-{job.id[:8]}.{form.ending}"
        response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
        return response


def _told_when(response: Response, job: Job) -> Response:
    """Say when to ask again for a job that has not ended."""
    if not job.state.ended:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _limit(most: int) -> int:
    return parse_whole("limit", request.args.get("limit", str(most // 2)), 1, most)


def _events(look: Callable[[], Job], job: Job) -> Iterator[str]:
    """Tell of a job whenever it changes, until it has ended or the stream has lasted its time."""
    ends_at = time.monotonic() + STREAM_S
    told_at = 0.0
    version = -1
    yield f"retry: {_RECONNECT_MS}\n\n"
    while True:
        if job.version != version:
            version, told_at = job.version, time.monotonic()
            yield _event("end" if job.state.ended else "job", job_to_dict(job), version)
        elif time.monotonic() - told_at > _PING_S:
            told_at = time.monotonic()
            yield ": \n\n"
        if job.state.ended or time.monotonic() > ends_at:
            return
        time.sleep(_LOOK_S)
        try:
            job = look()
        except JobNotFound:
            yield "event: gone\ndata: {}\n\n"
            return
        except ShiziError:
            # The ledger is away for a moment; whoever listens asks again.
            return


def _event(kind: str, content: Json, number: int) -> str:
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(content)}\n\n"
