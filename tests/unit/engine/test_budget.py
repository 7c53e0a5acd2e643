from __future__ import annotations

from pathlib import Path

import pytest

from shizi.engine.budget import Budget, allowed_cpus, measure_budget


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_quota_of_half_a_processor_gives_one_thread(tmp_path: Path) -> None:
    budget = measure_budget(write(tmp_path, {"cpu.max": "50000 100000\n"}))
    assert budget.cpus == 0.5
    assert budget.threads == 1


def test_the_older_control_groups_are_read_too(tmp_path: Path) -> None:
    files = {
        "cpu/cpu.cfs_quota_us": "25000",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": "300000000",
    }
    assert measure_budget(write(tmp_path, files)) == Budget(0.25, 300_000_000)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.max": "max 100000\n", "memory.max": "max\n"},
        {"cpu.max": "damaged", "memory.max": ""},
        {"memory/memory.limit_in_bytes": "9223372036854771712"},
    ],
)
def test_without_a_limit_the_affinity_counts(tmp_path: Path, files: dict[str, str]) -> None:
    assert measure_budget(write(tmp_path, files)) == Budget(float(allowed_cpus()), None)


def test_threads_stay_within_bounds() -> None:
    assert Budget(64.0).threads == 4
    assert Budget(2.0).threads == 2
    assert Budget(0.1).threads == 1
