"""Decodes foreign bytes in other processes, so that nothing they do can end this one."""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from shizi.core.deadline import current_terms
from shizi.core.errors import Quarantined
from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Page
from shizi.engine.channel import Channel, PeerLost, connect
from shizi.engine.messages import Decode, End, Message, Next, PageHead

_STRIKES = 2


def _ignore(_: str) -> None:
    """Count nothing."""


class Quarantine:
    """Remembers inputs by their digest that ended a decoder; safe to share between threads.

    Args:
        most: digests remembered; the oldest are forgotten.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._strikes: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, digest: bytes) -> None:
        """Refuse an input that ended two decoders.

        Raises:
            Quarantined: it did.
        """
        with self._lock:
            if self._strikes.get(digest, 0) >= _STRIKES:
                raise Quarantined(f"decoding this input ended the decoder {_STRIKES} times")

    def strike(self, digest: bytes) -> None:
        """Note that an input ended a decoder; see `check`."""
        with self._lock:
            self._strikes[digest] = self._strikes.pop(digest, 0) + 1
            while len(self._strikes) > self._most:
                self._strikes.popitem(last=False)
        self.check(digest)


class Sandbox:
    """Decoders behind a socket; takes the place of `imaging.decode.open_document`.

    Args:
        path: of the socket.
        page_s: processor time a page may take.
        count: called with the reason when a decoder was lost.
    """

    def __init__(
        self, path: Path, page_s: float = 20.0, count: Callable[[str], None] = _ignore
    ) -> None:
        self._path = str(path)
        self._page_s = page_s
        self._count = count
        self._quarantine = Quarantine()

    def open_document(
        self, data: bytes, options: DecodeOptions, limits: Limits
    ) -> Generator[Page, None, None]:
        """Decode page by page; see `shizi.imaging.decode.open_document`.

        An input whose decoder dies is tried once more, from the page where it died.

        Raises:
            Quarantined: it ended two decoders.
            Unavailable: there are no decoders.
            DeadlineExceeded: the time of the call ran out.
        """
        digest = hashlib.blake2b(data, digest_size=20).digest()
        self._quarantine.check(digest)
        while True:
            try:
                for page in self._pages(data, options, limits):
                    options = replace(options, first_page=page.number + 1)
                    yield page
            except PeerLost:
                self._count("decoder_lost")
                self._quarantine.strike(digest)
            else:
                return

    def _pages(self, data: bytes, options: DecodeOptions, limits: Limits) -> Iterator[Page]:
        deadline = current_terms().deadline
        with Channel(connect(self._path, deadline), secrets.token_hex(8), deadline) as channel:
            channel.send(
                Decode(
                    **channel.terms,
                    size=len(data),
                    options=options,
                    limits=limits,
                    seconds=self._page_s,
                )
            )
            channel.send_bytes(data)
            while True:
                channel.send(Next(**channel.terms))
                answer, files = channel.receive_with_file(Message)
                if isinstance(answer, End):
                    return
                if not isinstance(answer, PageHead) or not files:
                    raise PeerLost("no page came")
                yield _to_page(answer, files[0])


def _to_page(head: PageHead, file: int) -> Page:
    """Map the pixels; the memory is given back with the last reference to them."""
    try:
        size = int(np.prod(head.shape))
        if os.fstat(file).st_size != size:
            raise PeerLost("the pixels are not those announced")
        memory = mmap.mmap(file, size, mmap.MAP_PRIVATE)
    finally:
        os.close(file)
    image = np.frombuffer(memory, np.uint8).reshape(head.shape)
    return Page(image, head.number, head.frame, head.size, head.notices)
