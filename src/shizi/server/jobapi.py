"""The routes of jobs in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shizi.formats import Json
from shizi.jobs.values import JobState
from shizi.server.apischema import array, option_text_schema, record, ref, text, whole
from shizi.server.handin import ARCHIVE_TYPES, NAME_PARAMETER, WEBHOOK
from shizi.server.jobdesk import KEY_HEADER, MOST_ENTRIES, MOST_LISTED
from shizi.server.jobs import RESULT_FORMATS
from shizi.server.schema import Option

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


def job_paths(options: Mapping[str, Option], body: Json) -> Json:
    """Give the paths.

    Args:
        options: what a request may choose.
        body: of the requests that read.
    """
    paths: Json = {}
    for old, path in ((True, "/upload"), (False, "/v1/jobs")):
        told = "Task" if old else "Job"
        paths[path] = {
            "post": _operation(
                path,
                "post",
                "Hand in pictures, documents and ZIP archives, to be read later.",
                ("202", told),
                _REFUSALS,
                [*_chosen(options), _key()],
                old=old,
            )
            | {"requestBody": _job_body(body)}
        }
    paths["/status/{job_id}"] = {
        "get": _operation(
            "/status/{job_id}",
            "get",
            "Tell how a job stands, and when it has ended, what it brought.",
            ("200", "Task"),
            ("401", "404", "503"),
            [_id()],
            old=True,
        )
    }
    for path, method, summary, success, refusals, parameters in _JOB_ROUTES:
        place = paths.setdefault(path, {})
        assert isinstance(place, dict)  # noqa: S101 - just made
        place[method] = _operation(path, method, summary, success, refusals, list(parameters))
    return paths


def job_schemas() -> Json:
    """Give the forms of answers."""
    state: Json = {"type": "string", "enum": [str(state) for state in JobState]}
    counts: Json = {
        "files_total": whole("files of the job, those of archives counted"),
        "files_failed": whole("that could not be read"),
        "pages_total": whole("known so far; documents turn out to have more"),
        "pages_done": whole("read so far"),
    }
    moment: Json = {"type": ["string", "null"], "format": "date-time"}
    following: Json = {"type": ["string", "null"], "description": "where the next ones are"}
    times = ("created_at", "started_at", "finished_at", "expires_at")
    job = record(
        {
            "id": text("cannot be guessed"),
            "status": state,
            "files_done": whole("read or failed"),
            **counts,
            **dict.fromkeys(times, moment),
            "links": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    )
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
    task = {
        "success": {"const": True},
        "task_id": text("id of the job"),
        "status": state,
        "status_url": text("where it is told"),
        **counts,
        "results": array(ref("Entry"), "once it has ended: the first of them"),
        "next": following,
    }
    return {
        "Job": job,
        "Jobs": record({"jobs": array(ref("Job")), "next": following}),
        "Entry": entry,
        "Entries": record(
            {
                "id": text("of the job"),
                "status": state,
                "results": array(ref("Entry")),
                "next": following,
            }
        ),
        "Task": record(task, ("results", "next")),
    }


def _operation(
    path: str,
    method: str,
    summary: str,
    success: tuple[str, str],
    refusals: Sequence[str],
    parameters: Sequence[Json],
    *,
    old: bool = False,
) -> Json:
    kind = "application/json" if old else "application/problem+json"
    failure = ref("Failure" if old else "Problem")
    status, schema = success
    answer: Json = {"description": "done"}
    if schema.startswith("text/") or schema == "*/*":
        answer["content"] = {schema: {"schema": {"type": "string"}}}
    elif schema:
        answer["content"] = {"application/json": {"schema": ref(schema)}}
    words = path.strip("/").translate(str.maketrans("/.", "__", "{}"))
    return {
        "operationId": f"{method}_{words}",
        "tags": [TAG],
        "summary": summary,
        "security": [{}, {"key": []}, {"bearer": []}],
        "parameters": list(parameters),
        "responses": {
            status: answer,
            **{
                code: {"description": _TOLD[code], "content": {kind: {"schema": failure}}}
                for code in refusals
            },
        },
    }


def _query(name: str, doc: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": doc, "schema": schema}


def _id() -> Json:
    schema: Json = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    return {
        "name": "job_id",
        "in": "path",
        "required": True,
        "description": "which",
        "schema": schema,
    }


def _key() -> Json:
    doc = "names the submission: sent twice with one key, it is one job"
    schema: Json = {"type": "string", "pattern": "^[!-~]{1,255}$"}
    return {"name": KEY_HEADER, "in": "header", "description": doc, "schema": schema}


def _limit(most: int) -> Json:
    schema: Json = {"type": "integer", "minimum": 1, "maximum": most}
    return _query("limit", "how many at most", schema)


def _chosen(options: Mapping[str, Option]) -> list[Json]:
    chosen = [
        _query(
            option.name,
            option.doc,
            {k: v for k, v in option_text_schema(option).items() if k != "description"},
        )
        for option in options.values()
    ]
    name = _query(NAME_PARAMETER, "of a file whose bytes come alone", {"type": "string"})
    return [*chosen, name]


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


_AFTER = _query(
    "after",
    "place of the last one before, as `next` has it",
    {
        "type": "string",
        "pattern": r"^[0-9]{1,7}\.[0-9]{1,10}$",
    },
)
_BEFORE = _query(
    "before",
    "id of the last one before",
    {
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
    },
)
_FORMAT = _query("format", "of the file", {"type": "string", "enum": list(RESULT_FORMATS)})
_JOB_ROUTES: tuple[
    tuple[str, str, str, tuple[str, str], tuple[str, ...], tuple[Json, ...]], ...
] = (
    (
        "/v1/jobs",
        "get",
        "List jobs, the newest first.",
        ("200", "Jobs"),
        ("401", "404", "422", "503"),
        (_limit(MOST_LISTED), _BEFORE),
    ),
    (
        "/v1/jobs/{job_id}",
        "get",
        "Tell how a job stands.",
        ("200", "Job"),
        ("401", "404", "503"),
        (_id(),),
    ),
    (
        "/v1/jobs/{job_id}",
        "delete",
        "Cancel a job and forget all of it.",
        ("204", ""),
        ("401", "404", "503"),
        (_id(),),
    ),
    (
        "/v1/jobs/{job_id}/cancel",
        "post",
        "Cancel a job; what was read of it stays.",
        ("200", "Job"),
        ("401", "404", "429", "503"),
        (_id(),),
    ),
    (
        "/v1/jobs/{job_id}/events",
        "get",
        "Tell of a job as it goes on, as server-sent events.",
        ("200", "text/event-stream"),
        ("401", "404", "503"),
        (_id(),),
    ),
    (
        "/v1/jobs/{job_id}/results",
        "get",
        "Give what was read, some at a time.",
        ("200", "Entries"),
        ("401", "404", "422", "503"),
        (_id(), _AFTER, _limit(MOST_ENTRIES)),
    ),
    (
        "/v1/jobs/{job_id}/result",
        "get",
        "Give what was read as one file.",
        ("200", "*/*"),
        ("401", "404", "409", "422", "501", "503"),
        (_id(), _FORMAT),
    ),
)
