"""Turns any error into the answer its client expects."""

from __future__ import annotations

import logging
from dataclasses import replace

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from shizi.core.errors import (
    Busy,
    RateLimited,
    RequestError,
    ShiziError,
    SlowClient,
    TooLarge,
    Unauthorized,
    bug,
)
from shizi.core.telemetry import request_id
from shizi.server.budget import linger
from shizi.server.compat.choice import shape_of_request
from shizi.server.metrics import Meter
from shizi.server.shapes import DOCUMENTS, PROBLEM_TYPE, Failure, error_title, reply, shorten

_log = logging.getLogger(__name__)


def install_failures(app: Flask, meter: Meter) -> None:
    """Answer the errors of an application, and count them by code."""

    def answer(failure: Failure) -> Response:
        meter.count_error(failure.code)
        return _answer(failure)

    app.register_error_handler(ShiziError, lambda error: answer(error_to_failure(error)))
    app.register_error_handler(RequestEntityTooLarge, lambda _: _closing(answer(_too_large())))
    app.register_error_handler(HTTPException, lambda error: answer(_http_to_failure(error)))
    app.register_error_handler(Exception, lambda error: answer(_bug_to_failure(error)))


def error_to_failure(error: ShiziError) -> Failure:
    """Tell an error of the tree; a client that is told to wait is told how long."""
    headers = {}
    if isinstance(error, Busy | RateLimited):
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="shizi"'
    if isinstance(error, SlowClient):
        headers["Connection"] = "close"
    return Failure(
        status=error.http_status,
        code=error.code,
        title=error_title(type(error)),
        detail=shorten(error.detail),
        advice=error.advice,
        path=shorten(request.path),
        request_id=request_id.get(),
        headers=headers,
    )


def _answer(failure: Failure) -> Response:
    shape = g.get("shape") or shape_of_request(request)
    if request.headers.get("Accept", "").startswith(PROBLEM_TYPE):
        shape = DOCUMENTS
    content, status = shape.failure(failure)
    response = reply(content, status, shape.failure_type)
    response.headers.update(failure.headers)
    return response


def _closing(response: Response) -> Response:
    """Let a client send to the end before its connection is closed."""
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        response.call_on_close(lambda: linger(connection))
    return response


def _too_large() -> Failure:
    limit = request.max_content_length or 0
    error = TooLarge("max_body_bytes", limit, request.content_length or limit + 1)
    failure = error_to_failure(error)
    # The body was not read: the connection cannot carry another request.
    return replace(failure, headers={"Connection": "close"})


def _http_to_failure(error: HTTPException) -> Failure:
    if isinstance(error, BadRequest):
        return error_to_failure(RequestError("the request is malformed"))
    name = error.name or "error"
    failure = Failure(
        status=error.code or 500,
        code=name.lower().replace(" ", "_"),
        title=name,
        detail=shorten(f"{request.method} {request.path}: {name.lower()}"),
        advice="`/docs` lists what is served here; the page is at `/`.",
        path=shorten(request.path),
        request_id=request_id.get(),
    )
    if allowed := getattr(error, "valid_methods", None):
        return replace(failure, headers={"Allow": ", ".join(sorted(allowed))})
    return failure


def _bug_to_failure(error: Exception) -> Failure:
    """Tell a bug of ours without its details; the log has them, and never the document."""
    _log.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
    return error_to_failure(bug())
