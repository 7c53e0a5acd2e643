"""Services on a socket, for clients to ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give what serves an application and tells its address."""
    started: list[tuple[Any, threading.Thread]] = []

    def start(app: Any) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        started.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()
