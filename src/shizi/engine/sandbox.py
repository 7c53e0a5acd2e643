"""Decodes foreign bytes in other processes, so that nothing they do can end this one."""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from shizi.core.deadline import current_terms
from shizi.core.errors import Unavailable
from shizi.core.options import DecodeOptions, Limits
from shizi.core.types import Page
from shizi.engine.channel import Channel, PeerLost, connect
from shizi.engine.messages import Decode, End, Message, Next, PageHead

# Decoders that one call may lose; an input that ended two of them is refused by the third.
_TRIES = 3


def _ignore(_: str) -> None:
    """Count nothing."""


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

    def open_document(
        self, data: bytes, options: DecodeOptions, limits: Limits
    ) -> Generator[Page, None, None]:
        """Decode page by page; see `shizi.imaging.decode.open_document`.

        An input whose decoder dies is tried again, from the page where it died.

        Raises:
            Quarantined: decoding the input is what ended two of them.
            Unavailable: there are no decoders, or three of them died.
            DeadlineExceeded: the time of the call ran out.
        """
        last = 0
        for _ in range(_TRIES):
            try:
                for page in self._pages(data, options, limits):
                    if page.number > last:
                        last = page.number
                        yield page
            except PeerLost:
                self._count("decoder_lost")
                # From the last one given: there may be none after it.
                options = replace(options, first_page=max(last, options.first_page))
            else:
                return
        raise Unavailable(1.0)

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
    return Page(image, head.number, head.frame, head.size, head.notices, head.layer)
