"""Conversations between processes: what does not belong to a call never reaches it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shizi.core.deadline import Deadline
from shizi.core.errors import (
    Busy,
    CorruptImage,
    DeadlineExceeded,
    MissingExtra,
    ShiziError,
    TooLarge,
    Unavailable,
)
from shizi.core.options import DecodeOptions, Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.engine.channel import Channel, PeerLost, connect, listen
from shizi.engine.link import EngineLink
from shizi.engine.messages import (
    Ask,
    Failed,
    Go,
    Message,
    Pages,
    Pong,
    bytes_to_message,
    error_to_message,
    message_to_bytes,
    message_to_error,
)
from tests.fakes import one_page

LONG_S = 30.0
# Made when the module is loaded, long before its tests run.
DEADLINE = Deadline.after(3_600.0)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Give our side of a conversation about the call "mine", and the other side's socket."""
    here, there = socket.socketpair()
    with Channel(here, "mine", DEADLINE) as channel, there:
        yield channel, there


def _said(message: Message) -> bytes:
    content = message_to_bytes(message)
    return len(content).to_bytes(4, "big") + content


def _go(call: str = "mine", deadline: Deadline = DEADLINE) -> Go:
    return Go(call=call, deadline_s=deadline.at_s)


def test_what_is_said_is_heard(ends: tuple[Channel, socket.socket]) -> None:
    channel, there = ends
    options = ReadOptions(
        decode=DecodeOptions(password="x", last_page=3), effort=Effort.ACCURATE, words=("识字",)
    )
    ask = Ask(**channel.terms, size=3, options=options)
    channel.send(ask)
    other, heard = Channel.answer(there, LONG_S)

    assert heard == ask
    assert (other.call, other.deadline) == ("mine", DEADLINE)
    other.send(_go())
    other.send_bytes(b"abc")
    assert channel.receive(Go) == _go()
    assert channel.receive_bytes(3) == b"abc"


@pytest.mark.parametrize(
    "wrong",
    [
        _said(_go("another's")),
        _said(_go(deadline=Deadline(DEADLINE.at_s + 1))),
        _said(Pong(call="mine", deadline_s=DEADLINE.at_s, working=0, waiting=0)),
        (5).to_bytes(4, "big") + b"\x93abc\xc1",
        (1 << 31).to_bytes(4, "big"),
        b"\x00",
    ],
    ids=["call", "deadline", "kind", "garbage", "length", "cut short"],
)
def test_what_does_not_belong_here_ends_the_conversation(
    ends: tuple[Channel, socket.socket], wrong: bytes
) -> None:
    channel, there = ends
    there.sendall(wrong + _said(_go()))
    there.shutdown(socket.SHUT_WR)
    with pytest.raises(PeerLost):
        channel.receive(Go)

    with pytest.raises(PeerLost):
        channel.receive(Go)
    # Closed with words unheard, which the system calls a reset.
    with suppress(ConnectionResetError):
        assert there.recv(1) == b""


def test_an_answer_that_comes_late_finds_nobody() -> None:
    here, there = socket.socketpair()
    with Channel(here, "mine", Deadline.after(0.02)) as channel, there:
        with pytest.raises(DeadlineExceeded):
            channel.receive(Go)
        with pytest.raises(BrokenPipeError):
            there.sendall(_said(_go()))
        with pytest.raises((DeadlineExceeded, PeerLost)):
            channel.receive(Go)


def test_descriptors_travel_and_unwanted_ones_are_closed(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, there = ends
    reading, writing = os.pipe()
    other = Channel(there, "mine", DEADLINE)
    other.send(_go(), [writing])
    _, (received,) = channel.receive_with_file(Go)
    os.write(received, b"x")
    assert os.read(reading, 1) == b"x"

    other.send(_go("another's"), [writing])
    with pytest.raises(PeerLost):
        channel.receive_with_file(Go)
    for file in (writing, received):
        os.close(file)
    # The end of the pipe is seen once every copy of its other side is closed.
    assert os.read(reading, 1) == b""
    os.close(reading)


@pytest.mark.parametrize(
    "error",
    [
        Busy(2.5),
        Unavailable(3.0),
        TooLarge("max_pages", 1, 2),
        MissingExtra("train"),
        CorruptImage("cut short"),
    ],
)
def test_errors_arrive_as_they_were(error: ShiziError) -> None:
    packed = message_to_bytes(error_to_message(error, "mine", DEADLINE))
    message = bytes_to_message(packed)
    assert isinstance(message, Failed)
    arrived = message_to_error(message)

    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)


def test_an_error_nobody_knows_here_keeps_its_words() -> None:
    arrived = message_to_error(
        Failed(call="mine", deadline_s=1.0, code="of_tomorrow", values=("what it is",))
    )

    assert type(arrived) is ShiziError
    assert arrived.detail == "what it is"


Answer = Callable[[Channel, Message], None]


@contextmanager
def _engine(path: Path, *answers: Answer) -> Iterator[None]:
    """Answer one call after another, each in its own way."""
    listener = listen(path)

    def serve() -> None:
        for answer in answers:
            sock, _ = listener.accept()
            channel, message = Channel.answer(sock, LONG_S)
            with channel:
                answer(channel, message)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join(LONG_S)
        listener.close()


def _reads(*pages: PageResult) -> Answer:
    def answer(channel: Channel, message: Message) -> None:
        assert isinstance(message, Ask)
        channel.send(Go(**channel.terms))
        assert channel.receive_bytes(message.size) == b"picture"
        channel.send(Pages(**channel.terms, pages=pages))

    return answer


def _dies_waiting(channel: Channel, _: Message) -> None:
    channel.close()


def _dies_working(channel: Channel, _: Message) -> None:
    channel.send(Go(**channel.terms))
    channel.receive_bytes(len(b"picture"))


def _answers_another(channel: Channel, _: Message) -> None:
    channel.send(Go(**channel.terms))
    channel.receive_bytes(len(b"picture"))
    channel.send(Pages(call="another's", deadline_s=channel.deadline.at_s, pages=(one_page("x"),)))


def _is_busy(channel: Channel, _: Message) -> None:
    channel.send(error_to_message(Busy(7.0), channel.call, channel.deadline))


def _read(path: Path) -> list[PageResult]:
    return EngineLink(path).read(b"picture", ReadOptions(timeout_s=LONG_S))


def test_a_call_is_tried_again_where_its_engine_died(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    page = one_page("识字")
    deaths = [_dies_waiting] * 3
    for before in ([], [_dies_working], deaths, [*deaths, _dies_working]):
        with _engine(path, *before, _reads(page)):
            assert _read(path) == [page]


def test_a_call_that_ended_two_engines_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    with _engine(path, _dies_working, _dies_working), pytest.raises(Unavailable):
        _read(path)


def test_an_answer_to_another_call_is_never_given(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    with _engine(path, _answers_another, _answers_another), pytest.raises(Unavailable):
        _read(path)


def test_a_busy_engine_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    with _engine(path, _is_busy), pytest.raises(Busy, match="try again in 7 s"):
        _read(path)


def test_an_engine_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    listeners: list[socket.socket] = []
    timer = threading.Timer(0.2, lambda: listeners.append(listen(path)))
    timer.start()
    connect(str(path), Deadline.after(LONG_S)).close()
    timer.join()
    listeners[0].close()

    with pytest.raises(DeadlineExceeded, match="before another process"):
        connect(str(tmp_path / "nobody"), Deadline.after(0.1))


def test_only_their_user_reaches_the_processes(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen(path).close()

    assert path.stat().st_mode & 0o077 == 0
