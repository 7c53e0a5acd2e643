"""The routes of releases: who may, what is told, what is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shizi.core.config import Settings
from shizi.core.sections import ReleaseSettings
from shizi.core.types import PageResult, Quad, TextLine
from shizi.release.document import Phase
from shizi.release.filestore import FileStore
from shizi.release.observations import Side
from shizi.release.pairs import PairBox
from shizi.release.snapshots import Recorder
from shizi.release.transitions import Change, Event, apply
from shizi.server.app import create_app
from shizi.server.judging import create_judging
from shizi.server.keys import draw_key, write_keys
from shizi.server.releasedoor import Door
from tests.fakes import FakeReader

ROOT = "/v1/releases"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    releases = ReleaseSettings(store=str(tmp_path / "store"), spot_checks=tmp_path / "pairs")
    return replace(Settings(), releases=releases)


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings, FakeReader()).test_client()


def _begin(client: FlaskClient) -> None:
    assert client.post(ROOT, json={"canary": "ppocr-v6-small"}).status_code == 201


def _to(store: FileStore, *events: Event) -> None:
    for event in events:
        document = store.read()
        assert document
        store.swap(document.epoch, apply(document, Change(event, "leader", "", 1.0)))


def test_without_a_store_there_are_no_releases() -> None:
    answer = create_app(Settings(), FakeReader()).test_client().get(ROOT)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "no_release")
    assert "releases.store" in answer.get_json()["detail"]


def test_a_release_is_begun_moved_and_told(client: FlaskClient, store: FileStore) -> None:
    body = {"canary": "ppocr-v6-small", "plan": {"shares_bp": [2_000, 10_000]}, "reason": "new"}
    begun = client.post(ROOT, json=body)
    assert begun.status_code == 201
    assert begun.get_json()["release"]["stable"].startswith("crnn-s@")
    assert client.post(ROOT, json=body).get_json()["code"] == "release_refused"
    _to(store, Event.LOADED, Event.VERIFIED)
    epoch = client.get(ROOT).get_json()["release"]["epoch"]

    moved = client.post(f"{ROOT}/advance", json={"epoch": epoch, "reason": "seen enough"})
    late = client.post(f"{ROOT}/rollback", json={"epoch": epoch})
    held = client.post(f"{ROOT}/hold", json={"share": 0.5})

    assert moved.get_json()["release"]["ratio_bp"] == 2_000
    assert (late.status_code, late.get_json()["code"]) == (409, "release_conflict")
    assert held.get_json()["release"]["ratio_bp"] == 5_000
    assert [line["actor"] for line in held.get_json()["log"]][-2:] == ["the page"] * 2
    report = client.get(f"{ROOT}/report")
    assert report.mimetype == "text/markdown"
    assert b"# Release ppocr-v6-small" in report.data
    assert client.get(f"{ROOT}/report.svg").data.startswith(b"<svg ")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"canary": "no-such-model"}, 404),
        ("", {"canary": "ppocr-v6-small", "plan": {"shares_bp": [9, 5]}}, 422),
        ("", {"canary": "ppocr-v6-small", "color": "green"}, 422),
        ("/promote", {}, 404),
        ("/hold", {"share": 7}, 422),
        ("/resume", {"share": 0.5}, 422),
        ("/jump", {}, 405),
    ],
)
def test_what_cannot_be_is_refused(
    client: FlaskClient, store: FileStore, path: str, body: dict[str, object], status: int
) -> None:
    assert client.post(ROOT + path, json=body).status_code in (status, 404)
    assert store.read() is None


def test_strangers_move_nothing(client: FlaskClient, store: FileStore) -> None:
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    _begin(client)

    assert client.get(ROOT, **elsewhere).status_code == 401
    assert client.post(f"{ROOT}/rollback", json={}, **elsewhere).status_code == 401
    foreign = client.post(f"{ROOT}/rollback", json={}, headers={"Origin": "https://a.example"})
    assert foreign.status_code == 401
    plain = client.post(f"{ROOT}/rollback", data="{}", content_type="text/plain")
    assert plain.status_code == 400
    document = store.read()
    assert document
    assert document.phase is Phase.LOADING


def test_a_key_opens_them_and_is_named_in_the_log(
    settings: Settings, store: FileStore, tmp_path: Path
) -> None:
    text, key = draw_key("anna")
    write_keys(tmp_path / "keys", [key])
    guarded = replace(settings, server=replace(settings.server, keys=tmp_path / "keys"))
    client = create_app(guarded, FakeReader()).test_client()
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}

    assert client.get(ROOT).status_code == 401
    body = {"canary": "ppocr-v6-small"}
    answer = client.post(ROOT, json=body, headers={"X-API-Key": text}, environ_base=elsewhere)

    assert answer.status_code == 201
    assert store.entries()[0].actor == "anna"
    with client.get("/releases") as page:
        assert page.status_code == 200


def _page(text: str) -> list[PageResult]:
    return [PageResult(1, 9, 9, (TextLine(text, 0.9, Quad.from_rect(0, 0, 5, 5)),))]


def test_a_pair_is_judged_once_and_forgotten(
    settings: Settings, client: FlaskClient, store: FileStore, tmp_path: Path
) -> None:
    recorder, box = Recorder("p1"), PairBox(tmp_path / "pairs")
    _begin(client)
    app = Flask("judging")
    app.register_blueprint(create_judging(Door(settings), recorder))
    client = app.test_client()
    document = store.read()
    assert document
    recorder.follow(document.release_id)
    box.keep(document, b"\x89PNG\r\n\x1a\n", _page("发票"), _page("发漂"))
    box.keep(document, b"alike", _page("发票"), _page("发票"))

    listed = client.get(f"{ROOT}/pairs").get_json()
    assert listed["kept"]
    (pair,) = listed["pairs"]
    assert sorted(pair["texts"]) == ["发漂", "发票"]
    picture = client.get(f"{ROOT}/pairs/{pair['id']}/picture")
    assert picture.mimetype == "image/png"
    verdict = {"better": ("first", "second")[pair["texts"].index("发票")]}
    answer = client.post(f"{ROOT}/pairs/{pair['id']}", json=verdict)

    assert answer.get_json() == {"better": "stable"}
    assert client.post(f"{ROOT}/pairs/{pair['id']}", json=verdict).status_code == 404
    assert client.get(f"{ROOT}/pairs/../../store/picture").status_code == 404
    assert not any((tmp_path / "pairs").iterdir())
    assert recorder.snapshot(1.0).judged == {"stable": 1}


def test_the_oldest_pairs_go(tmp_path: Path, client: FlaskClient, store: FileStore) -> None:
    _begin(client)
    document = store.read()
    assert document
    box = PairBox(tmp_path / "pairs", most=3)
    for n in range(6):
        box.keep(document, b"picture", _page("a"), _page(f"b{n}"))

    assert {pair.canary for pair in box.pairs(document.release_id)} == {"b3", "b4", "b5"}
    assert len(list((tmp_path / "pairs").iterdir())) == 6
    assert (tmp_path / "pairs").stat().st_mode & 0o077 == 0


def test_corrections_are_counted_by_version(client: FlaskClient, store: FileStore) -> None:
    _begin(client)
    document = store.read()
    assert document
    path = f"{ROOT}/corrections"

    known = client.post(path, json={"version": document.canary, "lines": 2})
    unknown = client.post(path, json={"version": "x@1", "lines": 2})

    assert known.get_json() == {"counted": True}
    assert unknown.get_json() == {"counted": False}
    assert client.post(path, json={"version": "x", "lines": -1}).status_code == 422


def test_a_recorder_has_what_people_said() -> None:
    recorder = Recorder("p1")
    recorder.follow("r1")
    recorder.record_verdict("r1", "stable")
    recorder.record_verdict("r1", "same")
    recorder.record_verdict("r0", "same")
    snapshot = recorder.snapshot(1.0)

    assert snapshot.judged == {"stable": 1, "same": 1}
    assert snapshot.tally(Side.CANARY).requests == 0
