"""The way from another process to the engine: a reader that reads elsewhere."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from shizi.core.deadline import Deadline
from shizi.core.errors import Unavailable
from shizi.core.options import ReadOptions
from shizi.core.telemetry import request_id
from shizi.core.types import PageResult
from shizi.engine.channel import RETURN_S, Channel, PeerLost, connect
from shizi.engine.messages import Ask, Go, Pages, Ping, Pong

# A call whose engine died is tried once more; a third engine is not spent on it.
_TRIES = 2
_PAUSE_S = 0.05


def _new_name() -> str:
    """Name a call so that the engine's log tells which request it belongs to."""
    return f"{request_id.get()}/{secrets.token_hex(8)}"


class EngineLink:
    """Reads with the engine behind a socket; threads may share it.

    Args:
        path: of the socket.
        patience_s: how long an engine is waited for that is being replaced.
        tries: of a call whose engine dies over it.
        name: gives each call its name; names of calls at one time differ.
    """

    def __init__(
        self,
        path: Path,
        patience_s: float = RETURN_S,
        tries: int = _TRIES,
        name: Callable[[], str] = _new_name,
    ) -> None:
        self._path = str(path)
        self._patience_s, self._tries = patience_s, tries
        self._name = name

    def read(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read all pages of an encoded picture or document; see `Reader.read`.

        Raises:
            Busy: the engine takes no more calls for now.
            Unavailable: it is gone and did not come back in time, or died twice over this call.
            DeadlineExceeded: the time of the call ran out.
            ShiziError: whatever the reader raised.
        """
        deadline = Deadline.after(options.timeout_s)
        for _ in range(self._tries):
            with self._admit(len(source), options, deadline) as channel:
                try:
                    channel.send_bytes(source)
                    return list(channel.receive(Pages).pages)
                except PeerLost:
                    deadline.check("when the engine was lost")
        raise Unavailable(1.0)

    def ping(self, timeout_s: float) -> Pong:
        """Ask whether the engine lives.

        Raises:
            Unavailable: it does not answer.
        """
        deadline = Deadline.after(timeout_s)
        try:
            with self._channel(deadline) as channel:
                channel.send(Ping(**channel.terms))
                return channel.receive(Pong)
        except PeerLost as error:
            raise Unavailable(1.0) from error

    def _channel(self, deadline: Deadline) -> Channel:
        sock = connect(self._path, deadline, self._patience_s)
        return Channel(sock, self._name(), deadline)

    def _admit(self, size: int, options: ReadOptions, deadline: Deadline) -> Channel:
        """Wait for the turn of a call; an engine lost meanwhile is not the call's fault."""
        while True:
            channel = self._channel(deadline)
            try:
                channel.send(Ask(**channel.terms, size=size, options=options))
                channel.receive(Go)
            except PeerLost:
                time.sleep(_PAUSE_S)
            except BaseException:
                channel.close()
                raise
            else:
                return channel
