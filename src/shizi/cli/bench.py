"""`shizi bench`: Shizi and its peers side by side on labelled pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from shizi.cli.console import load_settings, open_output, say
from shizi.cli.read import PARTIAL_FAILURE
from shizi.core.choices import parse_names
from shizi.core.errors import MissingExtra, OptionError

OWN_SET = Path("bench") / "rendered"


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `bench` takes."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=OWN_SET,
        help="holds manifest.jsonl and pictures; default: the set that lies beside the source",
    )
    parser.add_argument(
        "--peers",
        default="shizi,rapidocr,tesseract",
        metavar="NAMES",
        help="of shizi, rapidocr, tesseract; shizi:RECOGNIZER+DETECTOR@EFFORT/DECODER takes others",
    )
    parser.add_argument("--only", choices=("pages", "lines"), help="default: both")
    parser.add_argument("--casefold", action="store_true", help="upper and lower case are equal")
    parser.add_argument("--by", default="", metavar="KEY", help="split by a key of the manifest")
    parser.add_argument("--threads", type=int, default=2, help="each peer may use")
    parser.add_argument("--limit", type=int, default=0, help="pictures at most; 0 for all")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="a .json file; anything else gets Markdown"
    )


def run_bench(args: argparse.Namespace) -> int:
    """Measure, and write the report."""
    # The scores need a package of the extra `bench`; every other verb does without.
    from shizi.bench import report, run  # noqa: PLC0415

    if args.threads < 1 or args.limit < 0:
        raise OptionError("--threads is at least 1 and --limit at least 0")
    plan = run.BenchPlan(
        folder=args.folder,
        peers=parse_names(args.peers),
        pages=args.only != "lines",
        lines=args.only != "pages",
        casefold=args.casefold,
        by=args.by,
        threads=args.threads,
        limit=args.limit,
        models=load_settings(args).settings.paths.models,
    )
    machine = report.describe_machine()
    results = run.run_bench(plan, (lambda _: None) if args.quiet else say)
    if str(args.output).endswith(".json"):
        content = report.to_dict(plan, results, machine)
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    else:
        text = report.to_markdown(plan, results, machine)
    with open_output(args.output) as out:
        out.write(text.encode())
    failed = sum(bool(result.error) for result in results)
    if not failed:
        return 0
    return PARTIAL_FAILURE if failed < len(results) else MissingExtra.exit_status
