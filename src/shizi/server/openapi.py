"""The OpenAPI document of the service, made from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shizi.core.errors import error_kinds
from shizi.formats import FORMATS, Json
from shizi.server.apischema import PLAIN, ref, schemas
from shizi.server.bodies import RAW_TYPES
from shizi.server.compat.baidu import BAIDU_KINDS, BAIDU_PREFIX
from shizi.server.compat.choice import COMPAT
from shizi.server.jobapi import TAG as JOBS
from shizi.server.jobapi import job_paths, job_schemas
from shizi.server.operations import (
    GUARDED,
    JSON,
    PROBLEM,
    operation_id,
    option_parameters,
    path_parameter,
    query_parameter,
    refusals,
)
from shizi.server.releaseapi import TAG as RELEASES
from shizi.server.releaseapi import release_paths, release_schemas
from shizi.server.schema import AS_JSON, RESULT_FORMATS, Option, plain_options

_REFUSED = {
    "400": "malformed, or without a picture",
    "401": "no key, or an unknown one",
    "404": "there is none",
    "408": "the body took too long to arrive",
    "413": "over a limit on bytes, pixels, pages or pictures",
    "415": "no picture or document of a known format, or a body of an unknown type",
    "422": "a damaged or encrypted file, or a wrong option",
    "429": "too many requests; Retry-After says when to come back",
    "500": "a fault of the service",
    "501": "a package that the format needs is not installed",
    "503": "busy; Retry-After says when to come back",
    "504": "the time given ran out",
}
_READING_CODES = tuple(code for code in _REFUSED if code not in ("404", "501"))


@dataclass(frozen=True, slots=True)
class _Operation:
    """One route in the document.

    Attributes:
        path: its template.
        method: in small letters.
        summary: one line.
        answers: schemas of the body of a success; none where it is no JSON.
        kind: content type of a success.
        tag: group.
        guarded: whether it asks for a key where there are any.
        files: whether it may answer with a file.
    """

    path: str
    method: str
    summary: str
    answers: tuple[str, ...] = ()
    kind: str = JSON
    tag: str = "facts"
    guarded: bool = False
    files: bool = False


_READING = (
    _Operation(
        "/v1/ocr",
        "post",
        "Read pictures and documents: an entry each.",
        ("DocumentsAnswer",),
        tag="reading",
        guarded=True,
        files=True,
    ),
    _Operation(
        "/ocr",
        "post",
        "Read pictures and documents: their lines.",
        ("LinesAnswer", "ManyLinesAnswer"),
        tag="reading",
        guarded=True,
        files=True,
    ),
    _Operation(
        "/api/ocr",
        "post",
        "Read pictures and documents: the texts of their lines alone.",
        ("TextsAnswer",),
        tag="reading",
        guarded=True,
    ),
)
_FACTS = (
    _Operation("/v1/models", "get", "List the models.", ("Models",), guarded=True),
    _Operation("/v1/options", "get", "List options and limits.", ("OptionList",), guarded=True),
    _Operation("/healthz", "get", "Tell whether the service lives.", ("Status",)),
    _Operation("/readyz", "get", "Tell whether pictures can be read now.", ("Status",)),
    _Operation("/metrics", "get", "Give numbers for Prometheus.", kind="text/plain", guarded=True),
    _Operation("/errors/{code}", "get", "Tell what an error means.", kind="text/html"),
)
_COMPATIBLE = (
    _Operation(
        "/api/ocr/get_options",
        "get",
        "List the options that clients of Umi-OCR know.",
        tag="compatible",
        guarded=True,
    ),
    _Operation(
        "/rest/2.0/ocr/v1/{kind}",
        "post",
        "Read a picture for clients of Baidu; failures are told in the body of a success.",
        tag="compatible",
        guarded=True,
    ),
)
_PATH_VALUES = {
    "code": sorted(kind.code for kind in error_kinds()),
    "kind": list(BAIDU_KINDS),
}


def openapi_document(version: str, options: Mapping[str, Option], max_documents: int) -> Json:
    """Make the document.

    Args:
        version: of the program.
        options: what a request may choose.
        max_documents: pictures in one request.
    """
    paths: Json = {}
    for operation in (*_READING, *_FACTS, *_COMPATIBLE):
        paths[operation.path] = {operation.method: _describe(operation, options)}
    paths |= job_paths(plain_options(options), _request_body(PLAIN)) | release_paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shizi 识字",
            "version": version,
            "summary": "Reads Chinese and English text in pictures and documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in ("reading", JOBS, RELEASES, "facts", "compatible")],
        "paths": paths,
        "components": {
            "schemas": schemas(options, max_documents) | job_schemas() | release_schemas(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _describe(operation: _Operation, options: Mapping[str, Option]) -> Json:
    content: Json = {
        "operationId": operation_id(operation.method, operation.path),
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {"200": _success(operation), **_refusals(operation)},
    }
    if operation.guarded:
        content["security"] = list(GUARDED)
    if operation.tag == "reading":
        taken = options if operation.files else plain_options(options)
        content["parameters"] = _parameters(operation, taken)
        content["requestBody"] = _request_body("" if operation.files else PLAIN)
    elif operation.path.endswith("}"):
        content["parameters"] = [_path_parameter(operation.path)]
    if operation.path.startswith(BAIDU_PREFIX):
        form: Json = {"application/x-www-form-urlencoded": {"schema": ref("BaiduRequest")}}
        content["requestBody"] = {"required": True, "content": form}
    return content


def _path_parameter(path: str) -> Json:
    name = path.rpartition("{")[2].rstrip("}")
    return path_parameter(name, {"type": "string", "enum": _PATH_VALUES[name]})


def _success(operation: _Operation) -> Json:
    answers = [ref(name) for name in operation.answers]
    schema: Json = answers[0] if len(answers) == 1 else {"anyOf": answers} if answers else {}
    if operation.path == "/ocr":
        # Another shape that the address asks for is one of another service.
        schema = {"anyOf": [*answers, {"type": "object"}]}
    return {
        "description": "done",
        "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
        "content": {operation.kind: {"schema": schema or _plain(operation)}, **_files(operation)},
    }


def _files(operation: _Operation) -> Json:
    """Describe the files that a request may be answered with instead."""
    forms = [FORMATS[name] for name in RESULT_FORMATS if name != AS_JSON and operation.files]
    return {form.content_type: {"schema": {"type": "string"}} for form in forms}


def _plain(operation: _Operation) -> Json:
    """Describe an answer that is no form of ours."""
    return {"type": "object" if operation.kind == JSON else "string"}


def _refusals(operation: _Operation) -> Json:
    """Describe the failures: as problems under /v1, elsewhere in the form of old."""
    if operation.path == "/readyz":
        content = {JSON: {"schema": ref("Status")}}
        return {"503": {"description": "not now", "content": content}}
    codes = _READING_CODES if operation.tag == "reading" else ()
    if operation.files:
        codes = (*codes, "501")
    if operation.path.endswith("/{code}"):
        codes = ("404",)
    elif operation.guarded and not codes and not operation.path.startswith(BAIDU_PREFIX):
        codes = ("401",)
    problem = operation.path.startswith("/v1/")
    kind = PROBLEM if problem else JSON
    schema: Json = ref("Problem" if problem else "Failure")
    if operation.path == "/ocr":
        schema = {"anyOf": [schema, {"type": "object"}]}
    return refusals(codes, _REFUSED, schema, kind)


def _parameters(operation: _Operation, options: Mapping[str, Option]) -> list[Json]:
    parameters = list(option_parameters(options))
    if operation.path == "/ocr":
        doc = "answers as another service does"
        schema: Json = {"type": "string", "enum": list(COMPAT)}
        parameters.append(query_parameter("compat", doc, schema))
    return parameters


def _request_body(prefix: str = "") -> Json:
    binary: Json = {"schema": ref("File")}
    return {
        "required": True,
        "description": "pictures and documents, one of these ways",
        "content": {
            "multipart/form-data": {"schema": ref(f"{prefix}FormRequest")},
            JSON: {"schema": ref(f"{prefix}JsonRequest")},
            **{kind: binary for kind in RAW_TYPES},
        },
    }
