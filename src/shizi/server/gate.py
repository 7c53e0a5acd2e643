"""Who may ask, and how often: keys, limits, and the pages of other origins."""

from __future__ import annotations

import ipaddress
import logging
import time

from flask import Flask, Response, g, request

from shizi.core.config import ServerSettings
from shizi.core.errors import RateLimited, Unauthorized
from shizi.server.compat.baidu import BAIDU_PREFIX, TOKEN_PARAMETER
from shizi.server.keys import Key, KeyRing
from shizi.server.rates import Rates, Standing

_log = logging.getLogger(__name__)

# What needs no key: whether the service lives, the page, and the documentation.
_OPEN = frozenset(
    {
        "/",
        "/releases",
        "/static/<path:filename>",
        "/healthz",
        "/readyz",
        "/docs",
        "/docs/style.css",
        "/openapi.json",
        "/errors/<code>",
        "/oauth/2.0/token",
    }
)


def install_gate(app: Flask, server: ServerSettings) -> None:
    """Ask the requests of an application for a key, and count them against their limits.

    Raises:
        ConfigError: the file of keys or the limit of the settings is malformed.
    """
    rates = Rates()
    rates.check(server.rate_limit)
    ring = KeyRing(server.keys, rates.check) if server.keys else None
    if ring is None and not is_loopback(server.host):
        _log.warning(
            "the service listens on %s without keys: whoever reaches it may use it; "
            "see `shizi keys add` and the setting server.keys",
            server.host,
        )

    def enter() -> None:
        rule = request.url_rule
        if rule is None or rule.rule in _OPEN or request.method == "OPTIONS":
            return
        key = _known(ring)
        limit = (key.limit if key else "") or server.rate_limit
        if limit and request.method == "POST":
            _count(rates, key, limit)

    app.before_request(enter)
    app.after_request(_tell_standing)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def presented_key() -> str:
    """Give the key a request shows, empty for none."""
    if given := request.headers.get("X-API-Key"):
        return given
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    if request.path.startswith(BAIDU_PREFIX):
        return request.args.get(TOKEN_PARAMETER, "")
    return ""


def _known(ring: KeyRing | None) -> Key | None:
    if ring is None:
        return None
    text = presented_key()
    if not text:
        raise Unauthorized("the request has no key")
    key = ring.find(text)
    if key is None:
        raise Unauthorized("the key is not known")
    g.key_name = key.name
    return key


def _count(rates: Rates, key: Key | None, limit: str) -> None:
    who = f"key {key.name}" if key else f"address {request.remote_addr}"
    g.standing = standing = rates.hit(who, limit)
    if standing.exceeded:
        raise RateLimited(max(1.0, standing.reset_at_s - time.time()))


def _tell_standing(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        wait_s = max(0, round(standing.reset_at_s - time.time()))
        response.headers["RateLimit-Limit"] = str(standing.limit)
        response.headers["RateLimit-Remaining"] = str(standing.remaining)
        response.headers["RateLimit-Reset"] = str(wait_s)
    return response
