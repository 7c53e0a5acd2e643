"""A batch from its folder to its results, with workers that die, hang, err and fill the disk."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import FileAccessError, LedgerFailed, ModelNotFound, OptionError
from shizi.engine.signals import WakeUp
from shizi.jobs.batch.folder import FAILURES
from shizi.jobs.batch.run import BatchPlan
from shizi.jobs.batch.tally import Tally
from shizi.jobs.opening import open_ledger
from tests.program import environment
from tests.unit.jobs.batch.driver import ROOT, fake_plan, run_fake


class Place:
    """Folders of one batch.

    Attributes:
        folder: of its inputs.
        out: of its results.
        log: of what its workers note.
    """

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.out, self.log = (tmp_path / name for name in ("in", "out", "log"))
        self.folder.mkdir()
        self.log.mkdir()

    def fill(self, count: int, words: str = "hello") -> None:
        """Put files into the input folder, a hundred a folder."""
        for k in range(count):
            file = self.folder / f"{k // 100:03d}" / f"{k:05d}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{words} {k}")

    def put(self, name: str, words: str) -> None:
        """Put one file there."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words)

    def plan(self, **more: object) -> BatchPlan:
        """Plan its batch."""
        return fake_plan(self.folder, self.out, self.log, **more)

    def notes(self) -> Counter[str]:
        """Count how often each file was read."""
        lines = [
            line
            for file in self.log.iterdir()
            for line in file.read_text(errors="surrogateescape").splitlines()
        ]
        return Counter(str(Path(line).relative_to(self.folder)) for line in lines)

    def results(self) -> dict[str, str]:
        """Give every result by the name of its input."""
        return {
            str(file.relative_to(self.out)).removesuffix(".txt"): file.read_text()
            for file in self.out.rglob("*.txt")
        }

    def inputs(self) -> set[str]:
        """Name every input."""
        return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*.png")}

    def start(self) -> subprocess.Popen[str]:
        """Run it in a process of its own."""
        command = [sys.executable, "-m", "tests.unit.jobs.batch.driver"]
        variables = environment()
        variables["PYTHONPATH"] += f":{ROOT}"
        return subprocess.Popen(
            [*command, self.folder, self.out, self.log],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def wake() -> Iterator[WakeUp]:
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        yield WakeUp(reading)


def _failures(place: Place) -> list[list[str]]:
    lines = (place.out / FAILURES).read_text().splitlines()
    assert lines[0] == "file\tcode\tdetail\tattempts"
    return [line.split("\t") for line in lines[1:]]


def _until(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.01)


def test_every_file_has_its_result_in_the_same_place(place: Place, wake: WakeUp) -> None:
    place.fill(250)
    place.put("deep/er/one.PNG", "one")
    place.put("发票 1.pdf", "two pages")
    place.put("notes.txt", "not for reading")
    place.put(".hidden/a.png", "not for reading")

    result = run_fake(place.plan(formats=("txt", "jsonl")), wake)

    assert (result.tally.read, result.tally.pages, result.tally.failed) == (252, 253, 0)
    assert (result.failures, result.skipped, result.stopped) == (None, 1, False)
    results = place.results()
    assert results["deep/er/one.PNG"] == "one\n"
    assert results["发票 1.pdf"] == "two pages\n\ftwo pages\n"
    assert results["001/00123.png"] == "hello 123\n"
    assert len(results) == 252
    assert set(place.notes().values()) == {1}
    line = json.loads((place.out / "发票 1.pdf.jsonl").read_text())
    assert line["image"] == "发票 1.pdf"
    assert [path.name for path in (place.out / ".shizi").iterdir() if path.is_dir()] == []


def test_results_do_not_depend_on_workers_or_order(tmp_path: Path, wake: WakeUp) -> None:
    outcomes = []
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()
        place = Place(tmp_path / str(workers))
        place.fill(120)
        run_fake(place.plan(workers=workers), wake)
        outcomes.append(place.results())

    assert outcomes[0] == outcomes[1]


def test_failures_are_listed_and_do_not_stop_the_others(place: Place, wake: WakeUp) -> None:
    place.fill(20)
    place.put("b\tad.png", "corrupt")
    place.put("worse.png", "bug")

    result = run_fake(place.plan(), wake)

    assert (result.tally.read, result.tally.failed) == (20, 2)
    assert _failures(place) == [
        ["b\\tad.png", "corrupt", "cut short", "1"],
        ["worse.png", "error", "an unexpected RuntimeError", "1"],
    ]
    assert "bug" not in (place.out / FAILURES).read_text()


def test_the_next_run_reads_what_is_new_changed_or_failed(place: Place, wake: WakeUp) -> None:
    place.fill(20)
    place.put("bad.png", "corrupt")
    run_fake(place.plan(), wake)
    assert run_fake(place.plan(), wake).tally.failed == 1, "it is tried again"

    place.put("bad.png", "mended")
    place.put("new.png", "new")
    place.put("000/00003.png", "changed words")
    result = run_fake(place.plan(), wake)

    assert (result.tally.read, result.tally.failed, result.failures) == (3, 0, None)
    assert not (place.out / FAILURES).exists()
    assert place.results()["000/00003.png"] == "changed words\n"
    notes = place.notes()
    assert notes.pop("bad.png") == 3
    assert notes.pop("000/00003.png") == 2
    assert set(notes.values()) == {1}
    assert run_fake(place.plan(), wake).tally.files == 0


def test_other_options_need_another_folder_or_fresh(place: Place, wake: WakeUp) -> None:
    place.fill(3)
    run_fake(place.plan(), wake)

    with pytest.raises(OptionError, match="--fresh"):
        run_fake(place.plan(formats=("json",)), wake)
    result = run_fake(place.plan(formats=("json",), fresh=True), wake)
    assert result.tally.read == 3
    assert set(place.notes().values()) == {2}


def test_two_batches_never_share_a_folder(place: Place, wake: WakeUp) -> None:
    place.put("slow.png", "wait 60")
    with place.start() as first:
        try:
            _until(place.notes)
            with pytest.raises(OptionError, match="another batch"):
                run_fake(place.plan(), wake)
        finally:
            first.kill()


def test_inputs_may_be_patterns_and_files(place: Place, wake: WakeUp) -> None:
    for name in ("a/1.png", "a/2.dat", "b/3.dat", "b/4.png", "b/[5].png"):
        place.put(name, name)
    folder = str(place.folder)

    inputs = (f"{folder}/a", f"{folder}/*/*.dat", f"{folder}/b/[5].png", f"{folder}/a/1.png")
    run_fake(place.plan(inputs=inputs), wake)

    assert set(place.results()) == {"a/1.png", "a/2.dat", "b/3.dat", "b/[5].png"}
    with pytest.raises(FileAccessError, match="nowhere"):
        run_fake(place.plan(inputs=(f"{folder}/nowhere",)), wake)


def test_the_results_may_lie_within_the_input(place: Place, wake: WakeUp) -> None:
    place.fill(3)
    place.out = place.folder / "out"

    for _ in range(2):
        run_fake(place.plan(), wake)
        place.put("out/more.png", "a picture among the results")

    assert set(place.notes().values()) == {1}
    assert len(place.notes()) == 3


def test_results_may_lie_beside_files_that_were_named(place: Place, wake: WakeUp) -> None:
    place.fill(3)
    place.out = place.folder / "000"

    run_fake(place.plan(inputs=(f"{place.folder}/000/*.png",)), wake)

    assert len(list(place.out.glob("*.png.txt"))) == 3
    with pytest.raises(OptionError, match="another folder"):
        run_fake(place.plan(inputs=(str(place.out),)), wake)


def test_results_may_lie_above_the_input(place: Place, wake: WakeUp) -> None:
    place.put("deep/er/one.png", "one")
    place.out = place.folder.parent

    run_fake(place.plan(), wake)

    assert (place.out / "deep" / "er" / "one.png.txt").read_text() == "one\n"


def test_a_name_that_is_no_text_is_read_all_the_same(place: Place, wake: WakeUp) -> None:
    odd = os.fsencode(place.folder) + b"/\xff\xfe.png"
    Path(os.fsdecode(odd)).write_text("odd")

    assert run_fake(place.plan(), wake).tally.read == 1
    assert Path(os.fsdecode(os.fsencode(place.out) + b"/\xff\xfe.png.txt")).read_text() == "odd\n"


def test_poison_is_a_dead_letter_and_takes_nobody_with_it(place: Place, wake: WakeUp) -> None:
    place.fill(60)
    for k in (5, 6, 41):
        place.put(f"000/{k:05d}.png", "kill")

    result = run_fake(place.plan(attempts=3), wake)

    assert (result.tally.read, result.tally.failed) == (57, 3)
    assert 7 <= result.replaced <= 9, "at first two may share a death, later none"
    assert [row[:2] + row[3:] for row in _failures(place)] == [
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
        alive = [int(file.stem) for file in place.log.iterdir()]
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
    assert [(row[0], row[1], row[3]) for row in _failures(place)] == [
        ("hangs.png", "deadline", "2")
    ]


def test_a_stop_finishes_what_is_in_work_and_goes_on_later(place: Place) -> None:
    place.fill(100, "wait 0.05")
    with place.start() as first:
        _until(lambda: len(place.results()) > 10)
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
            _until(lambda before=before: len(place.results()) > before + 40)
            batch.kill()
        kills += 1
        _until(lambda: not list(_workers_of(place)))
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
    for file in place.log.iterdir():
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
            _until(lambda place=place: len(list(place.out.rglob("*.txt"))) > 300, 60)
            if count > 500:
                _until(lambda place=place: _is_listed(place), 120)
                peaks.append(_peak_bytes(batch.pid))
                batch.kill()
            else:
                batch.wait(60)
                peaks.append(json.loads(batch.communicate()[0])["peak"])
    assert peaks[1] - peaks[0] < 10_000_000, peaks

    before = sum(place.notes().values())
    started = time.monotonic()
    with place.start() as batch:
        _until(lambda: sum(place.notes().values()) > before + 200, 60)
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
