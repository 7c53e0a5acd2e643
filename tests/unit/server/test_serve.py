"""What Gunicorn is told, and what is told where it cannot listen."""

from __future__ import annotations

import socket

import pytest

from shizi.core.config import ServerSettings
from shizi.core.errors import ConfigError
from shizi.server.serve import check_address, gunicorn_options, page_url


def test_one_worker_with_the_threads_asked_for() -> None:
    options = gunicorn_options(ServerSettings(host="::1", port=81, threads=7, timeout_s=9.6))

    assert options["bind"] == "[::1]:81"
    assert (options["workers"], options["worker_class"], options["threads"]) == (1, "gthread", 7)
    assert options["graceful_timeout"] == 10


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000/"),
        ("0.0.0.0", "http://127.0.0.1:5000/"),
        ("::", "http://[::1]:5000/"),
        ("shizi.local", "http://shizi.local:5000/"),
    ],
)
def test_the_page_is_named_by_an_address_a_browser_can_open(host: str, url: str) -> None:
    assert page_url(host, 5000) == url


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: .*in use"):
            check_address(ServerSettings(port=port))

    check_address(ServerSettings(port=port))
