"""Work keeps to a version while its engine lives: real sockets, engines that obey."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import (
    Busy,
    CorruptImage,
    DeadlineExceeded,
    ModelError,
    OptionError,
    ShiziError,
    Unavailable,
)
from shizi.core.options import ReadOptions
from shizi.engine.channel import Channel, PeerLost, listen
from shizi.engine.fleet import active_socket, leaving_mark, point, socket_of
from shizi.engine.messages import Ask, Go, Pages, error_to_message
from shizi.engine.versions import VersionedEngines
from tests.fakes import one_page

OLD, NEW = "m@1", "m@2"
PATIENCE_S = 0.2


class Harbor:
    """Engines on sockets, named as a fleet names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors: dict[str, ShiziError] = {}
        self.calls: list[str] = []
        self._listeners: dict[str, socket.socket] = {}
        self._generation = 0

    def start(self, version: str) -> None:
        """Start an engine, or one in the place of another."""
        self._generation += 1
        path = self.folder / f"{self._generation}.sock"
        listener = self._listeners[version] = listen(path)
        threading.Thread(target=self._serve, args=(version, listener), daemon=True).start()
        point(socket_of(self.folder, version), path)

    def kill(self, version: str) -> None:
        """End an engine; its name stays, as when it is to be replaced."""
        listener = self._listeners.pop(version)
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    def remove(self, version: str) -> None:
        """End an engine for good."""
        self.kill(version)
        socket_of(self.folder, version).unlink()

    def make_default(self, version: str) -> None:
        point(active_socket(self.folder), socket_of(self.folder, version))

    def end(self) -> None:
        for version in list(self._listeners):
            self.kill(version)

    def _serve(self, version: str, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(PeerLost):
                self._answer(version, *Channel.answer(sock, 10.0))

    def _answer(self, version: str, channel: Channel, ask: object) -> None:
        assert isinstance(ask, Ask)
        with channel:
            channel.send(Go(**channel.terms))
            channel.receive_bytes(ask.size)
            self.calls.append(version)
            if version in self.errors:
                error = self.errors[version]
                channel.send(error_to_message(error, channel.call, channel.deadline))
            else:
                channel.send(Pages(**channel.terms, pages=(one_page(version),)))


@pytest.fixture
def harbor() -> Iterator[Harbor]:
    # A short path: the names of sockets may not be long.
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        made = Harbor(Path(folder))
        made.start(OLD)
        made.start(NEW)
        made.make_default(OLD)
        yield made
        made.end()


def _engines(harbor: Harbor, arrival_s: float = 0.0) -> VersionedEngines:
    return VersionedEngines(harbor.folder, arrival_s, PATIENCE_S)


def _read(engines: VersionedEngines, version: str) -> str:
    (page,) = engines.reader(version).read(b"picture", ReadOptions(timeout_s=30))
    return page.text


def test_each_version_reads_what_was_given_to_it_whichever_is_the_default(harbor: Harbor) -> None:
    engines = _engines(harbor)

    for default in (OLD, NEW):
        harbor.make_default(default)
        assert (_read(engines, OLD), _read(engines, NEW)) == (OLD, NEW)
        (page,) = engines.default.read(b"picture", ReadOptions())
        assert page.text == default


def test_where_it_is_gone_the_default_goes_on_at_once(harbor: Harbor) -> None:
    engines = _engines(harbor)
    assert _read(engines, NEW) == NEW

    harbor.remove(NEW)

    assert [_read(engines, NEW) for _ in range(3)] == [OLD] * 3
    harbor.start(NEW)
    assert _read(engines, NEW) == NEW


def test_one_that_is_let_go_is_not_held(harbor: Harbor) -> None:
    engines = _engines(harbor)
    leaving_mark(harbor.folder, NEW).touch()

    assert _read(engines, NEW) == OLD
    leaving_mark(harbor.folder, NEW).unlink()
    assert _read(engines, NEW) == NEW


def test_one_that_does_not_come_back_is_waited_for_once(
    harbor: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = _engines(harbor)
    harbor.kill(NEW)

    assert _read(engines, NEW) == OLD
    monkeypatch.setattr(engines, "_patience_s", 3_600.0)
    assert _read(engines, NEW) == OLD
    harbor.start(NEW)
    assert _read(engines, NEW) == NEW


def test_after_a_start_a_version_may_come_late(harbor: Harbor) -> None:
    now_s = 100.0
    engines = VersionedEngines(harbor.folder, 30.0, PATIENCE_S, clock=lambda: now_s)
    harbor.remove(NEW)

    with pytest.raises(Busy) as raised:
        _read(engines, NEW)
    assert not isinstance(raised.value, Unavailable)
    harbor.start(NEW)
    assert _read(engines, NEW) == NEW
    harbor.remove(NEW)
    now_s = 130.0
    assert _read(engines, NEW) == OLD


@pytest.mark.parametrize("error", [ModelError("x"), ShiziError("a bug"), DeadlineExceeded("slow")])
def test_what_it_fails_at_the_default_reads(harbor: Harbor, error: ShiziError) -> None:
    engines = _engines(harbor)
    harbor.errors[NEW] = error

    assert _read(engines, NEW) == OLD
    # It failed at one page; the next is its own again.
    del harbor.errors[NEW]
    assert _read(engines, NEW) == NEW


@pytest.mark.parametrize("error", [CorruptImage("x"), OptionError("y"), Busy(2.0)])
def test_what_no_version_could_read_and_a_full_queue_are_told(
    harbor: Harbor, error: ShiziError
) -> None:
    harbor.errors[NEW] = error

    with pytest.raises(type(error)):
        _read(_engines(harbor), NEW)
    assert harbor.calls == [NEW]


def test_what_the_default_fails_at_is_not_read_twice(harbor: Harbor) -> None:
    harbor.errors[OLD] = ModelError("x")

    with pytest.raises(ModelError):
        _read(_engines(harbor), OLD)
    assert harbor.calls == [OLD]
