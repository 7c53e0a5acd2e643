"""Names every request, and tells of it in the log: what was asked, never what was read."""

from __future__ import annotations

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from shizi.core.telemetry import request_id

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._:/+=@~-]{1,64}")
_log = logging.getLogger("shizi.access")


def choose_id(given: str | None) -> str:
    """Take the name a client gave its request, where it is harmless, or make one."""
    return given if given and _SANE.fullmatch(given) else uuid.uuid4().hex


def route_of_request() -> str:
    """Give the template of the route; what a client made up of a path is in no log or metric."""
    return request.url_rule.rule if request.url_rule else "unmatched"


def seconds_so_far() -> float:
    """Give the seconds since the request came."""
    return time.perf_counter() - float(g.get("started", time.perf_counter()))


def install_trace(app: Flask) -> None:
    """Name the requests of an application and log them."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def _begin() -> None:
    g.started = time.perf_counter()
    g.started_at = time.time()
    request_id.set(choose_id(request.headers.get(HEADER)))


def _end(response: Response) -> Response:
    response.headers[HEADER] = request_id.get()
    fields = {
        "method": request.method,
        "route": route_of_request(),
        "status": response.status_code,
        "seconds": round(seconds_so_far(), 4),
        "bytes_in": request.content_length or 0,
        "bytes_out": response.content_length or 0,
    }
    if key := g.get("key_name"):
        fields["key"] = key
    _log.info("request", extra={"fields": fields})
    return response


def _forget(_: BaseException | None) -> None:
    request_id.set("")
