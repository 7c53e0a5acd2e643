"""The shapes of an answer: what a client of one kind finds in it, well or failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Response

from shizi.core.errors import ShiziError
from shizi.formats import Json, pages_to_dict
from shizi.server.reading import Answer, Reading

PROBLEM_TYPE = "application/problem+json"
_MAX_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was refused or failed.

    Attributes:
        status: of HTTP.
        code: stable name.
        title: what the code means, whatever the request was.
        detail: what is wrong with this request; never holds recognized text.
        advice: what the client can do.
        path: that was asked for.
        request_id: names the request.
        headers: that go with it, such as Retry-After.
    """

    status: int
    code: str
    title: str
    detail: str
    advice: str
    path: str
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """How clients of one kind are answered.

    Attributes:
        answer: gives the object of an answer.
        failure: gives the object of a failure, and the status it is sent with.
        failure_type: content type of a failure.
        one: whether it has room for one picture alone.
        files: whether a request may ask for a file of another format instead.
    """

    answer: Callable[[Answer], Json]
    failure: Callable[[Failure], tuple[Json, int]]
    failure_type: str = "application/json"
    one: bool = False
    files: bool = False


def reply(content: Mapping[str, object], status: int = 200, kind: str = "") -> Response:
    """Answer with JSON, Chinese as it is; no cache may keep what a document says."""
    text = json.dumps(content, ensure_ascii=False) + "\n"
    response = Response(text.encode("utf-8", "replace"), status)
    response.content_type = kind or "application/json"
    response.headers["Cache-Control"] = "no-store"
    return response


def error_title(kind: type[ShiziError]) -> str:
    """Say what an error's code means: the first line of its docstring."""
    if kind is ShiziError:
        return "A fault of the service"
    first = (kind.__doc__ or kind.code).splitlines()[0]
    return first.rstrip(".")


def shorten(detail: str) -> str:
    """Keep a message from growing with what the client sent."""
    return detail if len(detail) <= _MAX_DETAIL else detail[: _MAX_DETAIL - 1] + "…"


def _problem(failure: Failure) -> tuple[Json, int]:
    """Give a problem of RFC 9457."""
    return {
        "type": f"/errors/{failure.code}",
        "title": failure.title,
        "status": failure.status,
        "detail": failure.detail,
        "instance": failure.path,
        "code": failure.code,
        "advice": failure.advice,
        "request_id": failure.request_id,
    }, failure.status


def _failed(failure: Failure) -> tuple[Json, int]:
    return {
        "success": False,
        "error": {"code": failure.code, "message": failure.detail, "advice": failure.advice},
        "results": [],
        "request_id": failure.request_id,
    }, failure.status


def _document(number: int, reading: Reading, *, relative: bool) -> Json:
    """Give one picture's entry among several."""
    if reading.error is None:
        content = pages_to_dict(reading.pages, reading.seconds, relative=relative)
        del content["schema"]
        return {"document": number, **content}
    error = reading.error
    told = {
        "code": error.code,
        "status": error.http_status,
        "message": shorten(error.detail),
        "advice": error.advice,
    }
    return {"document": number, "success": False, "error": told, "results": []}


def _documents(answer: Answer) -> list[Json]:
    relative = answer.call.relative
    return [
        _document(number, reading, relative=relative)
        for number, reading in enumerate(answer.readings, start=1)
    ]


def _of_documents(answer: Answer) -> Json:
    """Give an entry a picture, however many there are."""
    return _with_documents(answer, _documents(answer))


def _with_documents(answer: Answer, documents: list[Json]) -> Json:
    whole = pages_to_dict((), answer.total_time_s)
    return {
        "success": all(reading.error is None for reading in answer.readings),
        "documents": documents,
        "total_time": whole["total_time"],
        "schema": whole["schema"],
        "request_id": answer.request_id,
    }


def _of_lines(answer: Answer) -> Json:
    """Give the lines of all pictures; of several, each line names its own."""
    if len(answer.readings) == 1:
        pages = answer.pages()
        content = pages_to_dict(pages, answer.total_time_s, relative=answer.call.relative)
        return {**content, "request_id": answer.request_id}
    documents = _documents(answer)
    lines = [
        {**line, "document": document["document"]}
        for document in documents
        for line in _lines_of(document)
    ]
    content = _with_documents(answer, documents)
    return {"success": content.pop("success"), "results": lines, **content}


def _lines_of(document: Json) -> list[Json]:
    lines = document["results"]
    return lines if isinstance(lines, list) else []


def _of_texts(answer: Answer) -> Json:
    """Give nothing but the texts of the lines; of several pictures, those of each as well."""
    content: Json = {
        "success": all(reading.error is None for reading in answer.readings),
        "text": [line.text for page in answer.pages() for line in page],
        "request_id": answer.request_id,
    }
    if len(answer.readings) > 1:
        content["documents"] = [
            {
                "document": document["document"],
                "success": document["success"],
                **({"error": document["error"]} if "error" in document else {}),
                "text": [line["text"] for line in _lines_of(document)],
            }
            for document in _documents(answer)
        ]
    return content


DOCUMENTS = Shape(_of_documents, _problem, PROBLEM_TYPE, files=True)
"""Of `/v1`: an entry a picture; failures as RFC 9457 has them."""
LINES = Shape(_of_lines, _failed, files=True)
"""Of `/ocr`: the lines."""
TEXTS = Shape(_of_texts, _failed)
"""Of `/api/ocr`: the texts of the lines alone."""
