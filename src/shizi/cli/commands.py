"""What the verbs do, one `run_*` each; `read` has its own file."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from shizi.cli import doctor
from shizi.cli.assembly import add_model_arguments
from shizi.cli.console import load_settings, say, table
from shizi.core.config import Worker, find_file
from shizi.core.telemetry import configure_logging


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `serve` takes."""
    add = parser.add_argument
    add("--host", dest="server.host", metavar="HOST", help="address to listen on")
    add("--port", dest="server.port", type=int, metavar="PORT", help="port; 0 takes a free one")
    add("--threads", dest="server.threads", type=int, metavar="N", help="requests at once")
    add(
        "--memory-budget",
        dest="engine.memory_budget",
        metavar="SIZE",
        help="what all processes may take together, such as 300MiB",
    )
    add("--jobs", dest="jobs.folder", type=Path, metavar="DIR", help="where jobs are kept")
    add("--worker", dest="server.worker", choices=list(Worker), help="how requests are held")
    add_model_arguments(parser)


def run_serve(args: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    settings = load_settings(args).settings
    level = logging.WARNING if args.quiet else logging.INFO
    configure_logging(settings.server.log_format, level)
    # Flask costs a tenth of a second, and only this verb needs it.
    from shizi.server.serve import serve  # noqa: PLC0415

    serve(settings, say, find_file(args.config))
    return 0


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `worker` takes."""
    add = parser.add_argument
    add("--jobs", dest="jobs.folder", type=Path, metavar="DIR", help="where jobs are kept")
    add("--broker", dest="jobs.broker", metavar="URL", help="such as redis://host:6379/0")
    add(
        "--memory-budget",
        dest="engine.memory_budget",
        metavar="SIZE",
        help="what all processes may take together, such as 600MiB",
    )


def run_worker(args: argparse.Namespace) -> int:
    """Read chunks of jobs until a signal ends it."""
    settings = load_settings(args).settings
    level = logging.WARNING if args.quiet else logging.INFO
    configure_logging(settings.server.log_format, level)
    from shizi.server.worker import work  # noqa: PLC0415 - only this verb needs it

    work(settings, lambda: say("taking chunks of jobs  (Ctrl-C stops)"))
    return 0


def run_config_show(args: argparse.Namespace) -> int:
    """Show every setting with its origin."""
    rows = list(load_settings(args).rows())
    if args.json:
        content: dict[str, dict[str, object]] = {}
        for name, value, origin in rows:
            section, key = name.split(".")
            shown = value if isinstance(value, int | float | str | None) else str(value)
            content.setdefault(section, {})[key] = {"value": shown, "origin": origin}
        _write_json(content)
    else:
        sys.stdout.write(table([(n, "" if v is None else str(v), o) for n, v, o in rows]))
    return 0


def run_doctor(args: argparse.Namespace) -> int:
    """Check this installation."""
    findings = doctor.examine(args)
    if args.json:
        _write_json(
            {"ok": all(f.ok for f in findings), "findings": [f.to_dict() for f in findings]}
        )
    else:
        rows = [("ok" if f.ok else "BAD", f.subject, f.detail) for f in findings]
        sys.stdout.write(table(rows))
    return next((f.exit_status for f in findings if not f.ok), 0)


def _write_json(content: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
