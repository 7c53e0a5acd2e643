"""Files that a service makes: kept in memory, or written whole."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shizi.client.connection import Connection, Request
from shizi.core.errors import FileAccessError, OptionError
from shizi.formats import FORMATS, Format, format_of


def format_named(name: str) -> Format:
    """Give a format by its name.

    Raises:
        OptionError: there is none.
    """
    if name not in FORMATS:
        raise OptionError.unknown(name, FORMATS, "format")
    return FORMATS[name]


def format_for(path: str | os.PathLike[str], name: str | None) -> Format:
    """Give the format of a file: the one named, or the one its ending tells.

    Raises:
        OptionError: there is none.
    """
    found = format_of(os.fspath(path)) if name is None else format_named(name)
    if found is None:
        raise OptionError(f"{path!s} has the ending of no format; name one")
    return found


def fetch(connection: Connection, request: Request, form: Format) -> bytes:
    """Give the file that a request is answered with.

    Raises:
        ShiziError: see `Connection.ask`.
    """
    pieces: list[bytes] = []
    connection.fetch(request, form.content_type, pieces.append)
    return b"".join(pieces)


def save(connection: Connection, request: Request, form: Format, path: Path) -> None:
    """Write the file that a request is answered with; it is there whole or not at all.

    Raises:
        FileAccessError: it cannot be written.
        ShiziError: see `Connection.ask`.
    """
    with _whole_file(path) as write:
        connection.fetch(request, form.content_type, write)


@contextmanager
def _whole_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Give what writes a file that takes its name when the block has ended well."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:

            def write(data: bytes) -> None:
                try:
                    file.write(data)
                except OSError as error:
                    raise _unwritable(path, error) from error

            yield write
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FileAccessError:
    return FileAccessError(f"{path} cannot be written: {error.strerror}")
