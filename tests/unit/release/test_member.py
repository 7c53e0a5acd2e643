"""What a process tells of itself, and when it stops using a canary."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from shizi.core.errors import ReleaseStoreGone
from shizi.engine.fleet import EngineState
from shizi.release.document import Phase
from shizi.release.observations import Outcome, Side
from shizi.release.outcomes import observe_failure
from shizi.release.snapshots import Load
from tests.unit.release.live import CANARY, STABLE, Live, report


def test_it_tells_how_far_the_engines_are() -> None:
    live = Live()
    live.engines.states = {
        STABLE: report(STABLE, EngineState.READY),
        CANARY: report(CANARY, EngineState.FAILED, error="checksum: it differs"),
        "m@0": report("m@0", EngineState.DRAINING),
    }
    document = live.set(Phase.LOADING)
    (snapshot,) = live.store.snapshots("r1")

    assert snapshot.loaded == {STABLE: Load.READY, CANARY: Load.FAILED}
    assert snapshot.why == {CANARY: "checksum: it differs"}
    assert (snapshot.epoch, snapshot.host) == (document.epoch, "here")


def test_it_tells_once_a_second_and_at_its_end() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    route = live.member.route("u")
    live.member.observe(observe_failure(route, Side.CANARY, Outcome.FAILURE))
    live.member.beat()
    assert live.store.snapshots("r1")[0].tally(Side.CANARY).failures == 0
    live.clock.now_s += 1.0
    live.member.beat()
    assert live.store.snapshots("r1")[0].tally(Side.CANARY).failures == 1
    live.member.observe(observe_failure(route, Side.CANARY, Outcome.FAILURE))
    live.member.stop()
    assert live.store.snapshots("r1")[0].tally(Side.CANARY).failures == 2


def test_deaths_of_the_canarys_engine_trip_it() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    for deaths in (1, 2):
        live.engines.states = {CANARY: report(CANARY, EngineState.READY, deaths)}
        live.member.beat()
        assert not live.member.tripped
    live.engines.states = {CANARY: report(CANARY, EngineState.LOADING, 3)}
    live.clock.now_s += 1.0
    live.member.beat()

    assert "ended 3 times" in live.member.tripped
    assert live.store.snapshots("r1")[0].tripped == live.member.tripped


def test_deaths_before_a_release_are_not_the_canarys() -> None:
    live = Live()
    live.set(Phase.PROMOTED, 10_000)
    live.engines.states = {CANARY: report(CANARY, EngineState.READY, 9)}
    live.member.beat()
    live.set(Phase.CANARY, 10_000, "r2")

    assert not live.member.tripped


def test_a_store_that_is_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)

    def gone(_: object = None) -> None:
        raise ReleaseStoreGone("the server of the store does not answer")

    monkeypatch.setattr(live.store, "publish", gone)
    monkeypatch.setattr(live.store, "read", gone)
    live.clock.now_s += 1.0
    live.watcher.poll()
    live.member.beat()

    assert live.member.route("u").version == CANARY


def test_its_threads_follow_the_state_within_two_seconds() -> None:
    live = Live()
    live.member.start()
    try:
        live.store.swap(0, replace(Live().set(Phase.CANARY, 10_000)))
        end = time.monotonic() + 2.0
        while live.member.route("u").version != CANARY:
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        live.member.stop()
