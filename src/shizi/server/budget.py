"""What the bodies of requests may cost while they are in work: memory, and time to arrive."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shizi.core.deadline import Deadline
from shizi.core.errors import Busy

_RETRY_AFTER_S = 2.0
_LINGER_S = 10.0
_LINGER_BYTES = 200_000_000
_CHUNK_BYTES = 64 * 1024


class BodyBudget:
    """Bytes that the bodies of all requests in work may take together; threads share it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """Bytes reserved now."""
        return self._held_bytes

    def reserve(self, size_bytes: int) -> None:
        """Reserve memory for a body; whatever its size where no other is held.

        Raises:
            Busy: the others hold too much; nothing was reserved.
        """
        with self._lock:
            if self._held_bytes and self._held_bytes + size_bytes > self._limit_bytes:
                raise Busy(_RETRY_AFTER_S)
            self._held_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Give back what was reserved."""
        with self._lock:
            self._held_bytes -= size_bytes


class Patience:
    """Whether the time to send a body has run out.

    Attributes:
        over: true once it has; the connection gives no more bytes then.
    """

    def __init__(self) -> None:
        self.over = False

    def end(self, connection: socket.socket) -> None:
        """Stop reading from a connection; whoever waits for its bytes meets their end."""
        self.over = True
        try:
            connection.shutdown(socket.SHUT_RD)
        except OSError:
            return  # the client has gone already


@contextmanager
def bounded_upload(connection: socket.socket | None, seconds: float) -> Iterator[Patience]:
    """Let a client send its body for so long and no longer, however small its pieces are.

    Args:
        connection: the client's, None where the server does not tell it.
        seconds: from now.
    """
    patience = Patience()
    if connection is None:
        yield patience
        return
    watch = threading.Timer(seconds, patience.end, (connection,))
    watch.daemon = True
    watch.start()
    try:
        yield patience
    finally:
        watch.cancel()


def linger(
    connection: socket.socket, seconds: float = _LINGER_S, most_bytes: int = _LINGER_BYTES
) -> None:
    """Read on what a client still sends after its answer, and forget it, before it is closed.

    A connection that is closed with bytes unread is reset, and most clients then tell of that
    instead of the answer, which they have not looked for yet (RFC 9112 §9.6).

    Args:
        connection: the client's; nothing else is read from it afterwards.
        seconds: from now, at most.
        most_bytes: that are read.
    """
    deadline = Deadline.after(seconds)
    with suppress(OSError):
        while most_bytes > 0 and (left_s := deadline.left_s()) > 0:
            connection.settimeout(left_s)
            data = connection.recv(_CHUNK_BYTES)
            if not data:
                return
            most_bytes -= len(data)
