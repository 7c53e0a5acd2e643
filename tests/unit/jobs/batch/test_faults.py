"""A batch whose workers, files, disk or whole process fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import FileAccessError, LedgerFailed, ModelNotFound
from shizi.engine.signals import WakeUp
from shizi.jobs.batch.tally import Tally
from shizi.jobs.opening import open_ledger
from tests.unit.jobs.batch.conftest import Place
from tests.unit.jobs.batch.driver import run_fake
from tests.waiting import until


def test_poison_is_a_dead_letter_and_takes_nobody_with_it(place: Place, wake: WakeUp) -> None:
    place.fill(60)
    for k in (5, 6, 41):
        place.put(f"000/{k:05d}.png", "kill")

    result = run_fake(place.plan(attempts=3), wake)

    assert (result.tally.read, result.tally.failed) == (57, 3)
    assert 7 <= result.replaced <= 9, "at first two may share a death, later none"
    assert [row[:2] + row[3:] for row in place.failures()] == [
        [f"000/{k:05d}.png", "quarantined", "3"] for k in (5, 6, 41)
    ]
    assert set(place.results()) == place.inputs() - {f"000/{k:05d}.png" for k in (5, 6, 41)}
    with_ledger = open_ledger(place.out / ".shizi" / "ledger.db")
    letters = with_ledger.dead_letters()
    with_ledger.close()
    assert {letter.source.name for letter in letters} == {f"000/{k:05d}.png" for k in (5, 6, 41)}
    assert all(letter.source.digest for letter in letters)


def test_a_worker_that_is_killed_costs_time_and_no_page(place: Place, wake: WakeUp) -> None:
    place.fill(300, "wait 0.02")
    killed: list[int] = []

    def kill_one(tally: Tally) -> None:
        alive = [int(file.stem) for file in place.log.glob("*.log")]
        new = [pid for pid in alive if pid not in killed]
        if tally.done > 20 and len(killed) < 3 and new:
            killed.append(new[0])
            os.kill(new[0], signal.SIGKILL)

    result = run_fake(place.plan(), wake, kill_one)

    assert result.replaced == len(killed) > 0
    assert (result.tally.read, result.tally.failed) == (300, 0)
    assert set(place.results()) == place.inputs()
    again = [name for name, times in place.notes().items() if times > 1]
    assert len(again) <= 2 * len(killed), "only what was in work is read again"


def test_a_page_that_hangs_is_ended_and_tried_alone(place: Place, wake: WakeUp) -> None:
    place.fill(10)
    place.put("hangs.png", "wait 600")

    result = run_fake(place.plan(page_s=-9.5, attempts=2), wake)

    assert result.tally.read == 10
    assert [(row[0], row[1], row[3]) for row in place.failures()] == [
        ("hangs.png", "deadline", "2")
    ]


def test_a_stop_finishes_what_is_in_work_and_goes_on_later(place: Place) -> None:
    place.fill(100, "wait 0.05")
    with place.start() as first:
        until(lambda: len(place.results()) > 10)
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 130
        told = json.loads(first.communicate()[0])
    assert 10 < told["read"] < 100
    assert told["read"] == len(place.results())

    with place.start() as second:
        assert second.wait(60) == 0

    assert set(place.results()) == place.inputs()
    assert set(place.notes().values()) == {1}, "nothing was read twice"


def test_a_batch_that_is_killed_goes_on_where_it_was(place: Place) -> None:
    place.fill(400, "wait 0.01")
    kills = 0
    while kills < 4:
        with place.start() as batch:
            before = len(place.results())
            until(lambda before=before: len(place.results()) > before + 40)
            batch.kill()
        kills += 1
        until(lambda: not list(_workers_of(place)))
    for file in place.out.rglob("*.txt"):
        assert file.read_text().endswith("\n"), "half a file"
    with place.start() as batch:
        assert batch.wait(60) == 0

    results = place.results()
    assert {name: text.strip() for name, text in results.items()} == {
        name: (place.folder / name).read_text() for name in place.inputs()
    }
    again = sum(times - 1 for times in place.notes().values())
    assert again <= kills * 4, "at most what was in work is read again"
    assert not (place.out / ".shizi" / "parts").exists()


def _workers_of(place: Place) -> Iterator[int]:
    """Give the workers that are still there; the kernel ends them with their batch."""
    for file in place.log.glob("*.log"):
        try:
            command = Path(f"/proc/{file.stem}/cmdline").read_bytes()
        except OSError:
            continue
        if b"fake_worker" in command:
            yield int(file.stem)


@pytest.mark.slow
def test_fifty_thousand_files_take_no_memory_and_resume_in_seconds(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 50_000):
        (tmp_path / str(count)).mkdir()
        place = Place(tmp_path / str(count))
        place.fill(count)
        with place.start() as batch:
            until(lambda place=place: len(list(place.out.rglob("*.txt"))) > 300, 60)
            if count > 500:
                until(lambda place=place: _is_listed(place), 120)
                peaks.append(_peak_bytes(batch.pid))
                batch.kill()
            else:
                batch.wait(60)
                peaks.append(json.loads(batch.communicate()[0])["peak"])
    assert peaks[1] - peaks[0] < 10_000_000, peaks

    before = sum(place.notes().values())
    started = time.monotonic()
    with place.start() as batch:
        until(lambda: sum(place.notes().values()) > before + 200, 60)
        took_s = time.monotonic() - started
        batch.send_signal(signal.SIGTERM)
        assert batch.wait(60) == 130
    assert took_s < 15
    again = sum(times - 1 for times in place.notes().values())
    assert again <= 4, "at most what was in work is read again"


def _is_listed(place: Place) -> bool:
    ledger = open_ledger(place.out / ".shizi" / "ledger.db")
    try:
        return ledger.jobs()[0].items == 50_000
    finally:
        ledger.close()


def _peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_full_disk_stops_the_batch_and_fails_no_file(
    place: Place, wake: WakeUp, tmp_path: Path
) -> None:
    place.fill(50)
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        place.out = small / "out"
        filler = small / "filler"
        place.out.mkdir()
        plan = place.plan()
        (place.folder / "000" / "00001.png").write_text("long " * 800_000)
        filler.write_bytes(bytes(300_000))
        # Whoever writes first finds it full, the worker or the ledger.
        with pytest.raises((FileAccessError, LedgerFailed), match=r"No space left|disk is full"):
            run_fake(plan, wake)
        assert not any(text.startswith("long") for text in place.results().values())

        filler.unlink()
        (place.folder / "000" / "00001.png").write_text("short")
        result = run_fake(plan, wake)
        assert (result.tally.failed, set(place.results())) == (0, place.inputs())
    finally:
        subprocess.run(["umount", small], check=True)


def test_workers_that_cannot_work_say_why(place: Place, wake: WakeUp) -> None:
    place.fill(3)
    place.log.rmdir()

    with pytest.raises(ModelNotFound, match="fake"):
        run_fake(place.plan(), wake)
