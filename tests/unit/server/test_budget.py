"""A body has so long to arrive, however small its pieces are."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from shizi.core.errors import Busy
from shizi.server.budget import BodyBudget, bounded_upload, linger


def test_whoever_drips_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop = threading.Event()

        def drip() -> None:
            with contextlib.suppress(BrokenPipeError):
                while not stop.wait(0.001):
                    theirs.send(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        started = time.monotonic()
        try:
            with bounded_upload(ours, 0.2) as patience:
                while ours.recv(1):
                    pass
        finally:
            stop.set()
            dripping.join()

    assert patience.over
    assert time.monotonic() - started < 5


def test_whoever_is_in_time_is_not() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with bounded_upload(ours, 0.05) as patience:
            pass
        time.sleep(0.1)
        theirs.send(b"x")

        assert ours.recv(1) == b"x"
    assert not patience.over


def test_a_client_that_has_gone_does_no_harm() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.close()

    with bounded_upload(ours, 0.01) as patience:
        time.sleep(0.1)

    assert patience.over


def test_a_server_that_tells_no_connection_is_served_too() -> None:
    with bounded_upload(None, 0.0) as patience:
        assert not patience.over


def test_bodies_share_a_budget_of_memory() -> None:
    budget = BodyBudget(100)

    budget.reserve(500)
    with pytest.raises(Busy):
        budget.reserve(1)
    budget.release(500)
    budget.reserve(60)
    budget.reserve(40)

    assert budget.held_bytes == 100


def test_what_comes_after_the_answer_is_read_to_its_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sending = threading.Thread(
            target=lambda: (theirs.sendall(bytes(3_000_000)), theirs.close())
        )
        sending.start()
        linger(ours)
        sending.join(30)

        assert ours.recv(1) == b""


@pytest.mark.parametrize(("seconds", "most_bytes"), [(0.2, 1 << 40), (30.0, 100_000)])
def test_nobody_is_listened_to_for_ever(seconds: float, most_bytes: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0.01)
        ended = threading.Event()

        def send() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    theirs.send(bytes(10_000))

        sending = threading.Thread(target=send)
        sending.start()
        started = time.monotonic()
        linger(ours, seconds, most_bytes)
        ended.set()
        sending.join()

    assert time.monotonic() - started < 15
