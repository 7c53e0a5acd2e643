"""`shizi read`: files in, text or another format out, one after another."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shizi.cli import assembly
from shizi.cli.console import STANDARD, load_settings, open_output, say, say_error
from shizi.core.choices import parse_pages, parse_steps
from shizi.core.errors import InputError, ShiziError, TooLarge
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.formats import FORMATS, Document, Format, Writer, format_of

if TYPE_CHECKING:
    from shizi.engine.reader import Reader

PARTIAL_FAILURE = 10

Ranges = list[tuple[int, int | None]]


def add_read_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `read` takes."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures or documents; - is stdin"
    )
    add_output_arguments(parser)
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


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the format and the place of results."""
    told = "; ".join(f"{form.name}: {form.help}" for form in FORMATS.values())
    parser.add_argument(
        "-f",
        "--format",
        choices=list(FORMATS),
        help=f"{told}; default: by the ending of OUT, else txt",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="file to write; - is stdout")


def chosen_format(args: argparse.Namespace) -> Format:
    """Give the format asked for, or the one the output's ending tells."""
    if args.format:
        return FORMATS[args.format]
    return format_of(args.output) or FORMATS["txt"]


def run_read(args: argparse.Namespace) -> int:
    """Read every file; one that fails is told and does not stop the others."""
    settings = load_settings(args).settings
    options = _options(args, settings.read_options())
    ranges: Ranges = parse_pages(args.pages) if args.pages else [(1, None)]
    reader = assembly.open_reader(settings)
    failures: list[ShiziError] = []
    with open_output(args.output) as out:
        writer = chosen_format(args).open(out, several=len(args.files) > 1)
        for name in args.files:
            started = time.perf_counter()
            try:
                _read_one(reader, name, (options, ranges), writer, quiet=args.quiet)
            except ShiziError as error:
                failures.append(error)
                say_error(error, name)
                writer.fail(name, error)
            else:
                writer.end(time.perf_counter() - started)
        writer.close()
    return _exit_status(failures, len(args.files))


def _options(args: argparse.Namespace, defaults: ReadOptions) -> ReadOptions:
    return replace(
        defaults,
        decode=replace(defaults.decode, password=args.password),
        steps=parse_steps(args.steps),
        characters=args.chars,
    )


def _read_one(
    reader: Reader, name: str, how: tuple[ReadOptions, Ranges], writer: Writer, *, quiet: bool
) -> None:
    """Read one file and write its pages as they come."""
    options, ranges = how
    source = _standard_input(options.limits.max_bytes) if name == STANDARD else name
    writer.begin(Document(name))
    for page in _pages(reader, source, options, ranges):
        if not quiet:
            _tell_notices(name, page)
        writer.add(page)


def _pages(
    reader: Reader, source: str | bytes, options: ReadOptions, ranges: Ranges
) -> Iterator[PageResult]:
    for first, last in ranges:
        decode = replace(options.decode, first_page=first, last_page=last)
        yield from reader.read_pages(source, replace(options, decode=decode))


def _standard_input(max_bytes: int) -> bytes:
    """Read standard input to its end, but never more than the limit."""
    data = sys.stdin.buffer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge("max_bytes", max_bytes, len(data))
    if not data:
        raise InputError("standard input is empty")
    return data


def _tell_notices(name: str, page: PageResult) -> None:
    for notice in page.notices:
        place = name if notice.page is None else f"{name}, page {notice.page}"
        say(f"warning: {place}: {notice.detail}")


def _exit_status(failures: Sequence[ShiziError], files: int) -> int:
    if not failures:
        return 0
    if len(failures) < files:
        return PARTIAL_FAILURE
    return failures[0].exit_status
