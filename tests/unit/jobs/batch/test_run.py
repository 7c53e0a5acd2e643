"""A batch from its folder to its results, and what the next run of it does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shizi.core.errors import FileAccessError, OptionError
from shizi.engine.signals import WakeUp
from shizi.jobs.batch.folder import FAILURES
from tests.unit.jobs.batch.conftest import Place
from tests.unit.jobs.batch.driver import run_fake
from tests.waiting import until


def test_every_file_has_its_result_in_the_same_place(place: Place, wake: WakeUp) -> None:
    place.fill(250)
    place.put("deep/er/one.PNG", "one")
    place.put("发票 1.pdf", "pages 2")
    place.put("notes.txt", "not for reading")
    place.put(".hidden/a.png", "not for reading")

    result = run_fake(place.plan(formats=("txt", "jsonl")), wake)

    assert (result.tally.read, result.tally.pages, result.tally.failed) == (252, 253, 0)
    assert (result.failures, result.skipped, result.stopped) == (None, 1, False)
    results = place.results()
    assert results["deep/er/one.PNG"] == "one\n"
    assert results["发票 1.pdf"] == "pages 2\n\fpages 2\n"
    assert results["001/00123.png"] == "hello 123\n"
    assert len(results) == 252
    assert set(place.notes().values()) == {1}
    line = json.loads((place.out / "发票 1.pdf.jsonl").read_text())
    assert line["image"] == "发票 1.pdf"
    assert [path.name for path in (place.out / ".shizi").iterdir() if path.is_dir()] == []


def test_workers_give_memory_back_between_the_pages_of_a_file(place: Place, wake: WakeUp) -> None:
    place.put("long.pdf", "pages 130")

    run_fake(place.plan(workers=1), wake)

    (rests,) = place.log.glob("*.rests")
    assert len(rests.read_text().splitlines()) == 2


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
    assert place.failures() == [
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
            until(place.notes)
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
