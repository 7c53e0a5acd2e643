"""What reads pages, as all who have pages read know it."""

from __future__ import annotations

from typing import Protocol

from shizi.core.options import ReadOptions
from shizi.core.types import PageResult


class PageReader(Protocol):
    """Reads pictures and documents; threads share it."""

    def read(self, source: bytes, options: ReadOptions, /) -> list[PageResult]:
        """Read all pages of an encoded picture or document.

        Raises:
            ShiziError: it cannot be read, or not now.
        """
        ...
