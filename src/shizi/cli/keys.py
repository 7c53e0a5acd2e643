"""The keys that open the service: added, listed, removed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shizi.cli.console import load_settings, say, table
from shizi.core.errors import OptionError
from shizi.server.keys import Key, draw_key, read_keys, write_keys
from shizi.server.rates import Rates


def add_add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `keys add` takes."""
    _add_name(parser)
    parser.add_argument("--limit", default="", metavar="RATE", help="such as 600/minute")
    add_file_argument(parser)


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `keys remove` takes."""
    _add_name(parser)
    add_file_argument(parser)


def add_file_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--file`."""
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="of the keys; default: setting server.keys"
    )


def run_add(args: argparse.Namespace) -> int:
    """Draw a key, write it once to standard output, and keep its hash."""
    file = _file(args)
    keys = read_keys(file) if file.exists() else []
    if any(key.name == args.name for key in keys):
        raise OptionError(f"there is a key {args.name!r}; remove it first")
    limit = "".join(args.limit.split())
    Rates().check(limit)
    text, key = draw_key(args.name, limit)
    write_keys(file, [*keys, key])
    sys.stdout.write(text + "\n")
    say("this key is shown once; the file keeps its hash alone")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List the names of the keys with the beginning of their hashes."""
    rows = [(key.name, key.sha256[:12], key.limit) for key in read_keys(_file(args))]
    sys.stdout.write(table(rows) if rows else "")
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Remove a key; a service that runs no longer takes it."""
    file = _file(args)
    keys = read_keys(file)
    kept: list[Key] = [key for key in keys if key.name != args.name]
    if len(kept) == len(keys):
        raise OptionError.unknown(args.name, [key.name for key in keys], "key")
    write_keys(file, kept)
    return 0


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of whoever holds the key")


def _file(args: argparse.Namespace) -> Path:
    file: Path | None = args.file or load_settings(args).settings.server.keys
    if file is None:
        raise OptionError("no file of keys: give --file, or the setting server.keys")
    return file
