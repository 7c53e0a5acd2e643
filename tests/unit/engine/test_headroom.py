from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.config import EngineSettings, Settings
from shizi.core.errors import NoHeadroom
from shizi.engine.allowance import ENGINE_BYTES, RELEASE_BYTES, SECOND_BYTES, allow
from shizi.engine.headroom import LOOSE_BYTES, MODEL_FACTOR, Headroom
from shizi.engine.memory import free_bytes

MIB = 1 << 20
MODEL = 8 * MIB
NEED = LOOSE_BYTES + MODEL_FACTOR * MODEL


def test_without_a_budget_the_machine_must_have_room() -> None:
    Headroom(0, 0, lambda: 0, lambda: NEED).check("m@2", MODEL)
    Headroom(0, 0, lambda: 0, lambda: None).check("m@2", MODEL)
    with pytest.raises(NoHeadroom, match=r"m@2 takes about \d+ MiB, and 1 MiB are left"):
        Headroom(0, 0, lambda: 0, lambda: MIB).check("m@2", MODEL)


def test_a_budget_counts_both_versions() -> None:
    kept = ENGINE_BYTES + SECOND_BYTES
    Headroom(900 * MIB, kept, lambda: 300 * MIB, lambda: 0).check("m@2", MODEL)
    with pytest.raises(NoHeadroom):
        Headroom(900 * MIB, 0, lambda: 300 * MIB, lambda: 1 << 40).check("m@2", MODEL)
    with pytest.raises(NoHeadroom):
        Headroom(900 * MIB, kept, lambda: 800 * MIB, lambda: 1 << 40).check("m@2", MODEL)
    with pytest.raises(NoHeadroom):
        Headroom(900 * MIB, kept, lambda: 300 * MIB, lambda: 0).check("m@2", 100 * MIB)


def test_room_for_a_second_version_is_taken_from_the_work() -> None:
    def with_versions(versions: int) -> Settings:
        engine = EngineSettings(memory_budget=900 * MIB, versions=versions)
        return replace(Settings(), engine=engine)

    one, two = (allow(with_versions(versions), 2.0) for versions in (1, 2))
    assert (one.version_bytes, two.version_bytes) == (0, ENGINE_BYTES + SECOND_BYTES)
    assert two.engine_bytes < one.engine_bytes
    assert two.places * two.page_pixels < one.places * one.page_pixels


def test_the_process_that_leads_releases_is_counted() -> None:
    engine = EngineSettings(memory_budget=900 * MIB)
    without = replace(Settings(), engine=engine)
    releases = replace(without.releases, store="/somewhere")
    bounds = [allow(settings, 2.0) for settings in (without, replace(without, releases=releases))]

    assert bounds[0].engine_bytes - bounds[1].engine_bytes == RELEASE_BYTES


def test_a_container_bounds_what_is_free(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text(f"{60 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {20 * MIB}\nx 1\n")
    machine = free_bytes(None, tmp_path)

    assert machine is None or machine > 0
    assert free_bytes(100 * MIB, tmp_path) == 60 * MIB
