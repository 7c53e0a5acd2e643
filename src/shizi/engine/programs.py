"""Runs the processes of the service: `python -m shizi.engine.programs MODULE REPORTS PLAN`.

The supervisor starts it with the module whose `main` is to run, a descriptor to report on and a
plan as JSON. What is reported is one word, "ok", or the error that kept the process from getting
ready.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from typing import Any

from shizi.core.errors import ShiziError
from shizi.core.telemetry import LogFormat, configure_logging
from shizi.engine.messages import error_to_bytes

#: What every command of `program_command` begins with.
PREFIX = (sys.executable, "-m", "shizi.engine.programs")
READY = b"ok"
#: What a process leaves with that could not get ready.
START_STATUS = 3

Main = Callable[[str, Callable[[], None]], None]


def program_command(module: str, reports: int, plan: Any) -> list[str]:
    """Give the command that starts a module's process.

    Args:
        module: whose `main` takes the plan, and what to call once it is ready.
        reports: descriptor to report on.
        plan: a dataclass that JSON can say; every plan tells how the log is written.
    """
    return [*PREFIX, module, str(reports), json.dumps(asdict(plan))]


def run_program(module: str, reports: str, plan: str) -> None:
    """Run a module's program to its end; the arguments are those of `program_command`."""
    report_and_run(import_module(module).main, int(reports), plan)


def report_and_run(main: Main, reports: int, plan: str) -> None:
    """Run a program; tell the supervisor that it is ready, or why it is not.

    Args:
        main: takes the plan and what to call once it is ready.
        reports: descriptor to write to.
        plan: as JSON; every plan says how the log is written.
    """

    def report(content: bytes) -> None:
        os.write(reports, content)
        os.close(reports)

    configure_logging(LogFormat(json.loads(plan)["log_format"]))
    try:
        main(plan, lambda: report(READY))
    except ShiziError as error:
        report(error_to_bytes(error))
        raise SystemExit(START_STATUS) from error


if __name__ == "__main__":
    run_program(*sys.argv[1:])
