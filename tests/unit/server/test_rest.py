"""Memory goes back when requests have stopped: not before, and not again and again."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask

from shizi.server import rest as module
from shizi.server.rest import Rest, install_rest

AFTER_S = 0.2
LONG_S = 30.0


def test_memory_goes_back_once_after_the_last_request() -> None:
    given = threading.Semaphore(0)
    rest = Rest(AFTER_S, given.release)
    threading.Thread(target=rest.run, daemon=True).start()

    assert given.acquire(timeout=LONG_S)
    assert not given.acquire(timeout=3 * AFTER_S)
    rest.work()
    assert given.acquire(timeout=LONG_S)


def test_it_is_kept_while_requests_come() -> None:
    given = threading.Semaphore(0)
    rest = Rest(LONG_S, given.release)
    threading.Thread(target=rest.run, daemon=True).start()

    assert not given.acquire(timeout=2 * AFTER_S)


def test_an_application_tells_of_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[float] = []
    monkeypatch.setattr(module.Rest, "work", lambda _: worked.append(time.monotonic()))
    app = Flask("test")
    install_rest(app)

    app.test_client().get("/")

    assert len(worked) == 1
