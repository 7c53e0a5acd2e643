"""The processes that decode foreign bytes: forked ahead, bounded, replaced after some inputs.

A mother process imports the decoders once and forks children that wait on one socket; they share
its memory, and one that dies is replaced in milliseconds. A child has a limit on its memory, on
the processor time of a page and on the time until the call's deadline: the kernel ends it where
Python code could not, inside a decoder. It writes no file and its pixels leave it in memory.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import msgspec
import numpy as np

from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded, ShiziError
from shizi.core.pixels import RgbImage
from shizi.core.types import Page
from shizi.engine.channel import Channel, PeerLost, listen
from shizi.engine.memory import trim_heap
from shizi.engine.messages import Decode, End, Next, PageHead, error_to_message
from shizi.engine.plans import DecoderOptions, DecodersPlan
from shizi.engine.quarantine import DIGEST_BYTES, Quarantine
from shizi.engine.signals import die_with_parent
from shizi.imaging.decode import open_document

_PATIENCE_S = 10.0
# Killed from outside, or because the time of a call ran out: not the input's fault.
_BLAMELESS = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGALRM})
# A child that dies this young is not replaced at once: its mother would do nothing else.
_YOUNG_S = 0.1


@dataclass(frozen=True, slots=True)
class _Child:
    place: int
    born_s: float


class _Ended(BaseException):
    """The mother was told to end."""


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the decoders' process, to its end."""
    plan = msgspec.json.decode(plan_json, type=DecodersPlan)
    serve_decoders(listen(Path(plan.socket)), plan.options, announce)


def serve_decoders(
    listener: socket.socket, options: DecoderOptions, announce: Callable[[], None]
) -> None:
    """Keep the children alive until SIGTERM; then end them.

    Args:
        listener: bound; children accept on it.
        options: of the children.
        announce: called once when the first of them run.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(signal.SIGTERM)
    listener.setblocking(False)
    quarantine = Quarantine(options.children)
    children: dict[int, _Child] = {}

    def bear(place: int) -> None:
        born_s = time.monotonic()
        pid = os.fork()
        if not pid:
            _live(listener, options, quarantine, place)
        children[pid] = _Child(place, born_s)

    try:
        for place in range(options.children):
            bear(place)
        announce()
        while True:
            pid, status = os.waitpid(-1, 0)
            dead = children.pop(pid)
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) not in _BLAMELESS:
                quarantine.blame(dead.place)
            if time.monotonic() - dead.born_s < _YOUNG_S:
                time.sleep(_YOUNG_S)
            bear(dead.place)
    except _Ended:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def _end(_: int, __: FrameType | None) -> None:
    raise _Ended


def _live(
    listener: socket.socket, options: DecoderOptions, quarantine: Quarantine, place: int
) -> None:
    """Be a child, to its end."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(signal.SIGKILL)
        _bound(options.memory_bytes)
        for number in range(options.inputs):
            # A child that has worked keeps more than its successor takes, which is born in
            # milliseconds.
            sock = _accept(listener, options.rest_s if number else None)
            if sock is None:
                break
            with sock:
                _converse(sock, quarantine, place)
            quarantine.end(place)
            # It may wait for its next input, with the memory of this one.
            trim_heap()
        status = 0
    finally:
        os._exit(status)


def _accept(listener: socket.socket, seconds: float | None) -> socket.socket | None:
    """Wait for an input; None where none comes in time."""
    while select.select([listener], [], [], seconds)[0]:
        # All children see it come, and one of them gets it.
        with suppress(BlockingIOError):
            return listener.accept()[0]
    return None


def _bound(memory_bytes: int) -> None:
    """Set the limits that hold for all inputs."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, _address_space_bytes() + memory_bytes)


def _address_space_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no file system
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 40


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, hard))


def _converse(sock: socket.socket, quarantine: Quarantine, place: int) -> None:
    """Decode one input page by page, as fast as the pages are asked for."""
    try:
        channel, ask = Channel.answer(sock, _PATIENCE_S)
        if not isinstance(ask, Decode):
            return
        data = channel.receive_bytes(ask.size)
        digest = hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()
        with closing(open_document(data, ask.options, ask.limits)) as pages:
            while True:
                # Nothing is answered before it is asked for: who still sends hears no answer.
                channel.receive(Next)
                quarantine.begin(place, digest)
                with _bounded(ask.seconds, channel.deadline):
                    page = next(pages, None)
                if page is None:
                    channel.send(End(**channel.terms))
                    return
                _send_page(channel, page)
                del page
    except ShiziError as error:
        _tell(channel, error)
    except PeerLost:
        return


def _tell(channel: Channel, error: ShiziError) -> None:
    """Tell why there is no page, if anybody is still there."""
    with suppress(PeerLost, DeadlineExceeded):
        channel.send(error_to_message(error, channel.call, channel.deadline))


@contextmanager
def _bounded(seconds: float, deadline: Deadline) -> Iterator[None]:
    """Let the kernel end this process when the block takes too long; both signals kill.

    Args:
        seconds: of processor time.
        deadline: of the call.
    """
    _limit(resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1)
    left_s = deadline.left_s()
    signal.setitimer(signal.ITIMER_REAL, max(0.001, left_s) if left_s < 1e6 else 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _send_page(channel: Channel, page: Page) -> None:
    file = _shared(page.image)
    try:
        height, width, _ = page.image.shape
        head = PageHead(
            **channel.terms,
            number=page.number,
            shape=(height, width, 3),
            frame=page.frame,
            size=page.size,
            notices=page.notices,
            layer=page.layer,
        )
        channel.send(head, [file])
    finally:
        os.close(file)


def _shared(image: RgbImage) -> int:
    """Put pixels into memory that another process can map; gives its descriptor."""
    file = os.memfd_create("page")
    os.ftruncate(file, image.nbytes)
    with mmap.mmap(file, image.nbytes) as memory:
        np.frombuffer(memory, np.uint8)[:] = image.reshape(-1)
    return file
