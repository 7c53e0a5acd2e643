"""`shizi read`: files in, text or JSON out, one after another."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from shizi.cli import assembly
from shizi.cli.console import STANDARD, load_settings, open_output, say, say_error
from shizi.core.choices import parse_pages, parse_steps
from shizi.core.errors import InputError, ShiziError, TooLarge
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.formats import dict_to_json, dict_to_jsonl, error_to_dict, pages_to_dict, pages_to_text

if TYPE_CHECKING:
    from shizi.engine.reader import Reader

FORMATS = ("txt", "json", "jsonl")
PARTIAL_FAILURE = 10

Ranges = list[tuple[int, int | None]]


def add_read_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `read` takes."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures or documents; - is stdin"
    )
    parser.add_argument(
        "-f", "--format", choices=FORMATS, help="default: by the ending of OUT, else txt"
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="file to write; - is stdout")
    parser.add_argument("--pages", metavar="LIST", help="such as 1,3-5,9-")
    parser.add_argument("--steps", metavar="NAMES", default="auto", help="auto, none or a,b,c")
    parser.add_argument("--chars", action="store_true", help="list each character in JSON")
    parser.add_argument("--password", help="of an encrypted PDF")
    parser.add_argument(
        "--dpi", dest="reader.pdf_dpi", type=int, metavar="DPI", help="for the pages of a PDF"
    )
    parser.add_argument(
        "--effort",
        dest="reader.effort",
        choices=[str(effort) for effort in Effort],
        help="balanced reads doubtful lines again with a larger model",
    )
    parser.add_argument(
        "--decoder",
        dest="reader.decoder",
        choices=[str(decoder) for decoder in Decoder],
        help="beam, the default, weighs what language expects; greedy does not",
    )
    parser.add_argument(
        "--words",
        dest="reader.words",
        type=Path,
        metavar="FILE",
        help="names, codes and terms, one a line, that are likely to occur",
    )
    parser.add_argument(
        "--recognizer", dest="reader.recognizer", metavar="NAME", help="see `shizi models list`"
    )


def run_read(args: argparse.Namespace) -> int:
    """Read every file; one that fails is told and does not stop the others."""
    settings = load_settings(args).settings
    options = _options(args, settings.read_options())
    ranges: Ranges = parse_pages(args.pages) if args.pages else [(1, None)]
    reader = assembly.open_reader(settings)
    failures: list[ShiziError] = []
    with open_output(args.output) as out:
        writer = _Writer(out, args.format or _format_of(args.output), len(args.files) > 1)
        for name in args.files:
            started = time.perf_counter()
            try:
                pages = _read_one(reader, name, options, ranges)
            except ShiziError as error:
                failures.append(error)
                say_error(error, name)
                writer.add_error(name, error)
            else:
                _tell_notices(name, pages, args.quiet)
                writer.add_pages(name, pages, time.perf_counter() - started)
        writer.close()
    return _exit_status(failures, len(args.files))


def _options(args: argparse.Namespace, defaults: ReadOptions) -> ReadOptions:
    return replace(
        defaults,
        decode=replace(defaults.decode, password=args.password),
        steps=parse_steps(args.steps),
        characters=args.chars,
    )


def _format_of(output: str | None) -> str:
    ending = Path(output or "").suffix.removeprefix(".").lower()
    return ending if ending in FORMATS else "txt"


def _read_one(reader: Reader, name: str, options: ReadOptions, ranges: Ranges) -> list[PageResult]:
    source = _standard_input(options.limits.max_bytes) if name == STANDARD else name
    pages: list[PageResult] = []
    for first, last in ranges:
        decode = replace(options.decode, first_page=first, last_page=last)
        pages += reader.read(source, replace(options, decode=decode))
    return pages


def _standard_input(max_bytes: int) -> bytes:
    """Read standard input to its end, but never more than the limit."""
    data = sys.stdin.buffer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge("max_bytes", max_bytes, len(data))
    if not data:
        raise InputError("standard input is empty")
    return data


def _tell_notices(name: str, pages: Sequence[PageResult], quiet: bool) -> None:
    if quiet:
        return
    for page in pages:
        for notice in page.notices:
            place = name if notice.page is None else f"{name}, page {notice.page}"
            say(f"warning: {place}: {notice.detail}")


def _exit_status(failures: Sequence[ShiziError], files: int) -> int:
    if not failures:
        return 0
    if len(failures) < files:
        return PARTIAL_FAILURE
    return failures[0].exit_status


class _Writer:
    """Writes results as they come; thousands of files never gather in memory.

    Attributes:
        several: whether the output must say which file a result is of.
    """

    def __init__(self, out: TextIO, form: str, several: bool) -> None:
        self._out = out
        self._form = form
        self.several = several
        self._count = 0

    def add_pages(self, name: str, pages: Sequence[PageResult], seconds: float) -> None:
        """Write what was read of one file."""
        if self._form == "txt":
            self._add_text(name, pages_to_text(pages))
        else:
            self._add_object(name, pages_to_dict(pages, seconds))

    def add_error(self, name: str, error: ShiziError) -> None:
        """Write that a file failed, where the format has a place for it."""
        if self._form != "txt":
            self._add_object(name, error_to_dict(error))

    def close(self) -> None:
        """Write what stands after the last result."""
        if self._form == "json" and self.several:
            self._out.write("\n]\n")

    def _add_text(self, name: str, text: str) -> None:
        if self.several:
            gap = "\n" if self._count else ""
            self._out.write(f"{gap}==> {name} <==\n")
        self._out.write(text)
        self._count += 1

    def _add_object(self, name: str, response: dict[str, object]) -> None:
        if self._form == "jsonl":
            self._out.write(dict_to_jsonl(name, response))
        elif self.several:
            self._out.write(",\n" if self._count else "[\n")
            self._out.write(json.dumps({"image": name, **response}, ensure_ascii=False, indent=2))
        else:
            self._out.write(dict_to_json(response))
        self._out.flush()
        self._count += 1
