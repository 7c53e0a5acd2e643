from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shizi.bench.memory import peak_bytes, run_watched

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="the mark stands in /proc"
)
_BALLAST = 150_000_000


def test_a_process_that_is_gone_tells_nothing() -> None:
    assert peak_bytes(2**22 + 1) == 0


def test_a_program_is_not_charged_what_held_its_parent() -> None:
    ballast = bytearray(b"x" * _BALLAST)
    done, peak = run_watched([sys.executable, "-c", "import time; time.sleep(0.3); print('ok')"])
    assert (done.stdout, done.returncode) == ("ok\n", 0)
    assert 1_000_000 < peak < len(ballast) / 2
    assert peak_bytes() > len(ballast)


def test_a_peak_is_seen_though_it_passed() -> None:
    code = f"import time; x = b'x' * {_BALLAST}; del x; time.sleep(0.3)"
    _, peak = run_watched([sys.executable, "-c", code])
    assert peak > _BALLAST


def test_output_and_status_come_back_whole() -> None:
    code = "import sys; print('n' * 300_000); print('bad', file=sys.stderr); sys.exit(3)"
    done, _ = run_watched([sys.executable, "-c", code])
    assert (len(done.stdout), done.stderr, done.returncode) == (300_001, "bad\n", 3)
