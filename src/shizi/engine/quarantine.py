"""Remembers inputs that ended decoders, in memory that a mother process and her children share."""

from __future__ import annotations

import mmap
import struct
import time
from collections import Counter

from shizi.core.errors import Quarantined

DIGEST_BYTES = 20
#: An input is refused once it has ended this many decoders.
STRIKES = 2
_ENTRY = struct.Struct(f"={DIGEST_BYTES}sd")
_NOTHING = bytes(DIGEST_BYTES)


class Quarantine:
    """Inputs that are not decoded any more; made by the mother before she forks.

    A child says what it works on; when it dies of that, the mother, who learns how it died, blames
    the input. She alone writes the list, the children read it.

    Args:
        children: at one time.
        seconds: an input is refused for; a machine short of memory may have been at fault.
        most: inputs refused at one time; the oldest is forgotten.
    """

    def __init__(self, children: int, seconds: float = 3_600.0, most: int = 1_000) -> None:
        self._works = mmap.mmap(-1, children * DIGEST_BYTES)
        self._list = mmap.mmap(-1, most * _ENTRY.size)
        self._most = most
        self._seconds = seconds
        self._written = 0
        self._strikes: Counter[bytes] = Counter()

    def begin(self, child: int, digest: bytes) -> None:
        """Say, as a child, what it works on.

        Args:
            child: its place, from 0.
            digest: of its input.

        Raises:
            Quarantined: the input is refused.
        """
        now = time.monotonic()
        for place in range(0, self._most * _ENTRY.size, _ENTRY.size):
            refused, until_s = _ENTRY.unpack_from(self._list, place)
            if refused == digest and now < until_s:
                raise Quarantined(f"decoding this input ended the decoder {STRIKES} times")
        self._note(child, digest)

    def end(self, child: int) -> None:
        """Say, as a child, that it is done with its input."""
        self._note(child, _NOTHING)

    def blame(self, child: int) -> None:
        """Blame, as the mother, the input a child died of."""
        start = child * DIGEST_BYTES
        digest = self._works[start : start + DIGEST_BYTES]
        self.end(child)
        if digest == _NOTHING:
            return
        self._strikes[digest] += 1
        if self._strikes[digest] >= STRIKES:
            del self._strikes[digest]
            place = self._written % self._most * _ENTRY.size
            _ENTRY.pack_into(self._list, place, digest, time.monotonic() + self._seconds)
            self._written += 1

    def _note(self, child: int, digest: bytes) -> None:
        self._works[child * DIGEST_BYTES : (child + 1) * DIGEST_BYTES] = digest
