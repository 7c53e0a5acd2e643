from __future__ import annotations

from dataclasses import replace

import pytest

from shizi.core.sections import RoutingSettings
from shizi.release.document import Document, Phase
from shizi.release.evidence import Counts, Evidence, Facts
from shizi.release.guards import Guard
from shizi.release.observations import Observation, Outcome, Side, Tally, tally_of, total
from shizi.release.plan import Plan
from shizi.release.policy import Decision, decide
from shizi.release.transitions import Event, apply

PLAN = Plan(step_s=10, step_requests=300, shadow_s=5, shadow_requests=100, soak_s=20, patience_s=60)
CANARY = Document(
    epoch=4,
    release_id="r1",
    stable="a@1",
    canary="a@2",
    phase=Phase.CANARY,
    ratio_bp=1_000,
    plan=PLAN,
)
ROUTING = RoutingSettings()
NOTHING = Counts()


def _tally(
    requests: int,
    faults: int = 0,
    *,
    seconds: float = 0.1,
    side: Side = Side.CANARY,
    **answer: object,
) -> Tally:
    ok = {"lines": 4, "confidence": 3.6} | answer
    good = Observation("r1", 4, "a@2", side, Outcome.OK, seconds, **ok)  # type: ignore[arg-type]
    bad = replace(good, outcome=Outcome.FAILURE)
    return total([*[tally_of(good)] * (requests - faults), *[tally_of(bad)] * faults])


def _look(
    document: Document = CANARY,
    counts: Counts = NOTHING,
    evidence: Evidence | None = None,
    routing: RoutingSettings = ROUTING,
    elapsed_s: float = 11.0,
    **facts: object,
) -> Decision:
    known = Facts(counts=counts, **facts)  # type: ignore[arg-type]
    first = decide(document, evidence or Evidence(), Facts(), ROUTING, 0.0, 0.0).evidence
    return decide(document, evidence or first, known, routing, elapsed_s, 100.0)


def _event(decision: Decision) -> Event | None:
    return decision.change.event if decision.change else None


HEALTHY = Counts(stable=_tally(2_700, 20), canary=_tally(310, 3))


def test_a_healthy_canary_goes_on() -> None:
    decision = _look(counts=HEALTHY)

    assert _event(decision) is Event.ADVANCE
    assert not any(reading.crossed for reading in decision.readings)


def test_loading_and_verification_are_waited_for() -> None:
    loading = replace(CANARY, phase=Phase.LOADING, ratio_bp=0)
    verify = replace(loading, phase=Phase.VERIFY)

    assert _event(_look(loading)) is None
    assert _event(_look(loading, ready=True)) is Event.LOADED
    assert _event(_look(verify, ready=True)) is None
    assert _event(_look(verify, verified=True)) is Event.VERIFIED
    for document in (loading, verify):
        change = _look(document, failed="checksum: it is another file").change
        assert change
        assert change.event is Event.ROLL_BACK
        assert "checksum" in change.reason


@pytest.mark.parametrize(
    ("counts", "elapsed_s", "missing"),
    [
        (HEALTHY, 5.0, "time"),
        (Counts(canary=_tally(299)), 11.0, "requests"),
        (Counts(), 11.0, "requests"),
    ],
)
def test_a_step_needs_time_and_requests(counts: Counts, elapsed_s: float, missing: str) -> None:
    decision = _look(counts=counts, elapsed_s=elapsed_s)

    assert decision.change is None
    assert missing in decision.missing


def test_too_few_requests_hold_and_enough_of_them_go_on() -> None:
    held = _look(counts=Counts(canary=_tally(10)), elapsed_s=61.0)
    assert held.change
    assert held.change.event is Event.HOLD
    assert not held.change.by_hand
    document = apply(CANARY, held.change)

    still = _look(document, Counts(canary=_tally(100)), held.evidence)
    assert still.change is None
    after = _look(document, HEALTHY, still.evidence)
    assert _event(after) is Event.RESUME
    assert after.change
    resumed = apply(document, after.change)
    assert _event(_look(resumed, HEALTHY, after.evidence)) is Event.ADVANCE


