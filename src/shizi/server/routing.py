"""Which version reads a request: from its headers, its key, its session or its picture."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, Request, Response, g, request

from shizi.core.config import ServerSettings
from shizi.core.errors import OptionError
from shizi.release.document import Document
from shizi.release.member import Member
from shizi.release.observations import Side
from shizi.release.pinned import PinnedReader
from shizi.release.router import unit_of
from shizi.release.shadow import Shadow
from shizi.server.gate import is_loopback
from shizi.server.uploads import Picture

UNIT_HEADER = "X-Route-Key"
WISH_HEADER = "X-Shizi-Model"
VERSION_HEADER = "X-Model-Version"
EPOCH_HEADER = "X-Release-Epoch"
SESSION_COOKIE = "shizi_session"
_LONGEST_UNIT = 256


@dataclass(frozen=True, slots=True)
class RequestRouter:
    """Chooses the version for each request; threads share it.

    Attributes:
        member: of this process.
        server: settings of the service.
        shadow: reads a share with the canary too; None for nothing.
    """

    member: Member
    server: ServerSettings
    shadow: Shadow | None = None

    def pin(self, pictures: Sequence[Picture]) -> PinnedReader:
        """Decide who reads the current request; once, and all its pictures.

        Args:
            pictures: that it brings, or for a job what tells its first file from others.

        Raises:
            OptionError: it asks for a version that nobody is answered by, or must not ask.
        """
        document = self.member.running
        wish = self._wish(document)
        unit = _unit(request, pictures) if document else ""
        reader = PinnedReader(self.member, self.member.route(unit, wish), self.shadow)
        g.pinned = reader
        return reader

    def _wish(self, document: Document | None) -> Side | None:
        """Give the version a tester asks for; None where nobody does."""
        wish = request.headers.get(WISH_HEADER, "")
        if not wish:
            return None
        # Whoever may choose can feed a release with requests of his choice: not just anybody may.
        if self.server.keys is None and not is_loopback(self.server.host):
            raise OptionError(f"the header {WISH_HEADER} needs a service with keys")
        if wish in (Side.STABLE, document.stable if document else self.member.active):
            return Side.STABLE
        if document and wish in (Side.CANARY, document.canary):
            if document.serves_canary and not self.member.tripped:
                return Side.CANARY
            raise OptionError(f"{document.canary} answers nobody now: {document.phase}")
        raise OptionError(f"the header {WISH_HEADER} is {wish[:80]!r}; no such version is live")


def install_routing(app: Flask, member: Member) -> None:
    """Tell with each answer which version read it; keep a browser with one version in a release."""

    def tell(response: Response) -> Response:
        pinned: PinnedReader | None = g.get("pinned")
        if pinned is not None:
            response.headers[VERSION_HEADER] = pinned.version
            response.headers[EPOCH_HEADER] = str(pinned.route.epoch)
        if request.path == "/" and member.running and SESSION_COOKIE not in request.cookies:
            response.set_cookie(
                SESSION_COOKIE, secrets.token_urlsafe(12), httponly=True, samesite="Strict"
            )
        return response

    app.after_request(tell)


def _unit(asked: Request, pictures: Sequence[Picture]) -> str:
    explicit = asked.headers.get(UNIT_HEADER, "")
    if len(explicit) > _LONGEST_UNIT:
        raise OptionError(f"the header {UNIT_HEADER} is longer than {_LONGEST_UNIT} characters")
    session = asked.cookies.get(SESSION_COOKIE, "")[:_LONGEST_UNIT]
    content = next((picture for picture in pictures if isinstance(picture, bytes)), b"")
    return unit_of(
        explicit=explicit, api_key=g.get("key_name", ""), session=session, content=content
    )
