"""How much memory a program held at most, whatever the process that started it had held.

The kernel's own count (`ru_maxrss`) outlives `exec`: a child begins with the peak of its parent.
The mark that belongs to the program alone stands in /proc.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

# The mark never falls, so that what is missed is at most what grows after the last look.
_LOOK_S = 0.02


def peak_bytes(process: int | str = "self") -> int:
    """Give the most memory a process held since its program began; 0 where nothing tells."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    marks = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(next(marks, "0")) * 1024


def run_watched(command: Sequence[str]) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run a program to its end.

    Args:
        command: the program and its arguments; no shell sees them.

    Returns:
        What it wrote, with its status, and the most memory it held, in bytes.
    """
    peak = 0
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as program:  # noqa: S603
        while True:
            try:
                out, error = program.communicate(timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                peak = max(peak, peak_bytes(program.pid))
            else:
                return subprocess.CompletedProcess(command, program.returncode, out, error), peak
