"""Who may handle releases over HTTP, and the form of what they send."""

from __future__ import annotations

import json
import threading
from typing import TypeVar

import msgspec
from flask import g, request

from shizi.core.config import Settings
from shizi.core.errors import NoRelease, OptionError, RequestError, Unauthorized
from shizi.release.desk import Desk
from shizi.release.places import open_store
from shizi.release.store import ReleaseStore
from shizi.server.gate import is_loopback

_MOST_BODY = 64 * 1024
_PAGE_ACTOR = "the page"

_Form = TypeVar("_Form")


class Door:
    """Opens the desk of releases to whoever may; threads share it.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._store: ReleaseStore | None = None

    def desk(self, *, open_to_all: bool = False) -> Desk:
        """Give the desk to the current request.

        Args:
            open_to_all: who may ask for a reading may do this, too.

        Raises:
            Unauthorized: the service has no keys, and the request comes from another machine; or
                it comes from a page of another origin.
            NoRelease: the service keeps no releases.
        """
        local = is_loopback(request.remote_addr or "")
        if not open_to_all and "key_name" not in g and not local:
            raise Unauthorized("releases of a service without keys are handled on its own machine")
        origin = request.headers.get("Origin")
        if origin and origin.partition("://")[2] != request.host:
            raise Unauthorized("releases are not handled from pages of other origins")
        return Desk(self._open(), g.get("key_name", _PAGE_ACTOR))

    def _open(self) -> ReleaseStore:
        place = self.settings.releases.store
        if not place:
            raise NoRelease("this service keeps no releases; the setting releases.store says where")
        with self._lock:
            if self._store is None:
                self._store = open_store(place)
            return self._store


def read_form(form: type[_Form]) -> _Form:
    """Read the body of the current request.

    Raises:
        RequestError: it is no JSON, or too long.
        OptionError: a value is unknown, of a wrong type or out of range.
    """
    # A page of another origin cannot send this type without being asked for leave first.
    if request.mimetype != "application/json" or (request.content_length or 0) > _MOST_BODY:
        raise RequestError("the body is to be a JSON object of at most 64 KiB")
    try:
        content = json.loads(
            request.get_data(cache=False), parse_float=_number, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        raise RequestError("the body is no valid JSON") from error
    try:
        return msgspec.convert(content, form)
    except msgspec.ValidationError as error:
        raise OptionError(str(error)) from error


def _number(text: str) -> int | float:
    """Read a number; 5.0 is a whole one in JSON."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")
