"""One suite over all places the state of releases may be kept in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.errors import ReleaseConflict
from shizi.release.document import Document, Phase
from shizi.release.filestore import FileStore
from shizi.release.observations import Side, Tally
from shizi.release.redisstore import RedisStore, connect
from shizi.release.snapshots import Snapshot
from shizi.release.store import MemoryStore, ReleaseStore
from shizi.release.transitions import Change, Event, apply, start
from tests.redisserver import RedisServer, redis_server

FIRST = start(None, "r1", "a@1", "a@2", Change(Event.ADVANCE, "anna", "a new model", 10.0))
SECOND = apply(FIRST, Change(Event.LOADED, "leader", "all hosts have it", 20.0))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "file", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReleaseStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "file":
        yield FileStore(tmp_path / "releases")
    else:
        place = request.getfixturevalue("server").address
        with connect(place) as client:
            client.flushdb()
        kept = RedisStore(place)
        yield kept
        kept.close()


def test_an_empty_store_has_nothing(store: ReleaseStore) -> None:
    assert store.read() is None
    assert list(store.entries()) == []
    assert list(store.snapshots("r1")) == []
    assert store.read_memo("r1") == b""


def test_what_is_written_is_read(store: ReleaseStore) -> None:
    store.swap(0, FIRST)
    assert store.read() == FIRST
    store.swap(1, SECOND)

    assert store.read() == SECOND
    assert [(e.epoch, e.phase, e.actor, e.reason) for e in store.entries()] == [
        (1, Phase.LOADING, "anna", "a new model"),
        (2, Phase.VERIFY, "leader", "all hosts have it"),
    ]


def test_who_comes_late_changes_nothing(store: ReleaseStore) -> None:
    store.swap(0, FIRST)
    store.swap(1, SECOND)
    rival = apply(FIRST, Change(Event.ROLL_BACK, "anna", "no", 21.0))

    with pytest.raises(ReleaseConflict, match="at epoch 2, not 1"):
        store.swap(1, rival)
    with pytest.raises(ReleaseConflict):
        store.swap(0, FIRST)
    with pytest.raises(ReleaseConflict, match="does not follow"):
        store.swap(2, replace(SECOND, epoch=7))

    assert store.read() == SECOND
    assert len(store.entries()) == 2


def test_of_many_writers_one_wins_each_epoch(store: ReleaseStore) -> None:
    store.swap(0, FIRST)
    wins: list[str] = []

    def write(name: str) -> None:
        for _ in range(25):
            seen = store.read()
            assert seen
            following = replace(seen, epoch=seen.epoch + 1, actor=name)
            try:
                store.swap(seen.epoch, following)
            except ReleaseConflict:
                continue
            wins.append(name)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    last = store.read()
    assert last
    assert last.epoch == 1 + len(wins)
    assert [e.epoch for e in store.entries()] == list(range(1, last.epoch + 1))
    assert sorted(e.actor for e in store.entries()[1:]) == sorted(wins)


def test_the_log_can_be_read_by_release(store: ReleaseStore) -> None:
    ended = apply(FIRST, Change(Event.ROLL_BACK, "anna", "no", 21.0))
    store.swap(0, FIRST)
    store.swap(1, ended)
    store.swap(2, start(ended, "r2", "a@1", "a@3", Change(Event.ADVANCE, "bert", "again", 30.0)))

    assert [e.epoch for e in store.entries("r1")] == [1, 2]
    assert [e.actor for e in store.entries("r2")] == ["bert"]
    assert len(store.entries()) == 3


def test_the_latest_of_every_process_is_kept_by_release(store: ReleaseStore) -> None:
    def told(reporter: str, ok: int, release_id: str = "r1") -> Snapshot:
        tallies = {"canary/photo": Tally(ok=ok)}
        return Snapshot(reporter=reporter, release_id=release_id, at_s=1.0, tallies=tallies)

    for snapshot in (told("p1", 1), told("p2", 5), told("p1", 2), told("p1", 9, "r2")):
        store.publish(snapshot)

    found = {s.reporter: s.tally(Side.CANARY).ok for s in store.snapshots("r1")}
    assert found == {"p1": 2, "p2": 5}


def test_the_leader_finds_its_notes_again(store: ReleaseStore) -> None:
    store.write_memo("r1", b"one")
    store.write_memo("r1", b"two")

    assert store.read_memo("r1") == b"two"
    assert store.read_memo("r2") == b""


def test_every_phase_survives_a_store(store: ReleaseStore) -> None:
    state: Document = FIRST
    store.swap(0, state)
    events = [Event.LOADED, Event.VERIFIED, *[Event.ADVANCE] * 2, Event.HOLD, Event.RESUME]
    for event in events:
        following = apply(state, Change(event, "leader", "", 1.0))
        store.swap(state.epoch, following)
        assert store.read() == following
        state = following


def test_a_lost_state_is_put_back_and_a_newer_one_stays(store: ReleaseStore) -> None:
    store.restore(SECOND)
    assert store.read() == SECOND

    store.restore(FIRST)

    assert store.read() == SECOND
    assert [e.epoch for e in store.entries()] == [2]


def test_waiting_ends_in_time(store: ReleaseStore) -> None:
    begin = time.monotonic()
    store.wait(0.2)

    assert 0.15 <= time.monotonic() - begin < 2
