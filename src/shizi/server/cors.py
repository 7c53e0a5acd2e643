"""Lets the pages of named origins call the service; without any, browsers let none."""

from __future__ import annotations

import re

from flask import Flask, Response, request

from shizi.core.choices import parse_names
from shizi.core.errors import ConfigError

_ORIGIN = re.compile(r"https?://[^\s/,*]+")
_ALLOWED = {
    "Access-Control-Allow-Methods": "DELETE, GET, POST",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-ID"
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (
    "Content-Disposition, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "Retry-After, X-Failed-Documents, X-Request-ID"
)


def parse_origins(text: str) -> frozenset[str]:
    """Read origins with commas, such as "https://a.example, http://localhost:3000".

    Raises:
        ConfigError: one is no origin; a star, which would be everybody, is none.
    """
    origins = frozenset(origin.rstrip("/") for origin in parse_names(text))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigError(
                f"server.cors_origins: {origin!r} is no origin such as https://a.example"
            )
    return origins


def install_cors(app: Flask, text: str) -> None:
    """Answer browsers that ask for pages of other origins.

    Raises:
        ConfigError: the setting is malformed.
    """
    origins = parse_origins(text)
    if not origins:
        return

    def preflight() -> Response | None:
        asked = request.headers.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or not asked or not _origin_in(origins):
            return None
        return Response(status=204, headers=_ALLOWED)

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        if origin := _origin_in(origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response

    app.before_request(preflight)
    app.after_request(allow)


def _origin_in(origins: frozenset[str]) -> str:
    origin = request.headers.get("Origin", "")
    return origin if origin in origins else ""