def test_a_hold_by_hand_stays_but_a_broken_guard_ends_it() -> None:
    held = replace(CANARY, phase=Phase.HOLD, held=Phase.CANARY, by_hand=True)

    assert _look(held, HEALTHY).change is None
    assert _event(_look(held, Counts(canary=_tally(100, 40)))) is Event.ROLL_BACK


def test_nothing_goes_on_by_numbers_that_nobody_renews() -> None:
    decision = _look(counts=HEALTHY, live=False, waiting="nobody tells")

    assert decision.change is None
    assert decision.missing == "nobody tells"
    assert decision.evidence.watched_s == 0.0


def test_failures_roll_back_within_a_few_requests() -> None:
    change = _look(counts=Counts(stable=_tally(900, 9), canary=_tally(60, 8))).change

    assert change
    assert change.event is Event.ROLL_BACK
    assert "8 of 60 requests failed" in change.reason


def test_what_both_fail_alike_is_nobodys_fault() -> None:
    alike = Counts(stable=_tally(3_000, 240), canary=_tally(310, 25))

    assert _event(_look(counts=alike)) is Event.ADVANCE


def test_bad_pictures_are_not_counted() -> None:
    rejected = tally_of(Observation("r1", 4, "a@2", Side.CANARY, Outcome.REJECTED, 0.1))
    counts = Counts(stable=_tally(900), canary=total([_tally(310), *[rejected] * 300]))

    assert _event(_look(counts=counts)) is Event.ADVANCE


def test_the_threshold_of_the_configuration_holds_at_once() -> None:
    counts = Counts(stable=_tally(900, 0), canary=_tally(310, 25))

    assert _event(_look(counts=counts)) is Event.ROLL_BACK
    patient = RoutingSettings(auto_rollback_threshold=0.3)
    assert _event(_look(counts=counts, routing=patient)) is Event.ADVANCE


def _sustained(counts: Counts, step: Counts) -> list[Guard]:
    """Look three times, with more of the same each time; give the guards that rolled back."""
    evidence = _look().evidence
    for _ in range(3):
        decision = _look(counts=counts, evidence=evidence, elapsed_s=0.1)
        if decision.change:
            break
        evidence = decision.evidence
        counts = Counts(
            stable=counts.stable + step.stable,
            canary=counts.canary + step.canary,
            shadow=counts.shadow + step.shadow,
            twin=counts.twin + step.twin,
        )
    return [reading.guard for reading in decision.readings if reading.broken]


@pytest.mark.parametrize(
    ("counts", "guards"),
    [
        (
            Counts(stable=_tally(400), canary=_tally(250, seconds=0.3)),
            [Guard.MEDIAN_SECONDS, Guard.SLOWEST_SECONDS],
        ),
        (
            Counts(stable=_tally(400), canary=_tally(200) + _tally(50, lines=0)),
            [Guard.EMPTY],
        ),
        (
            Counts(stable=_tally(400), canary=_tally(150) + _tally(100, garbled=True)),
            [Guard.GARBLED],
        ),
        (
            Counts(stable=_tally(400), canary=_tally(150) + _tally(100, confidence=1.0)),
            [Guard.CONFIDENCE],
        ),
        (
            Counts(
                stable=_tally(400),
                shadow=_tally(75, agreement=0.5) + _tally(75, agreement=0.6),
                twin=_tally(150),
            ),
            [Guard.AGREEMENT],
        ),
        (
            Counts(stable=_tally(400), canary=_tally(250) + Tally(corrected=300)),
            [Guard.CORRECTIONS],
        ),
    ],
    ids=["slow", "empty", "garbled", "unsure", "disagrees", "corrected"],
)
def test_worse_answers_roll_back_when_they_stay_so(counts: Counts, guards: list[Guard]) -> None:
    once = _look(counts=counts, elapsed_s=0.1)

    assert once.change is None
    assert [reading.guard for reading in once.readings if reading.crossed] == guards
    assert _sustained(counts, counts) == guards


