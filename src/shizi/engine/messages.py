"""What processes of the service say to each other."""

from __future__ import annotations

import msgspec

from shizi.core.deadline import Deadline
from shizi.core.errors import ShiziError, find_kind
from shizi.core.options import DecodeOptions, Limits, ReadOptions
from shizi.core.types import Frame, Notice, PageResult, TextLayer


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What every message says.

    Attributes:
        call: name of the call it belongs to.
        deadline_s: of the call, on the monotonic clock of the machine.
    """

    call: str
    deadline_s: float


class Ask(Message, frozen=True):
    """Asks the engine to read; the bytes follow when it says `Go`.

    Attributes:
        size: of the bytes.
        options: of the call.
    """

    size: int
    options: ReadOptions


class Go(Message, frozen=True):
    """The turn of the call has come: its bytes may be sent."""


class Pages(Message, frozen=True):
    """The answer.

    Attributes:
        pages: as read.
    """

    pages: tuple[PageResult, ...]


class Failed(Message, frozen=True):
    """The answer where there is none.

    Attributes:
        code: of the error.
        values: it is made from.
    """

    code: str
    values: tuple[str | int | float, ...]


class Ping(Message, frozen=True):
    """Asks whether the engine lives."""


class Pong(Message, frozen=True):
    """It does.

    Attributes:
        working: calls in work.
        waiting: calls that wait for their turn.
        metrics: what was counted, in the text form of Prometheus.
    """

    working: int
    waiting: int
    metrics: bytes = b""


class Decode(Message, frozen=True):
    """Asks for the pages of a document; its bytes follow at once.

    Attributes:
        size: of the bytes.
        options: how to decode.
        limits: what it may cost.
        seconds: of processor time a page may take.
    """

    size: int
    options: DecodeOptions
    limits: Limits
    seconds: float


class Next(Message, frozen=True):
    """Asks for the next page."""


class PageHead(Message, frozen=True):
    """A page; a descriptor of its pixels comes with it.

    Attributes:
        number: 1-based.
        shape: of the pixels, (H, W, 3) uint8.
        frame: affine map to the original page.
        size: of the original page, pixels.
        notices: what was done to it.
        layer: text that the document holds for it.
    """

    number: int
    shape: tuple[int, int, int]
    frame: Frame
    size: tuple[int, int]
    notices: tuple[Notice, ...]
    layer: TextLayer | None = None


class End(Message, frozen=True):
    """There is no further page."""


_decoder = msgspec.msgpack.Decoder(
    Ask | Go | Pages | Failed | Ping | Pong | Decode | Next | PageHead | End
)


def _plain(value: object) -> object:
    """Turn a number of NumPy's into one of Python's."""
    item = getattr(value, "item", None)
    if item is None:
        raise NotImplementedError(type(value).__name__)
    return item()


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)


def message_to_bytes(message: Message) -> bytes:
    """Write a message."""
    return _encoder.encode(message)


def bytes_to_message(data: bytes) -> Message:
    """Read a message.

    Raises:
        ValueError: it is none, or has parts of the wrong type.
    """
    message: Message = _decoder.decode(data)
    return message


def error_to_message(error: ShiziError, call: str, deadline: Deadline) -> Failed:
    """Pack an error for the way."""
    return Failed(call=call, deadline_s=deadline.at_s, code=error.code, values=error.values)


def message_to_error(message: Failed) -> ShiziError:
    """Unpack an error; one this side does not know becomes a `ShiziError` of the same text."""
    try:
        return find_kind(message.code)(*message.values)  # type: ignore[arg-type]
    except TypeError:
        return ShiziError(", ".join(map(str, message.values)))


def error_to_bytes(error: ShiziError) -> bytes:
    """Write an error that belongs to no call."""
    return message_to_bytes(error_to_message(error, "", Deadline()))


def bytes_to_error(data: bytes) -> ShiziError:
    """Read what `error_to_bytes` wrote."""
    message = bytes_to_message(data)
    return message_to_error(message) if isinstance(message, Failed) else ShiziError("unknown")
