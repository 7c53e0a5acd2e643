"""A program for the launcher: does what its plan says, and writes down how it lives."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the program."""
    plan = json.loads(plan_json)
    if plan["does"] == "leaves":
        raise SystemExit(7)
    if plan["does"] == "bears" and not os.fork():
        time.sleep(0.3)
        os._exit(0)
    told = {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "group": os.getpgid(0),
        "name": Path("/proc/self/comm").read_text().strip(),
        "threads": len(_numbers_in("task")),
        "shared": gc.get_freeze_count() > 0 and "csv" in sys.modules,
        "variable": os.environ.get("OF_THE_SERVICE"),
        "terminates": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "interrupts": signal.getsignal(signal.SIGINT) == signal.default_int_handler,
        "open": [
            number for number in _numbers_in("fd") if Path(f"/proc/self/fd/{number}").exists()
        ],
    }
    os.write(plan["writes_to"], json.dumps(told).encode() + b"\n")
    announce()
    if plan["does"] == "ends":
        return
    while True:
        time.sleep(60)


def _numbers_in(folder: str) -> list[int]:
    return [int(path.name) for path in Path(f"/proc/self/{folder}").iterdir()]
