"""Starts the processes of the service: `python -m shizi.engine.programs NAME REPORTS PLAN`.

The supervisor calls it with a descriptor to report on and a plan as JSON. What is reported is one
word, "ok", or the error that kept the process from getting ready.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module

from shizi.core.errors import ShiziError
from shizi.core.telemetry import LogFormat, configure_logging
from shizi.engine.messages import error_to_bytes

#: By name, the module whose `main` takes the plan; it is imported in its own process only.
PROGRAMS = {"decoders": "shizi.engine.decoders", "engine": "shizi.engine.worker"}
READY = b"ok"
#: What a process leaves with that could not get ready.
START_STATUS = 3

Main = Callable[[str, Callable[[], None]], None]


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
    report_and_run(import_module(PROGRAMS[sys.argv[1]]).main, int(sys.argv[2]), sys.argv[3])
