"""The order in which waiting work is taken."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shizi.core.deadline import Deadline
from shizi.core.options import Lane
from shizi.engine.lanes import LaneQueue

BOTH = (Lane.INTERACTIVE, Lane.BULK)


def _push(queue: LaneQueue[str], item: str, at_s: float = math.inf, **more: int) -> None:
    queue.push(item, deadline=Deadline(at_s), lane=Lane.INTERACTIVE, now_s=0.0, **more)


def test_the_earliest_deadline_goes_first_and_equals_by_arrival() -> None:
    queue: LaneQueue[str] = LaneQueue()
    for item, at_s in (("late", 9.0), ("first", 5.0), ("second", 5.0), ("soon", 1.0)):
        _push(queue, item, at_s)

    assert [queue.pop().item for _ in range(4)] == ["soon", "first", "second", "late"]
    assert len(queue) == queue.cost == 0


def test_bulk_work_gets_its_share_beside_interactive_work() -> None:
    queue: LaneQueue[Lane] = LaneQueue()
    for lane in BOTH:
        for _ in range(80):
            queue.push(lane, deadline=Deadline(), lane=lane, now_s=0.0)

    taken = Counter(queue.pop().item for _ in range(80))

    assert taken[Lane.BULK] == 10


def test_a_lane_that_was_empty_cannot_save_up_turns() -> None:
    queue: LaneQueue[Lane] = LaneQueue()
    for _ in range(500):
        queue.push(Lane.BULK, deadline=Deadline(), lane=Lane.BULK, now_s=0.0)
    for _ in range(400):
        queue.pop()
    for _ in range(40):
        queue.push(Lane.INTERACTIVE, deadline=Deadline(), lane=Lane.INTERACTIVE, now_s=0.0)

    taken = Counter(queue.pop().item for _ in range(16))

    assert taken[Lane.BULK] >= 1


def test_a_mate_must_be_of_the_kind_and_small_enough() -> None:
    queue: LaneQueue[str] = LaneQueue()
    _push(queue, "other kind", kind=1)
    _push(queue, "too large", kind=2, cost=5)
    _push(queue, "fits", kind=2, cost=3)

    mate = queue.pop_alike(2, 4)

    assert mate is not None
    assert mate.item == "fits"
    assert queue.pop_alike(2, 4) is None
    assert queue.cost == 6


def test_expired_work_is_taken_out_and_work_that_is_unwanted_too() -> None:
    queue: LaneQueue[str] = LaneQueue()
    for k in range(5):
        _push(queue, str(k), float(k))

    assert [w.item for w in queue.pop_expired(1.0)] == ["0", "1"]
    three = next(w for w in queue if w.item == "3")
    assert queue.remove(three)
    assert not queue.remove(three)
    assert [queue.pop().item for _ in range(2)] == ["2", "4"]


@given(
    st.lists(
        st.tuples(st.sampled_from(BOTH), st.integers(0, 9), st.integers(1, 9), st.integers(0, 2)),
        max_size=40,
    )
)
def test_nothing_is_lost_and_the_cost_is_kept(pushed: list[tuple[Lane, int, int, int]]) -> None:
    queue: LaneQueue[int] = LaneQueue()
    for k, (lane, at_s, cost, kind) in enumerate(pushed):
        queue.push(k, deadline=Deadline(at_s), lane=lane, now_s=0.0, cost=cost, kind=kind)
    out = [w.item for w in queue.pop_expired(2)]
    while queue:
        head = queue.pop()
        out.append(head.item)
        while mate := queue.pop_alike(head.kind, 5):
            assert mate.kind == head.kind
            assert mate.cost <= 5
            out.append(mate.item)
        assert queue.cost == sum(w.cost for w in queue)

    assert sorted(out) == list(range(len(pushed)))