def test_nothing_goes_on_while_a_guard_is_crossed() -> None:
    slow = Counts(stable=_tally(2_700), canary=_tally(400, seconds=0.3))
    decision = _look(counts=slow)

    assert decision.change is None
    assert decision.missing == "waiting for the guard median_seconds to settle"


def test_the_same_pictures_are_compared_where_they_were_read_twice() -> None:
    """One client with empty pictures on the canary's side is no reason to roll back."""
    odd_client = Counts(
        stable=_tally(900),
        canary=_tally(200) + _tally(100, lines=0),
        shadow=_tally(150, agreement=0.95) + _tally(50, agreement=0.96),
        twin=_tally(200),
    )

    assert _sustained(odd_client, odd_client) == []


def test_people_can_decide_against_a_version() -> None:
    few = Counts(judged_stable=4)
    many = Counts(judged_stable=14, judged_canary=1, judged_same=1)

    assert _look(counts=few).change is None
    assert _event(_look(counts=many)) is Event.ROLL_BACK


@pytest.mark.parametrize("phase", [Phase.LOADING, Phase.SHADOW, Phase.CANARY, Phase.SOAK])
def test_a_process_that_stopped_asking_ends_the_release(phase: Phase) -> None:
    document = replace(CANARY, phase=phase, ratio_bp=0 if phase is not Phase.SOAK else 10_000)

    change = _look(document, tripped="8 readings of the canary failed in a row").change
    assert change
    assert change.event is Event.ROLL_BACK


def test_the_configuration_sets_the_share_and_gives_it_back() -> None:
    half = RoutingSettings(gray_scale_ratio=0.5)
    decision = _look(routing=half, elapsed_s=0.1)
    assert decision.change
    document = apply(CANARY, decision.change)
    assert (document.phase, document.ratio_bp, document.step) == (Phase.HOLD, 5_000, 1)
    assert _look(document, HEALTHY, routing=half).change is None

    off = _look(document, routing=RoutingSettings(crnn_enabled=False)).change
    assert off
    switched_off = apply(document, off)
    assert (switched_off.ratio_bp, switched_off.reason) == (0, "crnn_enabled is false")

    back = _look(switched_off).change
    assert back
    resumed = apply(switched_off, back)
    assert (resumed.phase, resumed.ratio_bp) == (Phase.CANARY, 1_000)


def test_the_configuration_cannot_skip_the_verification() -> None:
    loading = replace(CANARY, phase=Phase.LOADING, ratio_bp=0)

    assert _look(loading, routing=RoutingSettings(gray_scale_ratio=1.0)).change is None


def test_the_soak_takes_its_time() -> None:
    soak = replace(CANARY, phase=Phase.SOAK, step=3, ratio_bp=10_000)

    assert _look(soak, HEALTHY, elapsed_s=19).change is None
    assert _event(_look(soak, HEALTHY, elapsed_s=21)) is Event.ADVANCE


def test_the_sum_of_failures_is_carried_from_step_to_step() -> None:
    """A rate too low for one step is noticed over several."""
    document, evidence, counts = CANARY, _look().evidence, Counts()
    heights = []
    for _ in range(3):
        counts = Counts(stable=counts.stable + _tally(100), canary=counts.canary + _tally(45, 2))
        decision = _look(document, counts, evidence, elapsed_s=1.0)
        heights.append(decision.evidence.alarm)
        document = replace(document, step=document.step + 1)
        evidence = decision.evidence

    assert heights == sorted(heights)
    assert heights[-1] > 2 * heights[0] > 0


def test_what_was_counted_once_is_not_counted_again() -> None:
    counts = Counts(stable=_tally(900, 9), canary=_tally(60, 3))
    first = _look(counts=counts, elapsed_s=1.0)
    second = _look(counts=counts, evidence=first.evidence, elapsed_s=1.0)

    assert second.evidence.alarm == first.evidence.alarm
    assert second.evidence.tried == 60
