"""The command line: a table of verbs, one parser made from it, one place that ends the program.

Exit status: 0 well; 1 wrong arguments; 2 input unreadable; 3 a model or a package is missing;
5 a file cannot be opened; 8 encrypted PDF; 9 wrong configuration; 10 some files failed; 11 a
figure misses its bound; 15 anything else; 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from shizi import __version__
from shizi.cli import batch, bench, commands, convert, importing, keys, models, release, train
from shizi.cli.console import say, say_error
from shizi.cli.read import add_read_arguments, run_read
from shizi.core.errors import OptionError, ShiziError

_log = logging.getLogger(__name__)

INTERRUPTED = 130
_EPILOG = (__doc__ or "").partition("\n\n")[2].replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Verb:
    """One command.

    Attributes:
        name: one word, or two for a noun after a verb's group ("models list").
        help: one line.
        add_arguments: declares what it takes.
        run: does it and gives the exit status.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


VERBS = (
    Verb("read", "read the text of files", add_read_arguments, run_read),
    Verb("batch", "read whole folders", batch.add_batch_arguments, batch.run),
    Verb(
        "convert",
        "write results in another format, without reading again",
        convert.add_convert_arguments,
        convert.run_convert,
    ),
    Verb("serve", "serve the page and the API", commands.add_serve_arguments, commands.run_serve),
    Verb(
        "worker",
        "read jobs of a service on another machine",
        commands.add_worker_arguments,
        commands.run_worker,
    ),
    Verb("keys add", "draw a key for the service", keys.add_add_arguments, keys.run_add),
    Verb("keys list", "list the keys of the service", keys.add_file_argument, keys.run_list),
    Verb("keys remove", "remove a key of the service", keys.add_remove_arguments, keys.run_remove),
    Verb(
        "models list",
        "list the installed models",
        commands.add_json_argument,
        models.run_list,
    ),
    Verb(
        "models verify",
        "compare model files with their digests",
        models.add_verify_arguments,
        models.run_verify,
    ),
    Verb(
        "models import",
        "make a model of a checkpoint that ModelScope publishes",
        importing.add_import_arguments,
        importing.run_import,
    ),
    Verb(
        "models pull",
        "fetch a model and install it",
        models.add_pull_arguments,
        models.run_pull,
    ),
    Verb(
        "models install",
        "install a model that is on this machine",
        models.add_install_arguments,
        models.run_install,
    ),
    Verb("models remove", "remove a model", models.add_remove_arguments, models.run_remove),
    Verb(
        "config show",
        "show every setting and where it comes from",
        commands.add_json_argument,
        commands.run_config_show,
    ),
    Verb(
        "bench",
        "measure Shizi and its peers on labelled pictures",
        bench.add_bench_arguments,
        bench.run_bench,
    ),
    Verb(
        "train recognizer",
        "train a recognizer, or go on with its run",
        train.add_recognizer_arguments,
        train.run_recognizer,
    ),
    Verb(
        "train pages",
        "draw pages and cut labelled lines out of them, to train on",
        train.add_pages_arguments,
        train.run_pages,
    ),
    Verb(
        "train maps",
        "draw pages with the maps of the large detector, for a small one to learn from",
        train.add_maps_arguments,
        train.run_maps,
    ),
    Verb(
        "train detector",
        "train a small detector on maps, or go on with its run",
        train.add_detector_arguments,
        train.run_detector,
    ),
    Verb(
        "train language",
        "count text into the language model that decoding weighs",
        train.add_language_arguments,
        train.run_language,
    ),
    Verb(
        "train export",
        "turn a checkpoint into a model folder",
        train.add_export_arguments,
        train.run_export,
    ),
    *(Verb(f"release {name}", says, add, run) for name, says, add, run in release.COMMANDS),
    Verb("doctor", "check this installation", commands.add_json_argument, commands.run_doctor),
)
_GROUPS = {
    "release": "let a new version take over, share by share",
    "keys": "look after the keys of the service",
    "models": "look after the models",
    "config": "look at the configuration",
    "train": "train a model",
}


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are our own errors."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: without the program's name; the process's own where None.

    Returns:
        The exit status.
    """
    _write_utf8()
    try:
        args = build_parser().parse_args(argv)
        _configure_logging(args.verbose)
        return int(args.run(args))
    except ShiziError as error:
        say_error(error)
        return error.exit_status
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; keep the interpreter from complaining at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # noqa: BLE001 - a bug of ours has its own status and no trace
        _log.info("its trace", exc_info=error)
        bug = ShiziError(f"an unexpected {type(error).__name__}; --verbose shows its trace")
        say_error(bug)
        return bug.exit_status


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of all verbs."""
    parser = _Parser(prog="shizi", description="Reads text in pictures, on a plain CPU.")
    parser.epilog = _EPILOG
    parser.add_argument("--version", action="version", version=f"shizi {__version__}")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    groups: dict[str, argparse._SubParsersAction[_Parser]] = {}
    for verb in VERBS:
        group, _, name = verb.name.rpartition(" ")
        if group and group not in groups:
            inner = verbs.add_parser(group, help=_GROUPS[group], description=_GROUPS[group])
            groups[group] = inner.add_subparsers(metavar="COMMAND", required=True)
        place = groups[group] if group else verbs
        own = place.add_parser(name, help=verb.help, description=verb.help)
        verb.add_arguments(own)
        _add_common(own)
        own.set_defaults(run=verb.run)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="instead of ./shizi.yaml")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="tell errors only")
    volume.add_argument("-v", "--verbose", action="store_true", help="log what is done")


def _configure_logging(verbose: bool) -> None:
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="shizi: %(levelname)s: %(name)s: %(message)s")


def _write_utf8() -> None:
    """Write Chinese whatever the locale of the terminal says."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
