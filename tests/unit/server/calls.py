"""Ways to ask the service in tests."""

from __future__ import annotations

import base64
import io
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shizi.core.config import load
from shizi.server.app import create_app
from tests.fakes import FakeReader


def client_of(reader: FakeReader | None = None, **flags: Any) -> FlaskClient:
    """Serve a reader; flags are settings, with two underscores for the point."""
    settings = load({k.replace("__", "."): v for k, v in flags.items()}, environ={}).settings
    return create_app(settings, reader or FakeReader()).test_client()


def b64(data: bytes = b"picture") -> str:
    """Give bytes in base64."""
    return base64.b64encode(data).decode()


def file(data: bytes = b"picture") -> tuple[io.BytesIO, str]:
    """Give a file of a form."""
    return io.BytesIO(data), "page.png"


def content_of(answer: TestResponse) -> Any:
    """Give the JSON of an answer."""
    assert answer.json is not None
    return answer.json
