"""How processes of the service speak with each other: one conversation a connection.

Every message names the call it belongs to and the call's deadline; both are looked at on receipt.
A conversation that does not end as it should is closed, never used again: an answer that comes
late finds nobody, and cannot be taken for the answer to another call.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded, Unavailable
from shizi.engine.messages import (
    Failed,
    Message,
    bytes_to_message,
    message_to_bytes,
    message_to_error,
)

#: A message without the bytes of a file is never larger: a thousand pages of text fit.
MOST_BYTES = 256 << 20
_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 20

#: A process that is gone comes back within it, or something is wrong with the machine.
RETURN_S = 10.0
_RETRY_S = 0.05
_BACKLOG = 512

_M = TypeVar("_M", bound=Message)


class PeerLost(Exception):
    """The other side is gone, or does not keep to what was agreed on; internal, never shown."""


def listen(path: Path) -> socket.socket:
    """Bind a socket that only this user can reach, in the place of one left behind."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(_BACKLOG)
    return listener


def connect(path: str, deadline: Deadline, patience_s: float = RETURN_S) -> socket.socket:
    """Connect to a process of the service; one that is being replaced is waited for.

    Args:
        path: of its socket.
        deadline: of the call.
        patience_s: how long it is waited for.

    Raises:
        Unavailable: it did not come back.
        DeadlineExceeded: it did not come back in time for the call.
    """
    until = min(deadline, Deadline.after(patience_s))
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(max(0.001, until.left_s()))
            sock.connect(path)
        except OSError as error:
            sock.close()
            deadline.check("before another process of the service was there")
            if until.left_s() <= 0:
                raise Unavailable(RETURN_S) from error
            time.sleep(_RETRY_S)
        else:
            return sock


class Channel:
    """One side of a conversation about one call.

    Args:
        sock: connected; it is closed with the channel.
        call: that is talked about.
        deadline: of the call; nothing is waited for beyond it.
    """

    def __init__(self, sock: socket.socket, call: str, deadline: Deadline) -> None:
        self._sock = sock
        self.call = call
        self.deadline = deadline

    @classmethod
    def answer(cls, sock: socket.socket, patience_s: float) -> tuple[Channel, Message]:
        """Take up a conversation that the other side begins.

        Args:
            sock: connected; closed where nothing sensible comes.
            patience_s: how long the first message may take.

        Raises:
            PeerLost: no message came.
        """
        channel = cls(sock, "", Deadline.after(patience_s))
        try:
            message, _ = channel._receive(0)
        except (PeerLost, DeadlineExceeded) as error:
            sock.close()
            raise PeerLost("no message came") from error
        channel.call, channel.deadline = message.call, Deadline(message.deadline_s)
        return channel, message

    def close(self) -> None:
        """End the conversation."""
        self._sock.close()

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def terms(self) -> dict[str, Any]:
        """What every message of this conversation says."""
        return {"call": self.call, "deadline_s": self.deadline.at_s}

    def send(self, message: Message, files: Sequence[int] = ()) -> None:
        """Say something.

        Args:
            message: with the terms of the call.
            files: descriptors that go with it; they stay open here.

        Raises:
            DeadlineExceeded: the other side did not take it in time.
            PeerLost: it is gone.
        """
        content = message_to_bytes(message)
        data = _LENGTH.pack(len(content)) + content
        with self._timed():
            if files:
                socket.send_fds(self._sock, [data[:1]], list(files))
                data = data[1:]
            self._sock.sendall(data)

    def send_bytes(self, data: bytes) -> None:
        """Send the bytes that a message announced; see `send`."""
        # To send nothing fails where the other side, which waits for nothing, has left already.
        if data:
            with self._timed():
                self._sock.sendall(data)

    def receive(self, kind: type[_M]) -> _M:
        """Hear the next message.

        Raises:
            ShiziError: the other side told of one.
            DeadlineExceeded: none came in time.
            PeerLost: the other side is gone, or said something else.
        """
        return self.receive_with_file(kind, files=0)[0]

    def receive_with_file(self, kind: type[_M], files: int = 1) -> tuple[_M, list[int]]:
        """Hear the next message and take the descriptors that come with it; see `receive`."""
        message, received = self._receive(files)
        if message.call == self.call and message.deadline_s == self.deadline.at_s:
            if isinstance(message, Failed):
                raise message_to_error(message)
            if isinstance(message, kind) and len(received) in (0, files):
                return message, received
        for file in received:
            os.close(file)
        self.close()
        raise PeerLost(f"{type(message).__name__} is not what was to come")

    def receive_bytes(self, size: int) -> bytes:
        """Take the bytes that a message announced; see `receive`."""
        with self._timed():
            return self._exactly(size)

    def _receive(self, files: int) -> tuple[Message, list[int]]:
        received: list[int] = []
        with self._timed(), _closed_on_error(received):
            start = b""
            if files:
                start, given, _, _ = socket.recv_fds(self._sock, 1, files)
                received += given
                if not start:
                    raise PeerLost("the other side is gone")
            (length,) = _LENGTH.unpack(start + self._exactly(_LENGTH.size - len(start)))
            if length > MOST_BYTES:
                raise PeerLost("a message is too large")
            try:
                return bytes_to_message(self._exactly(length)), received
            except ValueError as error:
                raise PeerLost("a message cannot be understood") from error

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            count = self._sock.recv_into(view[got : got + _CHUNK])
            if not count:
                raise PeerLost("the other side is gone")
            got += count
        return bytes(data)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Wait no longer than the deadline; a conversation that breaks off is closed."""
        left_s = self.deadline.left_s()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._sock.settimeout(min(left_s, 1e6))
            yield
        except TimeoutError as error:
            self.close()
            raise DeadlineExceeded("the time given ran out while another process worked") from error
        except OSError as error:
            self.close()
            raise PeerLost("the other side is gone") from error
        except PeerLost:
            self.close()
            raise


@contextlib.contextmanager
def _closed_on_error(files: list[int]) -> Iterator[None]:
    """Close descriptors that were received before the message went wrong."""
    try:
        yield
    except BaseException:
        for file in files:
            os.close(file)
        raise
