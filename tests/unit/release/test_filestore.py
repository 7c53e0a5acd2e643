from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.errors import ReleaseInvalid, ReleaseStoreGone
from shizi.release.document import Document, document_to_json
from shizi.release.filestore import FileStore
from shizi.release.snapshots import Snapshot
from shizi.release.watcher import STALE_S, Watcher

FIRST = Document(epoch=1, release_id="r1", stable="a@1", canary="a@2", actor="anna")
SECOND = replace(FIRST, epoch=2, reason="second")
THIRD = replace(FIRST, epoch=3, reason="third")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_line_lost_between_two_writes_comes_back(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.swap(0, FIRST)
    # As if the process had ended after the state was replaced, and in the middle of its line.
    (tmp_path / "state.json").write_bytes(document_to_json(SECOND))
    with (tmp_path / "changes.jsonl").open("ab") as log:
        log.write(b'{"epoch":2,"rele')

    assert [e.epoch for e in store.entries()] == [1, 2]
    store.swap(2, THIRD)

    assert [(e.epoch, e.reason) for e in store.entries()] == [(1, ""), (2, "second"), (3, "third")]


def test_nothing_is_left_beside_what_was_written(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "a" / "b")
    store.swap(0, FIRST)

    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == [
        "changes.jsonl",
        "lock",
        "state.json",
    ]
    assert (tmp_path / "a" / "b" / "state.json").stat().st_mode & 0o077 == 0


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    with pytest.raises(ReleaseInvalid):
        store.publish(Snapshot(reporter="../../x", release_id="r1", at_s=0.0))
    with pytest.raises(ReleaseInvalid):
        store.read_memo("../r1")


def test_a_report_cut_short_is_left_out(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.publish(Snapshot(reporter="p1", release_id="r1", at_s=0.0))
    (tmp_path / "releases" / "r1" / "p2.report.json").write_bytes(b"")

    assert [s.reporter for s in store.snapshots("r1")] == ["p1"]


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").is_dir(), reason="needs /proc")
def test_a_folder_that_cannot_be_there_says_so() -> None:
    with pytest.raises(ReleaseStoreGone, match="/proc/none"):
        FileStore(Path("/proc/none/releases")).swap(0, FIRST)


def test_a_watcher_keeps_the_last_good_state(tmp_path: Path) -> None:
    store, clock, seen = FileStore(tmp_path), Clock(), []
    watcher = Watcher(store, clock, lambda document: seen.append(document.epoch))
    assert watcher.poll().document is None
    store.swap(0, FIRST)
    store.swap(1, SECOND)
    assert watcher.poll().document == SECOND
    clock.now_s += STALE_S + 1

    bad = [
        document_to_json(THIRD)[:50],
        document_to_json(THIRD).replace(b'"ratio_bp":0', b'"ratio_bp":20000'),
        document_to_json(FIRST),
        document_to_json(replace(SECOND, reason="another")),
        b"",
    ]
    for content in bad:
        (tmp_path / "state.json").write_bytes(content)
        view = watcher.poll()
        assert view.document == SECOND
        assert view.problem
        assert watcher.stale
    (tmp_path / "state.json").unlink()
    assert watcher.poll().document == SECOND

    (tmp_path / "state.json").write_bytes(document_to_json(THIRD))
    assert watcher.poll().document == THIRD
    assert not watcher.stale
    assert watcher.view.problem == ""
    assert seen == [2, 3]


def test_a_watcher_sees_links_swapped_under_it(tmp_path: Path) -> None:
    """As mounted ConfigMaps are replaced: the file's own name and times never change."""
    for n, document in enumerate((FIRST, SECOND)):
        (tmp_path / f"v{n}").mkdir()
        (tmp_path / f"v{n}" / "state.json").write_bytes(document_to_json(document))
        os.utime(tmp_path / f"v{n}" / "state.json", (1, 1))
    (tmp_path / "data").symlink_to("v0")
    (tmp_path / "state.json").symlink_to("data/state.json")
    watcher = Watcher(FileStore(tmp_path), Clock())
    assert watcher.poll().document == FIRST

    (tmp_path / "new").symlink_to("v1")
    (tmp_path / "new").replace(tmp_path / "data")

    assert watcher.poll().document == SECOND
