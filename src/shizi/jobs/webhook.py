"""Tells an address that a job has ended: signed, once resolved, never redirected, never inwards.

Addresses come from whoever hands a job in. A name is resolved once and the connection goes to what
was found, so that it cannot mean another machine a moment later; addresses that are not public are
refused unless the owner of the service names the host.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from shizi.core.choices import parse_names
from shizi.core.errors import OptionError, Unreachable

SIGNATURE = "Shizi-Signature"
_TIMEOUT_S = 10.0
_MOST_URL = 2_000
_PORTS = {"https": 443, "http": 80}

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may be told.

    Attributes:
        secret: signs what is sent.
        hosts: that may be told though they are of the own network, and without TLS.
    """

    secret: str
    hosts: frozenset[str] = frozenset()


def hosts_of(text: str) -> frozenset[str]:
    """Read hosts with commas between them."""
    return frozenset(host.lower() for host in parse_names(text))


def check_address(url: str, policy: Policy) -> None:
    """Look whether an address may be told at all.

    Raises:
        OptionError: it may not, and why.
    """
    parts = _split(url)
    known = parts.hostname in policy.hosts
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not known):
        raise OptionError("webhook is no address that begins with https://")
    if parts.username or parts.password:
        raise OptionError("webhook has a user or a password in it")
    if not known and parts.port not in (None, 443, 8443):
        raise OptionError("webhook is at a port other than 443 and 8443")
    if not known and _is_inward(parts.hostname or ""):
        raise OptionError("webhook leads into a network that is not public")


def sign(secret: str, at_s: int, body: bytes) -> str:
    """Give the header that proves who sent a body, and when: `t=1700000000,v1=hex`."""
    told = f"{at_s}.".encode() + body
    return f"t={at_s},v1={hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()}"


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a host.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def deliver(
    url: str,
    body: bytes,
    policy: Policy,
    clock: Callable[[], float] = time.time,
    resolve: Resolve = resolve,
) -> None:
    """Post a body.

    Args:
        url: as it was handed in.
        body: JSON.
        policy: who may be told.
        clock: seconds since 1970.
        resolve: finds the addresses of a host.

    Raises:
        OptionError: the address may not be told.
        Unreachable: it did not take it.
    """
    check_address(url, policy)
    parts = _split(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        place = _choose(resolve(host, port), known=host in policy.hosts)
        status = _post(
            parts.scheme,
            (host, port),
            place,
            target,
            {
                "Content-Type": "application/json",
                "User-Agent": "shizi",
                SIGNATURE: sign(policy.secret, int(clock()), body),
            },
            body,
        )
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"the webhook at {host} did not answer") from error
    if not 200 <= status < 300:
        raise Unreachable(f"the webhook at {host} answered with status {status}")


def _split(url: str) -> SplitResult:
    if len(url) > _MOST_URL or not url.isascii() or any(c.isspace() or c < "!" for c in url):
        raise OptionError("webhook is no address")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise OptionError("webhook is no address") from error
    if not parts.hostname:
        raise OptionError("webhook names no host")
    return parts


def _is_inward(host: str) -> bool:
    """Tell whether a text is an address of a network that is not public; a name is none yet."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return (
        not address.is_global
        or address.is_multicast
        or (mapped is not None and _is_inward(str(mapped)))
    )


def _choose(addresses: list[str], *, known: bool) -> str:
    """Choose where to connect to; one inward address among several refuses them all.

    Raises:
        OptionError: it is not public.
        OSError: there is none.
    """
    if not addresses:
        raise OSError("no address")
    if not known and any(map(_is_inward, addresses)):
        raise OptionError("webhook leads into a network that is not public")
    return addresses[0]


def _post(
    scheme: str,
    asked: tuple[str, int],
    place: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
) -> int:
    """Post to an address already resolved; gives the status, and reads no more of the answer."""
    host, port = asked
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    with contextlib.closing(connection):
        connection.sock = socket.create_connection((place, port), timeout=_TIMEOUT_S)
        if scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request("POST", target, body, headers | {"Host": _authority(host, port, scheme)})
        return connection.getresponse().status


def _authority(host: str, port: int, scheme: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _PORTS[scheme] else f"{shown}:{port}"
