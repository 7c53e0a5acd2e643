from __future__ import annotations

import logging
from pathlib import Path

import pytest

from shizi.core.errors import ReleaseStoreGone
from shizi.core.sections import RoutingSettings
from shizi.release.controller import Controller, try_look
from shizi.release.document import Document, Phase
from shizi.release.filestore import FileStore
from shizi.release.lead import Leader
from shizi.release.leadership import FileLeadership, SoleLeadership
from shizi.release.memo import MOST_POINTS, json_to_memo
from shizi.release.observations import Outcome
from shizi.release.routing import FileSource, RoutingWatch
from shizi.release.snapshots import Load
from shizi.release.store import MemoryStore
from tests.unit.release.world import SHORT, Clock, Host, begin

ROUTING = RoutingSettings()


def _wall() -> float:
    return 5_000.0


def _controller(store: MemoryStore, clock: Clock, **others: object) -> Controller:
    return Controller(store, clock, _wall, **others)  # type: ignore[arg-type]


def _play(
    controller: Controller, hosts: list[Host], clock: Clock, looks: int = 40
) -> list[tuple[Phase, int]]:
    """Let hosts work and the leader look; give the stages it came through."""
    stages: list[tuple[Phase, int]] = []
    for _ in range(looks):
        clock.now_s += 1
        for host in hosts:
            host.live()
        document = controller.look(ROUTING)
        assert document
        if not stages or stages[-1] != (document.phase, document.ratio_bp):
            stages.append((document.phase, document.ratio_bp))
        if document.ended:
            break
    return stages


def test_a_release_goes_from_loading_to_promotion() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    hosts = [Host(store, clock, "p1"), Host(store, clock, "p2")]

    stages = _play(_controller(store, clock), hosts, clock)

    assert stages == [
        (Phase.LOADING, 0),
        (Phase.VERIFY, 0),
        (Phase.SHADOW, 0),
        (Phase.CANARY, 3_000),
        (Phase.CANARY, 10_000),
        (Phase.SOAK, 10_000),
        (Phase.PROMOTED, 10_000),
    ]
    assert [e.epoch for e in store.entries()] == list(range(1, 8))


def test_a_canary_that_fails_is_rolled_back_before_anybody_meets_it() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)

    stages = _play(_controller(store, clock), [Host(store, clock, canary=Outcome.FAILURE)], clock)

    assert stages[-2:] == [(Phase.SHADOW, 0), (Phase.ROLLED_BACK, 0)]
    assert "requests failed" in store.entries()[-1].reason


def test_one_host_without_the_canary_keeps_all_waiting() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    slow = Host(store, clock, "p2", load=Load.LOADING)

    stages = _play(_controller(store, clock), [Host(store, clock), slow], clock, looks=8)

    assert stages == [(Phase.LOADING, 0)]


def test_a_host_that_cannot_load_ends_the_release_and_says_why() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    broken = Host(store, clock, "p2", load=Load.FAILED, why="checksum: another file")

    _play(_controller(store, clock), [Host(store, clock), broken], clock)

    assert store.entries()[-1].phase is Phase.ROLLED_BACK
    assert "checksum: another file" in store.entries()[-1].reason


def test_a_canary_that_does_not_read_what_it_must_is_rolled_back() -> None:
    store, clock, asked = MemoryStore(), Clock(), []

    def verify(document: Document) -> str:
        asked.append(document.canary)
        return "3 of 40 lines are wrong"

    begin(store)
    _play(_controller(store, clock, verify=verify), [Host(store, clock)], clock)

    assert asked == ["a@2"]
    assert store.entries()[-1].reason == "load: 3 of 40 lines are wrong"


def test_a_dead_host_is_not_waited_for_but_its_numbers_count() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    controller = _controller(store, clock)
    dying, living = Host(store, clock, "p1"), Host(store, clock, "p2")
    _play(controller, [dying, living], clock, looks=4)
    counted = sum(t.requests for t in store.snapshots("r1")[0].tallies.values())

    stages = _play(controller, [living], clock, looks=60)

    assert stages[-1][0] is Phase.PROMOTED
    assert counted > 0
    memo = json_to_memo(store.read_memo("r1"))
    assert memo.evidence.tried >= counted


def test_nothing_moves_while_a_host_has_an_older_state() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    controller, host = _controller(store, clock), Host(store, clock)
    _play(controller, [host], clock, looks=3)
    before = store.read()
    old = host.watcher.document
    assert before
    assert old
    assert old.epoch < before.epoch
    for _ in range(5):
        clock.now_s += 1
        host.tell(old)
        controller.look(ROUTING)

    assert store.read() == before
    assert "another state" in json_to_memo(store.read_memo("r1")).missing


def test_nothing_moves_when_nobody_tells() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    controller, host = _controller(store, clock), Host(store, clock)
    _play(controller, [host], clock, looks=5)
    before = store.read()

    clock.now_s += 11
    for _ in range(200):
        clock.now_s += 1
        controller.look(ROUTING)

    assert store.read() == before


