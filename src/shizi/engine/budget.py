"""What this process may use of its machine: processors and memory, containers respected."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

# More threads than this make one page hardly faster; they serve other pages better.
MOST_THREADS = 4
_CGROUP = Path("/sys/fs/cgroup")
# Cgroup v1 writes "no limit" as a number near the largest there is.
_UNLIMITED_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be used.

    Attributes:
        cpus: processors, in fractions where a quota says so; above 0.
        memory_bytes: limit of the container, None where there is none.
    """

    cpus: float
    memory_bytes: int | None = None

    @property
    def threads(self) -> int:
        """Threads one network should be spread over, at least 1."""
        return max(1, min(MOST_THREADS, math.floor(self.cpus + 0.25)))


def measure_budget(cgroup: Path = _CGROUP) -> Budget:
    """Look up what this process may use.

    Args:
        cgroup: where the control files of the own group are mounted.
    """
    quota = _cpu_quota(cgroup)
    allowed = float(allowed_cpus())
    return Budget(allowed if quota is None else min(allowed, quota), _memory_limit(cgroup))


def allowed_cpus() -> int:
    """Count the processors this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _cpu_quota(cgroup: Path) -> float | None:
    """Read the share of processor time granted, in processors; None where it is unlimited."""
    words = _read(cgroup / "cpu.max").split()
    if len(words) != 2:
        words = [
            _read(cgroup / "cpu" / "cpu.cfs_quota_us"),
            _read(cgroup / "cpu" / "cpu.cfs_period_us"),
        ]
    quota, period = (_number(word) for word in words)
    if quota is None or period is None or quota <= 0 or period <= 0:
        return None
    return quota / period


def _memory_limit(cgroup: Path) -> int | None:
    """Read the memory granted, in bytes; None where it is unlimited."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _number(_read(cgroup / name))
        if limit is not None and 0 < limit < _UNLIMITED_BYTES:
            return limit
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(word: str) -> int | None:
    try:
        return int(word)
    except ValueError:
        return None
