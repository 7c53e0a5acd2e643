"""Which format results are written in, and that the place for them is a sound one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shizi.cli.console import STANDARD
from shizi.core.errors import OptionError
from shizi.formats import FORMATS, Format, format_of


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


def chosen_format(args: argparse.Namespace, inputs: Sequence[str]) -> Format:
    """Give the format asked for, or the one the output's ending tells.

    Args:
        args: with `format` and `output`.
        inputs: files that are read; none of them may be written over.

    Raises:
        OptionError: the format holds no more than one document, is nothing for a terminal, or the
            output is one of the inputs.
        MissingExtra: a package that the format needs is not installed.
    """
    form = FORMATS[args.format] if args.format else format_of(args.output) or FORMATS["txt"]
    if form.one and len(inputs) > 1:
        raise OptionError(f"a file of the format {form.name} holds one document; name one input")
    standard = args.output is None or args.output == STANDARD
    if form.binary and standard and sys.stdout.isatty():
        raise OptionError(f"{form.name} is nothing for a terminal; name a file with -o")
    if not standard and any(_same_file(name, args.output) for name in inputs):
        raise OptionError(f"{args.output} is read and would be written over; name another file")
    form.load()
    return form


def _same_file(first: str, second: str) -> bool:
    try:
        return first != STANDARD and Path(first).samefile(second)
    except OSError:
        return False
