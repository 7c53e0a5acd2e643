"""A multipart form: fields and files, read from the disk as they are sent."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shizi.core.errors import FileAccessError

#: A path, or the bytes of an encoded file.
Source = str | os.PathLike[str] | bytes
OptionValue = str | int | float | bool | Sequence[str]

_CHUNK_BYTES = 1 << 16
# What would end the head of a part, or the name in it.
_ESCAPES = {'"': "%22", "\\": "\\\\", "\r": "%0D", "\n": "%0A"}


class Form:
    """What is sent; may be sent again.

    Args:
        options: fields by name.
        sources: files, in the field `file`.
        named: whether files are sent with their names; they say nothing of the content.

    Attributes:
        headers: that go with it.

    Raises:
        FileAccessError: a path cannot be read.
    """

    def __init__(
        self, options: Mapping[str, OptionValue], sources: Sequence[Source], *, named: bool = False
    ) -> None:
        self._boundary = uuid.uuid4().hex
        self._fields = b"".join(
            self._head(f'name="{name}"') + value_to_text(name, value).encode() + b"\r\n"
            for name, value in options.items()
        )
        self._files = [(self._file_head(source, named=named), source) for source in sources]
        self._sizes = [_size_of(source) for source in sources]
        self._end = f"--{self._boundary}--\r\n".encode()
        heads = sum(len(head) + len(b"\r\n") for head, _ in self._files)
        length = len(self._fields) + heads + sum(self._sizes) + len(self._end)
        self.headers: Mapping[str, str] = {
            "Content-Type": f"multipart/form-data; boundary={self._boundary}",
            "Content-Length": str(length),
        }

    def __iter__(self) -> Iterator[bytes]:
        """Give the form in pieces.

        Raises:
            FileAccessError: a file cannot be read any more, or has become shorter.
        """
        yield self._fields
        for (head, source), size in zip(self._files, self._sizes, strict=True):
            yield head
            yield from _pieces(source, size)
            yield b"\r\n"
        yield self._end

    def _head(self, disposition: str, kind: str = "") -> bytes:
        told = f"\r\nContent-Type: {kind}" if kind else ""
        head = f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}{told}\r\n\r\n"
        return head.encode("utf-8", "replace")

    def _file_head(self, source: Source, *, named: bool) -> bytes:
        name = "file"
        if named:
            name = "" if isinstance(source, bytes) else Path(source).name
        safe = "".join(_ESCAPES.get(character, character) for character in name)
        return self._head(f'name="file"; filename="{safe}"', "application/octet-stream")


def value_to_text(name: str, value: OptionValue) -> str:
    """Give the text a form has for an option; words are told one a line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    return ("\n" if name == "words" else ",").join(value)


def _size_of(source: Source) -> int:
    if isinstance(source, bytes):
        return len(source)
    try:
        return Path(source).stat().st_size
    except OSError as error:
        raise _unreadable(source, error) from error


def _pieces(source: Source, size: int) -> Iterator[bytes]:
    """Give as many bytes as were announced, whatever happens to the file meanwhile."""
    if isinstance(source, bytes):
        yield source
        return
    left = size
    try:
        with Path(source).open("rb") as file:
            while left and (data := file.read(min(_CHUNK_BYTES, left))):
                left -= len(data)
                yield data
    except OSError as error:
        raise _unreadable(source, error) from error
    if left:
        raise FileAccessError(f"{source} became shorter while it was sent")


def _unreadable(source: Source, error: OSError) -> FileAccessError:
    return FileAccessError(f"{source!s} cannot be read: {error.strerror}")
