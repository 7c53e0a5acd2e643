"""The states of a release: every event in every phase, and shares that never move anybody back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.core.errors import ReleaseRefused
from shizi.release.document import Document, Phase, document_to_json, json_to_document
from shizi.release.observations import Side
from shizi.release.plan import BASIS_POINTS, Plan
from shizi.release.router import place_of, route
from shizi.release.transitions import Change, Event, apply, start, target

plans = st.sets(st.integers(1, BASIS_POINTS - 1), max_size=5).map(
    lambda shares: Plan(shares_bp=(*sorted(shares), BASIS_POINTS))
)
changes = st.builds(
    Change,
    event=st.sampled_from(Event),
    actor=st.just("somebody"),
    reason=st.just("why not"),
    at_s=st.floats(0, 1e10),
    share_bp=st.integers(0, BASIS_POINTS),
    by_hand=st.booleans(),
)
units = st.text(max_size=20)
BEGIN = Change(Event.ADVANCE, "somebody", "a new model", 1.0)


def _walk(plan: Plan, changes: list[Change]) -> list[Document]:
    """Give the states that a row of changes leads through; refused ones change nothing."""
    states = [start(None, "r1", "a@1", "a@2", BEGIN, plan)]
    for change in changes:
        try:
            states.append(apply(states[-1], change))
        except ReleaseRefused:
            assert target(states[-1], change.event) is None
    return states


@given(plans, st.lists(changes, max_size=30))
def test_every_row_of_events_leads_through_valid_states(plan: Plan, row: list[Change]) -> None:
    states = _walk(plan, row)

    for n, state in enumerate(states):
        assert state.epoch == n + 1
        assert json_to_document(document_to_json(state)) == state
        assert state.ratio_bp == 0 or state.serves_canary or state.phase is Phase.PROMOTED


@given(plans, st.lists(changes, max_size=30))
def test_rolled_back_is_the_end_and_can_be_reached_from_everywhere_else(
    plan: Plan, row: list[Change]
) -> None:
    state = _walk(plan, row)[-1]
    back = Change(Event.ROLL_BACK, "somebody", "enough", 2.0)

    if state.phase is Phase.ROLLED_BACK:
        assert all(target(state, event) is None for event in Event)
    else:
        ended = apply(state, back)
        assert (ended.phase, ended.ratio_bp, ended.active) == (Phase.ROLLED_BACK, 0, "a@1")


@given(plans, st.lists(changes, max_size=30), changes)
def test_no_event_skips_loading_or_verification(
    plan: Plan, row: list[Change], change: Change
) -> None:
    state = _walk(plan, row)[-1]
    if state.within not in (Phase.LOADING, Phase.VERIFY):
        return
    following = target(state, change.event)

    held = state.within if state.phase is Phase.HOLD else None
    assert following in {
        None,
        held,
        Phase.HOLD,
        Phase.ROLLED_BACK,
        {Phase.LOADING: Phase.VERIFY, Phase.VERIFY: Phase.SHADOW}[state.within],
    }


@given(plans)
def test_a_release_that_is_left_alone_goes_through_its_plan(plan: Plan) -> None:
    state = start(None, "r1", "a@1", "a@2", BEGIN, plan)
    shares = []
    for event in (Event.LOADED, Event.VERIFIED):
        state = apply(state, Change(event, "leader", "", 2.0))
    while not state.ended:
        state = apply(state, Change(Event.ADVANCE, "leader", "", 3.0))
        shares.append((state.phase, state.ratio_bp))

    steps = [(Phase.CANARY, share) for share in plan.shares_bp]
    assert shares == [*steps, (Phase.SOAK, BASIS_POINTS), (Phase.PROMOTED, BASIS_POINTS)]


@given(plans, st.lists(changes, max_size=20))
def test_going_on_after_a_hold_takes_nobody_away_from_the_canary(
    plan: Plan, row: list[Change]
) -> None:
    state = _walk(plan, row)[-1]
    if state.phase is not Phase.HOLD:
        return

    after = apply(state, Change(Event.RESUME, "somebody", "", 5.0))

    assert after.phase is state.held
    assert after.ratio_bp >= state.ratio_bp


@given(units, st.integers(0, BASIS_POINTS), st.integers(0, BASIS_POINTS))
@settings(max_examples=300)
def test_raising_the_share_never_moves_anybody_back(unit: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    canary = Document(epoch=1, release_id="r1", stable="a@1", canary="a@2", phase=Phase.CANARY)
    before = route(replace(canary, ratio_bp=low), unit).side
    after = route(replace(canary, ratio_bp=high), unit).side

    assert not (before is Side.CANARY and after is Side.STABLE)
    assert (before, after) == (
        route(replace(canary, ratio_bp=low, epoch=9), unit).side,
        route(replace(canary, ratio_bp=high, epoch=9), unit).side,
    )


@given(st.text(max_size=10), units)
def test_all_or_nothing_at_the_ends(salt: str, unit: str) -> None:
    canary = Document(
        epoch=1, release_id=salt or "r", stable="a@1", canary="a@2", phase=Phase.CANARY
    )

    assert 0 <= place_of(salt, unit) < BASIS_POINTS
    assert route(canary, unit).side is Side.STABLE
    assert route(replace(canary, ratio_bp=BASIS_POINTS), unit).side is Side.CANARY


def test_a_second_release_waits_for_the_end_of_the_first() -> None:
    first = start(None, "r1", "a@1", "a@2", BEGIN)
    with pytest.raises(ReleaseRefused, match="r1 is not over"):
        start(first, "r2", "a@1", "a@3", BEGIN)
    ended = apply(first, Change(Event.ROLL_BACK, "somebody", "", 2.0))

    assert start(ended, "r2", "a@1", "a@3", BEGIN).epoch == 3
    with pytest.raises(ReleaseRefused, match="stable version already"):
        start(ended, "r2", "a@1", "a@1", BEGIN)


@pytest.mark.parametrize("share_bp", [-1, 10_001])
def test_a_share_out_of_range_is_refused(share_bp: int) -> None:
    canary = Document(epoch=1, release_id="r1", stable="a@1", canary="a@2", phase=Phase.CANARY)

    with pytest.raises(ReleaseRefused):
        apply(canary, Change(Event.SHARE, "somebody", "", 2.0, share_bp=share_bp))
