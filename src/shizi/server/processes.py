"""What the processes of the service take, in the form Prometheus reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from shizi.engine.memory import family, memory_bytes
from shizi.engine.supervisor import SUPERVISOR

_LABELS = ("process", "version")


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
        "shizi_process_memory_bytes", "Proportional set size", _LABELS, registry=registry
    )
    # The supervisor counts; to Prometheus a number that only grows is a counter whatever its name.
    restarts = Gauge(
        "shizi_process_restarts_total", "Replacements", (*_LABELS, "reason"), registry=registry
    )
    for name, process in read_status(status).items():
        pid = process["pid"]
        alone = name == SUPERVISOR
        labels = process.get("process", name), process.get("version", "")
        if pid is not None:
            memory.labels(*labels).set(sum(map(memory_bytes, [pid] if alone else family(pid))))
        for reason, count in process["restarts"].items():
            restarts.labels(*labels, reason).set(count)
    return generate_latest(registry)


def read_status(status: Path) -> dict[str, Any]:
    """Give what the supervisor wrote of each process, by name; nothing where there is nothing."""
    try:
        content: dict[str, Any] = json.loads(status.read_bytes())
    except (OSError, ValueError):
        return {}
    return content
