"""Builds the web application: routes, errors as JSON, headers that keep the page to itself."""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shizi.core.config import Settings
from shizi.core.errors import Busy, ShiziError, TooLarge
from shizi.formats import error_to_dict, failure_to_dict
from shizi.server.api import PageReader, create_api, reply

_log = logging.getLogger(__name__)

# Nothing but our own files may run, and nobody may put the page into a frame.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_app(settings: Settings, reader: PageReader) -> Flask:
    """Assemble the service.

    Args:
        settings: resolved at the edge.
        reader: shared by all threads; it must be safe for that.

    Returns:
        A WSGI application with `/`, `/ocr` and `/healthz`.
    """
    app = Flask("shizi.server", static_folder="static", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.server.max_body_bytes
    app.register_blueprint(create_api(settings, reader))
    app.register_error_handler(ShiziError, _answer_error)
    app.register_error_handler(RequestEntityTooLarge, _answer_too_large)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)
    app.after_request(_add_headers)
    return app


def _answer_error(error: ShiziError) -> Response:
    response = reply(error_to_dict(error), error.http_status)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def _answer_too_large(_: RequestEntityTooLarge) -> Response:
    limit = request.max_content_length or 0
    response = _answer_error(TooLarge("max_body_bytes", limit, request.content_length or limit + 1))
    # The body was not read: the connection cannot carry another request.
    response.headers["Connection"] = "close"
    return response


def _answer_http(error: HTTPException) -> Response:
    code = (error.name or "error").lower().replace(" ", "_")
    message = f"{request.method} {request.path}: {(error.name or 'error').lower()}"
    failure = failure_to_dict(code, message, "The page at `/` and `POST /ocr` are served here.")
    response = reply(failure, error.code or 500)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _answer_unexpected(error: Exception) -> Response:
    """Answer a bug of ours without its details; the log has them, and never the document."""
    _log.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
    return _answer_error(ShiziError("an unexpected error; the log of the service has its trace"))


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
