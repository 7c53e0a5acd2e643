"""The engine process: one model's reader behind a socket."""

from __future__ import annotations

import logging
import select
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import Protocol

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import DeadlineExceeded, ShiziError, bug
from shizi.core.telemetry import request_id
from shizi.engine.admission import Admission
from shizi.engine.channel import Channel, PeerLost
from shizi.engine.messages import Ask, Go, Message, Pages, Ping, Pong, error_to_message
from shizi.engine.pagereader import PageReader
from shizi.engine.signals import wake_on_signals
from shizi.engine.threads import Threads

_log = logging.getLogger(__name__)

#: How long a conversation's first message may take; it comes from a process of our own.
_PATIENCE_S = 10.0
# After so long without a call, memory that is kept for the next one is given back.
_REST_S = 5.0


class RelaxingReader(PageReader, Protocol):
    """A reader that keeps memory for its next page."""

    def relax(self) -> None:
        """Give memory back that is only kept for speed."""
        ...


class EngineHost:
    """Answers calls from other processes, each in a thread of its own.

    Args:
        reader: that reads.
        admission: who may work at once, and who may wait.
        metrics: gives what was counted, in the text form of Prometheus.
        tidy: called after each call, before its place is free for the next.
    """

    def __init__(
        self,
        reader: RelaxingReader,
        admission: Admission,
        metrics: Callable[[], bytes] = bytes,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader = reader
        self._admission = admission
        self._metrics = metrics
        self._tidy = tidy
        self._threads = Threads("call")
        # Whether a page was read since memory was given back.
        self._tired = True

    def serve(self, listener: socket.socket, announce: Callable[[], None], grace_s: float) -> None:
        """Serve until SIGTERM; then let the calls that were accepted end.

        Runs in the main thread, which signals reach.

        Args:
            listener: bound and listening.
            announce: called once calls are answered.
            grace_s: how long accepted calls may take to end.
        """
        with wake_on_signals(signal.SIGTERM) as wake:
            announce()
            while not wake.drain():
                readable, _, _ = select.select([listener, wake.socket], [], [], _REST_S)
                if listener in readable:
                    self._accept(listener)
                self._rest()
        self._drain(listener, Deadline.after(grace_s))

    def _accept(self, listener: socket.socket) -> bool:
        """Take a call in; False where none waits."""
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            return False
        self._threads.start(partial(self._converse, sock))
        return True

    def _rest(self) -> None:
        """Once nothing has been asked for a while, keep no more memory than needed."""
        if self._admission.idle_s < _REST_S or not self._tired:
            return
        self._tired = False
        try:
            self._reader.relax()
        except ShiziError as error:
            _log.warning("memory could not be given back: %s", error.detail)

    def _drain(self, listener: socket.socket, deadline: Deadline) -> None:
        """Take what stands in the backlog, then wait for the calls."""
        listener.setblocking(False)
        while self._accept(listener):
            pass
        listener.close()
        self._threads.wait(deadline)

    def _converse(self, sock: socket.socket) -> None:
        try:
            channel, first = Channel.answer(sock, _PATIENCE_S)
            request_id.set(channel.call.rpartition("/")[0])
            with channel:
                if isinstance(first, Ask):
                    channel.send(self._answer(channel, first))
                elif isinstance(first, Ping):
                    channel.send(self._pong(channel))
        except (PeerLost, DeadlineExceeded):
            # Nobody waits for the answer any more.
            _log.info("a call was given up by its caller")

    def _answer(self, channel: Channel, ask: Ask) -> Message:
        try:
            with under(Terms(channel.deadline, ask.options.lane)), self._admission.turn():
                channel.send(Go(**channel.terms))
                data = channel.receive_bytes(ask.size)
                self._tired = True
                try:
                    pages = self._reader.read(data, ask.options)
                finally:
                    self._tidy()
            return Pages(**channel.terms, pages=tuple(pages))
        except ShiziError as error:
            return error_to_message(error, channel.call, channel.deadline)
        except PeerLost:
            raise
        except Exception:  # noqa: BLE001 - logged, and told as a bug of ours
            _log.exception("unexpected error in a call")
            return error_to_message(bug(), channel.call, channel.deadline)

    def _pong(self, channel: Channel) -> Pong:
        return Pong(
            **channel.terms,
            working=self._admission.working,
            waiting=self._admission.waiting,
            metrics=self._metrics(),
        )
