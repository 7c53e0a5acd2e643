"""What every writer of results does, and what it is told of a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from shizi.core.encoded import EncodedPicture
from shizi.core.errors import ShiziError
from shizi.core.types import PageResult


@dataclass(frozen=True, slots=True)
class PdfSource:
    """A PDF that was read.

    Attributes:
        data: the whole file.
        password: that opens it.
    """

    data: bytes = field(repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PictureSource:
    """A picture file that was read.

    Attributes:
        picture: gives the picture of a page, counted from 1, as a PDF can hold it.
    """

    picture: Callable[[int], EncodedPicture]


@dataclass(frozen=True, slots=True)
class Document:
    """An input whose result is written.

    Attributes:
        name: of its file, as the result shows it.
        source: what was read, for formats that show its pages (`Format.shows_pages`).
    """

    name: str
    source: PdfSource | PictureSource | None = None


class Writer(Protocol):
    """Writes the results of one document, or of several one after another.

    The calls come in the order (`begin`, `add`…, `end` or `fail`)…, `close`. A document that could
    not be read at all may `fail` without having begun.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        """Begin a file.

        Args:
            out: to write to; stays open.
            several: whether results of more than one document will come.
        """
        ...

    def begin(self, document: Document) -> None:
        """Start a document."""
        ...

    def add(self, page: PageResult) -> None:
        """Write the next page of the document begun."""
        ...

    def end(self, total_time_s: float) -> None:
        """Finish the document begun.

        Args:
            total_time_s: seconds its reading took.
        """
        ...

    def fail(self, name: str, error: ShiziError) -> None:
        """Tell, where the format has a place for it, that a document could not be read (on).

        Of one that had begun, pages written stay where the format writes them as they come.
        """
        ...

    def close(self) -> None:
        """Write what stands after the last document; the file itself stays open."""
        ...


class TextFile:
    """Text in UTF-8 on its way to a file, whatever the platform's line ends.

    Args:
        out: to write to; stays open.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        """Write; names of files that are no text are shown escaped."""
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Hand on what was written."""
        self._out.flush()


class TextWriter:
    """What writers of text share: most formats have no place for times, failures and an end.

    Args:
        out: to write to; stays open.
        several: whether results of more than one document will come.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        self._out = TextFile(out)
        self._several = several

    def end(self, total_time_s: float) -> None:  # noqa: ARG002 - no place for it
        """Hand on what was written."""
        self._out.flush()

    def fail(self, name: str, error: ShiziError) -> None:
        """Write nothing."""

    def close(self) -> None:
        """Write nothing more."""