def test_the_next_leader_goes_on_where_the_last_one_was() -> None:
    """Another controller takes over at every single look."""
    store, clock = MemoryStore(), Clock()
    begin(store)
    host, phases = Host(store, clock), []
    leaders = [_controller(store, clock), _controller(store, clock)]
    for n in range(150):
        clock.now_s += 1
        host.live()
        if n % 4 == 3:
            leaders[0].resign()
            leaders.reverse()
        document = leaders[0].look(ROUTING)
        assert document
        phases.append(document.epoch)
        if document.ended:
            break

    assert document.phase is Phase.PROMOTED
    assert [e.epoch for e in store.entries()] == list(range(1, 8))
    assert phases == sorted(phases)


def test_two_that_believe_they_lead_double_nothing() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    host, rivals = Host(store, clock), [_controller(store, clock) for _ in range(3)]
    for _ in range(40):
        clock.now_s += 1
        host.live()
        for rival in rivals:
            rival.look(ROUTING)

    assert [e.epoch for e in store.entries()] == list(range(1, 8))
    assert store.entries()[-1].phase is Phase.PROMOTED


class _LossyStore(MemoryStore):
    """Is gone for a while, or comes back empty."""

    gone = False

    def read(self) -> Document | None:
        if self.gone:
            raise ReleaseStoreGone("it is gone")
        return super().read()

    def forget(self) -> None:
        self._document = None


def test_a_store_that_is_gone_freezes_the_release() -> None:
    store, clock = _LossyStore(), Clock()
    begin(store)
    controller, host = _controller(store, clock), Host(store, clock)
    _play(controller, [host], clock, looks=5)
    host.live()
    before = store.read()
    store.gone = True
    for _ in range(20):
        clock.now_s += 1
        host.live()
        assert "it is gone" in try_look(controller, ROUTING)
    assert host.watcher.document == before
    assert host.watcher.stale
    store.gone = False

    assert _play(controller, [host], clock)[-1][0] is Phase.PROMOTED


def test_a_store_that_comes_back_empty_gets_its_state_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock = _LossyStore(), Clock()
    begin(store)
    controller, host = _controller(store, clock), Host(store, clock)
    _play(controller, [host], clock, looks=5)
    before = store.read()
    store.forget()

    with caplog.at_level(logging.WARNING):
        controller.look(ROUTING)

    assert before
    assert store.read() == before
    assert "put back" in caplog.text


def test_curves_stay_within_their_points() -> None:
    store, clock = MemoryStore(), Clock()
    begin(store)
    at = [0.0]
    controller = Controller(store, clock, lambda: at[0])
    host = Host(store, clock, load=Load.LOADING)
    for _ in range(1_000):
        clock.now_s += 1
        at[0] += 1
        host.live(requests=1)
        controller.look(ROUTING)

    memo = json_to_memo(store.read_memo("r1"))
    assert MOST_POINTS / 3 < len(memo.points) <= MOST_POINTS
    drawn = sum(point.stable.requests for point in memo.points)
    assert drawn == memo.drawn.stable.requests > 990


def test_a_leader_obeys_the_file_of_its_owner_while_it_runs(tmp_path: Path) -> None:
    store, clock, file = FileStore(tmp_path / "store"), Clock(), tmp_path / "shizi.yaml"
    file.write_text("model_routing: {check_interval_seconds: 1}")
    begin(store)
    routing = RoutingWatch(FileSource(file), ROUTING)
    leader = Leader(Controller(store, clock, _wall), SoleLeadership(), routing, clock)
    host = Host(store, clock)

    def until(phase: Phase, ratio_bp: int | None = None) -> Document:
        for _ in range(60):
            clock.now_s += 1
            host.live()
            leader.beat()
            document = store.read()
            assert document
            if document.phase is phase and ratio_bp in (None, document.ratio_bp):
                return document
        raise AssertionError(document)

    until(Phase.CANARY)
    file.write_text("model_routing: {check_interval_seconds: 1, gray_scale_ratio: 0.5}")
    assert until(Phase.HOLD, 5_000).actor == "config"
    for bad in ("model_routing: {gray_scale_ratio: 7}", "model_routing: {gray_sc", "\0"):
        file.write_text(bad)
        leader.beat()
        assert routing.problem
        assert until(Phase.HOLD, 5_000)
    file.write_text("model_routing: {crnn_enabled: false}")
    assert until(Phase.HOLD, 0).reason == "crnn_enabled is false"
    file.write_text("model_routing: {check_interval_seconds: 1}")

    assert until(Phase.PROMOTED).active == "a@2"


def test_of_two_leaders_one_leads_and_the_other_takes_over(tmp_path: Path) -> None:
    first, second = FileLeadership(tmp_path), FileLeadership(tmp_path)

    assert [first.hold(), first.hold(), second.hold()] == [True, True, False]
    first.release()

    assert second.hold()
    assert not first.hold()
    second.release()


def test_an_ended_release_is_left_alone() -> None:
    store, clock = MemoryStore(), Clock()
    assert _controller(store, clock).look(ROUTING) is None
    begin(store)
    controller = _controller(store, clock)
    _play(controller, [Host(store, clock, canary=Outcome.TIMEOUT)], clock)
    ended = store.read()

    assert controller.look(ROUTING) == ended
    begin(store, SHORT, "r2")
    assert _play(controller, [Host(store, clock)], clock)[-1][0] is Phase.PROMOTED
