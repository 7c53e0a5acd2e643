"""`shizi read`: files in, text or another format out, one after another."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from shizi.cli import assembly
from shizi.cli.console import STANDARD, load_settings, open_output, say, say_error
from shizi.cli.output import add_output_arguments, chosen_format
from shizi.cli.sources import read_standard_input
from shizi.core.choices import parse_pages, parse_steps
from shizi.core.errors import ShiziError
from shizi.core.options import Decoder, Effort, PdfText, ReadOptions
from shizi.core.types import PageResult
from shizi.engine.sources import make_source, read_file
from shizi.formats import Document, Format, Writer

if TYPE_CHECKING:
    from shizi.engine.reader import Reader

PARTIAL_FAILURE = 10

Ranges = list[tuple[int, int | None]]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to read.

    Attributes:
        document: as it is written of.
        content: path or bytes, as the reader takes it.
    """

    document: Document
    content: str | bytes


def add_read_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `read` takes."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures or documents; - is stdin"
    )
    add_output_arguments(parser)
    parser.add_argument("--pages", metavar="LIST", help="such as 1,3-5,9-")
    parser.add_argument("--password", help="of an encrypted PDF")
    add_reading_arguments(parser)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how pages are read."""
    parser.add_argument("--steps", metavar="NAMES", default="auto", help="auto, none or a,b,c")
    parser.add_argument("--chars", action="store_true", help="list each character in JSON")
    parser.add_argument(
        "--dpi", dest="reader.pdf_dpi", type=int, metavar="DPI", help="for the pages of a PDF"
    )
    parser.add_argument(
        "--pdf-text",
        dest="reader.pdf_text",
        choices=[str(word) for word in PdfText],
        help="auto, the default, takes the text of a PDF where it can be read",
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
    assembly.add_model_arguments(parser)


def run_read(args: argparse.Namespace) -> int:
    """Read every file; one that fails is told and does not stop the others."""
    settings = load_settings(args).settings
    options = _options(args, settings.read_options())
    ranges: Ranges = parse_pages(args.pages) if args.pages else [(1, None)]
    form = chosen_format(args, args.files)
    options = replace(options, characters=options.characters or form.places_words)
    reader = assembly.open_reader(settings)
    failures: list[ShiziError] = []
    with open_output(args.output) as out:
        writer = form.open(out, several=len(args.files) > 1)
        for name in args.files:
            started = time.perf_counter()
            try:
                source = _source(name, form, options)
                pages = _pages(reader, source, options, ranges)
                _write_one(writer, source.document, pages, quiet=args.quiet)
            except ShiziError as error:
                failures.append(error)
                say_error(error, name)
                writer.fail(name, error)
            else:
                writer.end(time.perf_counter() - started)
        writer.close()
    return exit_status(failures, len(args.files))


def _options(args: argparse.Namespace, defaults: ReadOptions) -> ReadOptions:
    return replace(
        defaults,
        decode=replace(defaults.decode, password=args.password),
        steps=parse_steps(args.steps),
        characters=args.chars,
    )


def _source(name: str, form: Format, options: ReadOptions) -> _Source:
    """Take what is read, with what the format shows of it."""
    if name == STANDARD:
        data = read_standard_input(options.limits)
    elif form.shows_pages:
        data = read_file(Path(name), options.limits)
    else:
        return _Source(Document(name), name)
    shown = make_source(data, options) if form.shows_pages else None
    return _Source(Document(name, shown), data)


def _pages(
    reader: Reader, source: _Source, options: ReadOptions, ranges: Ranges
) -> Iterator[PageResult]:
    for first, last in ranges:
        decode = replace(options.decode, first_page=first, last_page=last)
        yield from reader.read_pages(source.content, replace(options, decode=decode))


def _write_one(
    writer: Writer, document: Document, pages: Iterator[PageResult], *, quiet: bool
) -> None:
    """Write pages as they come; what is wrong with the whole input is found before that."""
    first = next(pages, None)
    writer.begin(document)
    for page in chain(() if first is None else (first,), pages):
        if not quiet:
            _tell_notices(document.name, page)
        writer.add(page)


def _tell_notices(name: str, page: PageResult) -> None:
    for notice in page.notices:
        place = name if notice.page is None else f"{name}, page {notice.page}"
        say(f"warning: {place}: {notice.detail}")


def exit_status(failures: Sequence[ShiziError], files: int) -> int:
    """Tell whether none, some or all of the files failed."""
    if not failures:
        return 0
    if len(failures) < files:
        return PARTIAL_FAILURE
    return failures[0].exit_status
