"""The routes of jobs in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shizi.formats import Json
from shizi.jobs.values import JobState
from shizi.server.apischema import array, record, ref, text, whole
from shizi.server.handin import ARCHIVE_TYPES, NAME_PARAMETER, WEBHOOK
from shizi.server.jobdesk import KEY_HEADER, MOST_ENTRIES, MOST_LISTED
from shizi.server.operations import (
    Route,
    option_parameters,
    path_parameter,
    query_parameter,
    routes_to_paths,
)
from shizi.server.schema import RESULT_FORMATS, Option

TAG = "jobs"
_REFUSALS = ("400", "401", "408", "413", "415", "422", "429", "500", "503", "507")
_TOLD = {
    "400": "malformed, or without a picture",
    "401": "no key, or an unknown one",
    "404": "there is no such job, or none any more",
    "408": "the body took too long to arrive",
    "409": "the job has not ended yet",
    "413": "over a limit on bytes or files",
    "415": "a body or file of an unknown type",
    "422": "a wrong option or a damaged archive, or a key used for something else",
    "429": "too many requests or jobs; Retry-After says when to come back",
    "500": "a fault of the service",
    "501": "a package that the format needs is not installed",
    "503": "the ledger cannot be reached; Retry-After says when to come back",
    "507": "there is no room for more files",
}
_STATE: Json = {"type": "string", "enum": [str(state) for state in JobState]}
_COUNTS: Json = {
    "files_total": whole("files of the job, those of archives counted"),
    "files_failed": whole("that could not be read"),
    "pages_total": whole("known so far; documents turn out to have more"),
    "pages_done": whole("read so far"),
}
_NEXT: Json = {"type": ["string", "null"], "description": "where the next ones are"}

_ID = path_parameter("job_id", {"type": "string", "pattern": "^[0-9a-f]{32}$"})
_KEY: Json = {
    "name": KEY_HEADER,
    "in": "header",
    "description": "names the submission: sent twice with one key, it is one job",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_NAME = query_parameter(NAME_PARAMETER, "of a file whose bytes come alone", {"type": "string"})
_AFTER = query_parameter(
    "after",
    "place of the last one before, as `next` has it",
    {"type": "string", "pattern": r"^[0-9]{1,7}\.[0-9]{1,10}$"},
)
_BEFORE = query_parameter(
    "before",
    "id of the last one before",
    {"type": "string", "pattern": "^[0-9a-f]{32}$"},
)
_FORMAT = query_parameter("format", "of the file", {"type": "string", "enum": list(RESULT_FORMATS)})


def _limit(most: int) -> Json:
    schema: Json = {"type": "integer", "minimum": 1, "maximum": most}
    return query_parameter("limit", "how many at most", schema)


_ROUTES = (
    Route(
        "/v1/jobs",
        "get",
        "List jobs, the newest first.",
        "Jobs",
        ("401", "404", "422", "503"),
        parameters=(_limit(MOST_LISTED), _BEFORE),
    ),
    Route(
        "/v1/jobs/{job_id}",
        "get",
        "Tell how a job stands.",
        "Job",
        ("401", "404", "503"),
        parameters=(_ID,),
    ),
    Route(
        "/v1/jobs/{job_id}",
        "delete",
        "Cancel a job and forget all of it.",
        "",
        ("401", "404", "503"),
        status="204",
        parameters=(_ID,),
    ),
    Route(
        "/v1/jobs/{job_id}/cancel",
        "post",
        "Cancel a job; what was read of it stays.",
        "Job",
        ("401", "404", "429", "503"),
        parameters=(_ID,),
    ),
    Route(
        "/v1/jobs/{job_id}/events",
        "get",
        "Tell of a job as it goes on, as server-sent events.",
        "text/event-stream",
        ("401", "404", "503"),
        parameters=(_ID,),
    ),
    Route(
        "/v1/jobs/{job_id}/results",
        "get",
        "Give what was read, some at a time.",
        "Entries",
        ("401", "404", "422", "503"),
        parameters=(_ID, _AFTER, _limit(MOST_ENTRIES)),
    ),
    Route(
        "/v1/jobs/{job_id}/result",
        "get",
        "Give what was read as one file.",
        "*/*",
        ("401", "404", "409", "422", "501", "503"),
        parameters=(_ID, _FORMAT),
    ),
    Route(
        "/status/{job_id}",
        "get",
        "Tell how a job stands, and when it has ended, what it brought.",
        "Task",
        ("401", "404", "503"),
        parameters=(_ID,),
        old=True,
    ),
)


def job_paths(options: Mapping[str, Option], body: Json) -> Json:
    """Give the paths.

    Args:
        options: what a request may choose.
        body: of the requests that read.
    """
    return routes_to_paths((*_submissions(options, body), *_ROUTES), TAG, _TOLD)


def _submissions(options: Mapping[str, Option], body: Json) -> Iterator[Route]:
    for path, answer, old in (("/upload", "Task", True), ("/v1/jobs", "Job", False)):
        yield Route(
            path,
            "post",
            "Hand in pictures, documents and ZIP archives, to be read later.",
            answer,
            _REFUSALS,
            status="202",
            parameters=(*option_parameters(options), _NAME, _KEY),
            body=_job_body(body),
            old=old,
        )


def _job_body(body: Json) -> Json:
    """Let archives in, and an address that is told of the end."""
    content = body["content"]
    assert isinstance(content, dict)  # noqa: S101 - made by openapi.py
    archives = {kind: {"schema": ref("File")} for kind in ARCHIVE_TYPES}
    doc = (
        f"pictures, documents and ZIP archives, one of these ways; a form and a JSON object may "
        f"hold `{WEBHOOK}`, an address that is told when the job has ended"
    )
    return {**body, "description": doc, "content": {**content, **archives}}


def job_schemas() -> Json:
    """Give the forms of answers."""
    entry = {
        "type": "object",
        "description": "a page, as `/v1/ocr` has a document; or why a file could not be read",
        "properties": {
            "document": whole("the file, from 1"),
            "name": text("of the file"),
            "success": {"type": "boolean"},
            "results": array(ref("Line")),
        },
        "required": ["document", "name", "success", "results"],
    }
    entries = {
        "id": text("of the job"),
        "status": _STATE,
        "results": array(ref("Entry")),
        "next": _NEXT,
    }
    return {
        "Job": _job(),
        "Jobs": record({"jobs": array(ref("Job")), "next": _NEXT}),
        "Entry": entry,
        "Entries": record(entries),
        "Task": _task(),
    }


def _job() -> Json:
    moment: Json = {"type": ["string", "null"], "format": "date-time"}
    times = ("created_at", "started_at", "finished_at", "expires_at")
    return record(
        {
            "id": text("cannot be guessed"),
            "status": _STATE,
            "files_done": whole("read or failed"),
            **_COUNTS,
            **dict.fromkeys(times, moment),
            "links": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    )


def _task() -> Json:
    """Give the form in which `/upload` and `/status` tell of a job."""
    task = {
        "success": {"const": True},
        "task_id": text("id of the job"),
        "status": _STATE,
        "status_url": text("where it is told"),
        **_COUNTS,
        "results": array(ref("Entry"), "once it has ended: the first of them"),
        "next": _NEXT,
    }
    return record(task, ("results", "next"))
