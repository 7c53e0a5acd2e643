"""`shizi convert`: results in, another format out, without reading anything again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shizi.cli.console import STANDARD, load_settings, open_output, say_error
from shizi.cli.output import add_output_arguments, chosen_format
from shizi.cli.read import exit_status
from shizi.cli.sources import read_standard_input
from shizi.core.errors import InputError, OptionError, ShiziError
from shizi.core.options import Limits, ReadOptions
from shizi.core.types import PageResult
from shizi.engine.sources import make_source, read_file
from shizi.formats import Document, Format, dict_to_pages

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Result:
    """What was read of one input.

    Attributes:
        name: of the input, as the result has it.
        answer: its response object.
    """

    name: str
    answer: Answer


def add_convert_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `convert` takes."""
    parser.add_argument(
        "files", nargs="+", metavar="RESULT", help="JSON or JSON lines of `shizi read`; - is stdin"
    )
    add_output_arguments(parser)
    parser.add_argument(
        "--source",
        metavar="FILE",
        help="what was read, for a searchable PDF; default: the name in the result",
    )
    parser.add_argument("--password", help="of an encrypted source")


def run_convert(args: argparse.Namespace) -> int:
    """Write results in another format; one that tells of a failure is told and left out."""
    settings = load_settings(args).settings
    options = settings.read_options()
    options = replace(options, decode=replace(options.decode, password=args.password))
    form = chosen_format(args, args.files)
    results = [result for name in args.files for result in _results(name, options.limits)]
    _check(args, form, results)
    failures: list[ShiziError] = []
    with open_output(args.output) as out:
        writer = form.open(out, several=len(results) > 1)
        for result in results:
            try:
                pages = _pages(result)
                document = _document(result.name, args.source, form, options)
                writer.begin(document)
                for page in pages:
                    writer.add(page)
            except ShiziError as error:
                failures.append(error)
                say_error(error, result.name)
                writer.fail(result.name, error)
            else:
                writer.end(float(result.answer.get("total_time", 0.0)))
        writer.close()
    return exit_status(failures, len(results))


def _check(args: argparse.Namespace, form: Format, results: list[_Result]) -> None:
    if form.one and len(results) > 1:
        raise OptionError(f"a file of the format {form.name} holds one document")
    if args.source and len(results) > 1:
        raise OptionError("--source is the source of one result, and there are several")


def _results(name: str, limits: Limits) -> Iterator[_Result]:
    """Take a file of results apart: an object, a list of them, or one a line."""
    data = read_standard_input(limits) if name == STANDARD else read_file(Path(name), limits)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no JSON") from error
    for content in _objects(name, text):
        if not isinstance(content, dict) or "success" not in content:
            raise InputError(f"{name} holds something else than results of `shizi read`")
        if isinstance(documents := content.get("documents"), list):
            yield from (_Result(f"{name} {each.get('document')}", each) for each in documents)
        else:
            yield _Result(str(content.get("image") or _stem(name)), content)


def _objects(name: str, text: str) -> Iterator[object]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield _line_object(name, number, line)
        return
    except RecursionError as error:
        raise InputError(f"{name} is nested too deeply") from error
    yield from content if isinstance(content, list) else (content,)


def _line_object(name: str, number: int, line: str) -> object:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{name} is no JSON, and its line {number} is none either") from error


def _stem(name: str) -> str:
    return name if name == STANDARD else Path(name).stem


def _pages(result: _Result) -> list[PageResult]:
    """Give the pages of a result.

    Raises:
        ShiziError: the one that the result tells of, or that it has another form.
    """
    if not result.answer["success"]:
        raise _failure(result.answer.get("error"))
    try:
        pages = dict_to_pages(result.answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("this is no result of `shizi read`") from error
    if any(_is_relative(page) for page in pages):
        raise InputError("its boxes are parts of the page; ask for them in pixels")
    return pages


def _failure(told: object) -> InputError:
    fields = told if isinstance(told, dict) else {}
    return InputError(f"it was not read: {fields.get('message', 'the result does not say why')}")


def _is_relative(page: PageResult) -> bool:
    """Tell boxes that were asked for as parts of the page: none is a pixel large."""
    if page.width <= 2 or page.height <= 2:
        return False
    return any(line.box.bounds[2] <= 1.0 and line.box.bounds[3] <= 1.0 for line in page.lines)


def _document(name: str, source: str | None, form: Format, options: ReadOptions) -> Document:
    """Give what is written of, with its source where the format shows it."""
    if not form.shows_pages:
        return Document(name)
    path = source or name
    if source is None and not Path(name).is_file():
        raise OptionError(f"{name} is not here; name the file that was read with --source")
    return Document(name, make_source(read_file(Path(path), options.limits), options))
