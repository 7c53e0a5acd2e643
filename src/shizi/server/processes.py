"""What the processes of the service take, in the form Prometheus reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from shizi.engine.supervisor import SUPERVISOR

_PROC = Path("/proc")


def processes_to_text(status: Path) -> bytes:
    """Describe the processes a supervisor keeps, with their children.

    Args:
        status: file it writes.

    Returns:
        Memory by process as proportional set size (what is shared counts by its share), and how
        often each was replaced, by reason; the former only where the system tells.
    """
    registry = CollectorRegistry()
    memory = Gauge(
        "shizi_process_memory_bytes", "Proportional set size", ("process",), registry=registry
    )
    # The supervisor counts; to Prometheus a number that only grows is a counter whatever its name.
    restarts = Gauge(
        "shizi_process_restarts_total", "Replacements", ("process", "reason"), registry=registry
    )
    for name, process in _read_status(status).items():
        pid = process["pid"]
        alone = name == SUPERVISOR
        if pid is not None:
            memory.labels(name).set(sum(map(memory_bytes, [pid] if alone else family(pid))))
        for reason, count in process["restarts"].items():
            restarts.labels(name, reason).set(count)
    return generate_latest(registry)


def family(pid: int) -> Iterator[int]:
    """Give a process and all its descendants."""
    yield pid
    try:
        children = (_PROC / f"{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def memory_bytes(pid: int) -> int:
    """Give the proportional set size of a process; 0 where it is gone or the system is silent."""
    try:
        lines = (_PROC / f"{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _read_status(status: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(status.read_bytes())
    except (OSError, ValueError):
        return {}
    return content
