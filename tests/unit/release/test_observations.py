from __future__ import annotations

import math
import random
import statistics

import pytest

from shizi.release.breaker import Breaker, BreakerOptions
from shizi.release.observations import Kind, Observation, Outcome, Side, Tally, tally_of, total
from shizi.release.snapshots import (
    Load,
    Recorder,
    Snapshot,
    add_up,
    json_to_snapshot,
    snapshot_to_json,
)


def _seen(outcome: Outcome = Outcome.OK, seconds: float = 0.1, **others: object) -> Observation:
    values = {"side": Side.CANARY, "lines": 2, "confidence": 1.8} | others
    return Observation("r1", 4, "a@2", outcome=outcome, seconds=seconds, **values)  # type: ignore[arg-type]


def test_outcomes_are_counted_for_what_they_say() -> None:
    tally = total(map(tally_of, (_seen(outcome) for outcome in Outcome)))

    assert (tally.ok, tally.failures, tally.timeouts, tally.rejected) == (1, 1, 1, 1)
    assert (tally.requests, tally.faults) == (3, 2)
    assert sum(tally.seconds) == 1


def test_an_answer_without_a_line_is_empty_and_has_no_confidence() -> None:
    tally = tally_of(_seen(lines=0, confidence=0.0)) + tally_of(_seen())

    assert (tally.empty, tally.read, tally.mean_confidence()) == (1, 1, pytest.approx(0.9))


def test_what_was_counted_before_can_be_taken_away() -> None:
    before = total(tally_of(_seen(seconds=s)) for s in (0.01, 0.2))
    more = tally_of(_seen(seconds=3.0, agreement=0.5))

    difference = (before + more) - before

    assert difference.ok == 1
    assert (difference.agreement, difference.compared) == (pytest.approx(0.5), 1)
    assert difference.quantile_s(0.5) == more.quantile_s(0.5)


def test_quantiles_are_right_to_a_tenth() -> None:
    chance = random.Random(5)
    seconds = [chance.lognormvariate(-2, 0.7) for _ in range(3_000)]
    tally = total(tally_of(_seen(seconds=s)) for s in seconds)

    for share, exact in ((0.5, statistics.median(seconds)), (0.95, sorted(seconds)[2_850])):
        found = tally.quantile_s(share)
        assert found is not None
        assert abs(math.log(found / exact)) < 0.1
    assert Tally().quantile_s(0.5) is None


def test_no_duration_is_lost_beyond_the_buckets() -> None:
    tally = tally_of(_seen(seconds=1e6)) + tally_of(_seen(seconds=0.0))

    assert sum(tally.seconds) == 2


def test_a_recorder_counts_for_its_release_alone() -> None:
    recorder = Recorder("p1", "host")
    recorder.record(_seen())
    recorder.follow("r1")
    recorder.record(_seen())
    recorder.record(_seen(Outcome.FAILURE, kind=Kind.PHOTO))
    recorder.record_corrections("r1", Side.CANARY, Kind.PHOTO, 3)
    recorder.record_corrections("r0", Side.CANARY, Kind.PHOTO, 3)
    snapshot = recorder.snapshot(7.0, epoch=4)
    recorder.follow("r2")

    assert snapshot.tally(Side.CANARY).requests == 2
    assert snapshot.tally(Side.CANARY, Kind.PHOTO).corrected == 3
    assert snapshot.tally(Side.STABLE) == Tally()
    assert recorder.snapshot(8.0).tallies == {}


def test_a_snapshot_survives_writing_and_reading() -> None:
    recorder = Recorder("p1")
    recorder.follow("r1")
    recorder.record(_seen(agreement=0.25))
    snapshot = recorder.snapshot(7.0, tripped="why")
    engines = Snapshot(reporter="p2", release_id="r1", at_s=1.0, loaded={"a@2": Load.READY})

    for each in (snapshot, engines):
        assert json_to_snapshot(snapshot_to_json(each)) == each
    assert add_up([snapshot, snapshot, engines], Side.CANARY).requests == 2


def test_a_breaker_trips_on_failures_in_a_row() -> None:
    breaker = Breaker(BreakerOptions(failures=3))
    for outcome in (Outcome.FAILURE, Outcome.TIMEOUT, Outcome.OK, Outcome.FAILURE):
        breaker.count(outcome)
    breaker.count(Outcome.FAILURE)
    breaker.count(Outcome.REJECTED)
    assert not breaker.tripped

    breaker.count(Outcome.TIMEOUT)
    breaker.count(Outcome.OK)

    assert breaker.tripped == "3 readings of the canary failed in a row"


def test_a_breaker_trips_on_deaths_and_forgets_with_its_release() -> None:
    breaker = Breaker(BreakerOptions(deaths=2))
    breaker.follow("r1")
    breaker.count_death()
    breaker.follow("r1")
    assert not breaker.tripped
    breaker.count_death()
    assert "ended 2 times" in breaker.tripped

    breaker.follow("r2")

    assert not breaker.tripped
