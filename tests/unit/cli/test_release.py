"""`shizi release`: what is said, what is refused, what is left in the log."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from shizi.cli.main import main
from shizi.core.errors import ModelNotFound, NoRelease, OptionError, ReleaseRefused
from shizi.release.document import Phase
from shizi.release.filestore import FileStore
from shizi.release.transitions import Change, Event, apply
from tests.unit.release.world import Clock, Host

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    monkeypatch.chdir(tmp_path)
    Path("shizi.yaml").write_text("releases: {store: kept}")
    return FileStore(tmp_path / "kept")


def _start(*arguments: str) -> int:
    return main(["release", "start", "ppocr-v6-small", *arguments])


def _to(store: FileStore, *events: Event) -> None:
    for event in events:
        document = store.read()
        assert document
        store.swap(document.epoch, apply(document, Change(event, "leader", "so far", 1.0)))


def test_a_release_is_begun_with_its_plan(store: FileStore, capsys: Captured) -> None:
    options = ["--shares", "5,50,100", "--step-s", "2", "--tester", "key:anna", "--json"]
    assert _start("--failure-rate", "0.02", "--reason", "the new one", *options) == 0

    document = store.read()
    assert document
    assert json.loads(capsys.readouterr().out)["release_id"] == document.release_id
    assert document.plan.shares_bp == (500, 5_000, 10_000)
    assert (document.plan.step_s, document.guards.failure_rate) == (2.0, 0.02)
    assert document.stable.startswith("crnn-s@")
    assert document.canary.startswith("ppocr-v6-small@")
    assert document.testers == ("key:anna",)
    assert (document.actor, document.reason) == (getpass.getuser(), "the new one")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["start", "no-such-model"], ModelNotFound.exit_status),
        (["start", "crnn-s"], ReleaseRefused.exit_status),
        (["start", "ppocr-v6-small", "--shares", "50,10,100"], OptionError.exit_status),
        (["start", "ppocr-v6-small", "--shares", "ten"], OptionError.exit_status),
        (["start", "ppocr-v6-small", "--failure-rate", "2"], OptionError.exit_status),
        (["status"], NoRelease.exit_status),
        (["hold", "--share", "101"], OptionError.exit_status),
        (["promote"], NoRelease.exit_status),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], status: int, store: FileStore, capsys: Captured
) -> None:
    assert main(["release", *arguments]) == status
    assert store.read() is None
    assert "error: " in capsys.readouterr().err


def test_without_a_store_it_is_said_how_to_give_one(capsys: Captured) -> None:
    Path("shizi.yaml").unlink()

    assert main(["release", "status"]) == OptionError.exit_status
    assert "--store" in capsys.readouterr().err


def test_a_release_is_moved_by_hand(store: FileStore, capsys: Captured) -> None:
    _start()
    assert main(["release", "advance"]) == ReleaseRefused.exit_status
    _to(store, Event.LOADED, Event.VERIFIED)
    assert main(["release", "advance", "--reason", "seen enough"]) == 0
    assert main(["release", "hold", "--share", "45"]) == 0
    assert main(["release", "resume"]) == 0
    assert main(["release", "promote"]) == 0
    assert main(["release", "rollback"]) == 0

    trail = [(e.phase, e.ratio_bp, e.actor == "leader") for e in store.entries()]
    assert trail == [
        (Phase.LOADING, 0, False),
        (Phase.VERIFY, 0, True),
        (Phase.SHADOW, 0, True),
        (Phase.CANARY, 1_000, False),
        (Phase.HOLD, 4_500, False),
        (Phase.CANARY, 4_500, False),
        (Phase.PROMOTED, 10_000, False),
        (Phase.ROLLED_BACK, 0, False),
    ]
    assert store.entries()[3].reason == "seen enough"
    assert main(["release", "watch"]) == 11
    assert "rolled_back" in capsys.readouterr().out


def test_status_and_report_tell_what_was_counted(store: FileStore, capsys: Captured) -> None:
    _start()
    _to(store, Event.LOADED, Event.VERIFIED, Event.ADVANCE)
    Host(store, Clock()).live(requests=200)

    assert main(["release", "status"]) == 0
    assert "so far" in capsys.readouterr().out
    assert main(["release", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["document"]["phase"] == "canary"
    assert main(["release", "report", "-o", "report.md", "--plot", "report.svg"]) == 0

    report, plot = Path("report.md").read_text(), Path("report.svg").read_text()
    assert "| all | stable | " in report
    assert "| clean print | canary | " in report
    assert "90.0 % (90.0–90.0)" in report
    assert plot.startswith("<svg ")
    assert "clean print" in plot
    assert main(["release", "report", "--plot", "no/such/folder.svg"]) == 5
