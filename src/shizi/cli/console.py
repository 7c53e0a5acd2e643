"""What the commands share: words to standard error, results to where they are wanted."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from shizi.core.config import Loaded, load
from shizi.core.errors import FileAccessError, MissingExtra, ShiziError

STANDARD = "-"


def say(message: str) -> None:
    """Tell the user something; standard output is for results alone."""
    print(f"shizi: {message}", file=sys.stderr, flush=True)


def say_error(error: ShiziError, about: str = "") -> None:
    """Tell an error: one line what, one line what to do."""
    place = f"{about}: " if about else ""
    say(f"error: {place}{error.detail}\n  {error.advice}")


def load_settings(args: argparse.Namespace) -> Loaded:
    """Resolve the settings; a flag's destination is the name of the setting it gives.

    Raises:
        ConfigError: see `shizi.core.config.load`.
    """
    flags = {name: value for name, value in vars(args).items() if "." in name}
    return load(flags, file=args.config)


def need_extra(extra: str, packages: Sequence[str]) -> None:
    """Refuse a command whose packages are not all there; none of them is loaded for it.

    Args:
        extra: that brings them.
        packages: by the names they are imported by.

    Raises:
        MissingExtra: one is not installed.
    """
    if any(find_spec(name) is None for name in packages):
        raise MissingExtra(extra)


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[BinaryIO]:
    """Open the place results go to: a file, or standard output for None and "-".

    Raises:
        FileAccessError: the file cannot be written.
    """
    if path is None or path == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        # Results are as long as the documents: they go to the file as they come.
        file = Path(path).open("wb")  # noqa: SIM115
    except OSError as error:
        raise FileAccessError(f"{path} cannot be written: {error.strerror}") from error
    with file:
        yield file


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Align rows in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"
