"""Chunks and leases: one holder at a time, whoever dies, hangs or comes late."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from shizi.core.errors import Quarantined
from shizi.jobs.reaper import Reaper
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import JobState, Lease, Order, Outcome, Pulse, Source
from tests.unit.jobs.conftest import Clock, Open
from tests.unit.jobs.work import is_fenced_out, make_order, outcomes_of, take, work_off


def test_one_chunk_has_one_holder(opened: Open) -> None:
    ledgers = [opened() for _ in range(4)]
    ledgers[0].submit(make_order(200, chunk_items=1))
    taken: list[tuple[str, int]] = []

    def work(ledger: SqlLedger, name: str) -> None:
        while chunk := ledger.claim(name):
            ledger.begin(chunk.lease, [chunk.items[0].number])
            ledger.finish(chunk.lease, outcomes_of(chunk))
            taken.append((name, chunk.items[0].number))

    threads = [
        threading.Thread(target=work, args=(ledger, str(k))) for k, ledger in enumerate(ledgers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(number for _, number in taken) == list(range(200))
    assert ledgers[0].stats().jobs == {JobState.SUCCEEDED: 1}


def test_jobs_take_turns_and_priority_goes_first(ledger: SqlLedger) -> None:
    large = ledger.submit(make_order(40, chunk_items=1)).job.id
    for _ in range(10):
        take(ledger)
    small = ledger.submit(make_order(3, chunk_items=1)).job.id
    urgent = ledger.submit(make_order(1, priority=1)).job.id

    turns = [take(ledger).lease.job_id for _ in range(7)]

    assert turns[0] == urgent
    assert Counter(turns[1:]) == {large: 3, small: 3}


def test_a_certain_chunk_is_taken_once(ledger: SqlLedger) -> None:
    ledger.submit(make_order(8))
    last = ledger.queued()[-1]

    chunk = ledger.claim("worker", last)

    assert chunk is not None
    assert chunk.lease.ref == last
    assert ledger.claim("other", last) is None
    assert [ref.chunk for ref in ledger.queued()] == [0]
    assert ledger.claim("other", job_id="nobody's") is None


def test_queued_tells_those_that_wait_long(ledger: SqlLedger, clock: Clock) -> None:
    ledger.submit(make_order(1))
    clock.now += 60
    ledger.submit(make_order(1))

    assert len(ledger.queued()) == 2
    assert len(ledger.queued(older_than_s=30)) == 1
    assert ledger.stats().oldest_s == 60


def test_who_lost_a_chunk_writes_nothing(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(2)).job
    slow = take(ledger, "slow")
    assert ledger.revoke(Pulse(slow.lease, 0))
    quick = take(ledger, "quick")
    is_fenced_out(ledger, slow)

    ledger.finish(quick.lease, outcomes_of(quick))
    ledger.finish(quick.lease, outcomes_of(quick))  # its answer was lost, it says it again

    assert [item.result for item in ledger.items(job.id)] == ["0.txt", "1.txt"]
    assert ledger.job(job.id).succeeded == 2


def test_the_reaper_takes_from_the_silent_alone(ledger: SqlLedger) -> None:
    monotonic = Clock()
    ledger.submit(make_order(8))
    silent, alive = take(ledger, "silent"), take(ledger, "alive")
    reaper = Reaper(ledger, 10, monotonic)

    taken: list[Lease] = []
    for _ in range(5):
        taken += reaper.round()
        ledger.beat(alive.lease)
        monotonic.now += 4

    assert taken == [silent.lease]
    assert [pulse.lease for pulse in ledger.pulses()] == [alive.lease]
    again = take(ledger)
    assert [item.number for item in again.items] == [item.number for item in silent.items]


def test_two_reapers_take_a_lease_once(ledger: SqlLedger) -> None:
    monotonic = Clock()
    ledger.submit(make_order(4))
    chunk = take(ledger)
    ledger.begin(chunk.lease, [0])
    reapers = [Reaper(ledger, 10, monotonic) for _ in range(2)]
    for reaper in reapers:
        assert reaper.round() == []
    monotonic.now += 11

    assert sorted(len(reaper.round()) for reaper in reapers) == [0, 1]
    assert ledger.stats().chunks_queued == 2


@pytest.mark.parametrize("jump_s", [-1e9, 1e9])
def test_a_jump_of_the_clock_loses_no_lease_and_doubles_no_page(
    ledger: SqlLedger, clock: Clock, jump_s: float
) -> None:
    monotonic = Clock()
    job = ledger.submit(make_order(8)).job
    reaper = Reaper(ledger, 10, monotonic)
    chunk = take(ledger)
    reaper.round()

    clock.now += jump_s
    monotonic.now += 4
    ledger.beat(chunk.lease)
    assert reaper.round() == []
    ledger.finish(chunk.lease, outcomes_of(chunk))

    assert work_off(ledger) == {4: 1, 5: 1, 6: 1, 7: 1}
    assert ledger.job(job.id).succeeded == 8
    assert ledger.stats().oldest_s == 0


def test_a_poison_picture_takes_nobody_with_it(ledger: SqlLedger, clock: Clock) -> None:
    job = ledger.submit(
        Order(
            tuple(Source(f"{k}", digest=f"d{k}") for k in range(6)), chunk_items=6, max_attempts=3
        )
    ).job
    deaths = 0
    read: Counter[int] = Counter()
    while chunk := ledger.claim("worker"):
        for item in chunk.items:
            ledger.begin(chunk.lease, [item.number])
            if item.number == 2:
                deaths += 1
                ledger.release(chunk.lease, blame=True)
                break
            ledger.finish(chunk.lease, [Outcome(item.number, result="read")])
            read[item.number] += 1

    assert deaths == 3
    assert read == {k: 1 for k in range(6) if k != 2}
    (letter,) = ledger.dead_letters(job.id)
    assert (letter.item, letter.attempts, letter.code) == (2, 3, Quarantined.code)
    assert letter.source.digest == "d2"
    assert letter.at == clock.now
    found = ledger.job(job.id)
    assert (found.state, found.succeeded, found.failed) == (JobState.SUCCEEDED, 5, 1)


def test_what_was_begun_beside_the_poison_is_read_alone(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(6, chunk_items=6)).job
    chunk = take(ledger)
    ledger.begin(chunk.lease, [0, 1, 2])
    ledger.finish(chunk.lease, outcomes_of(chunk, [0]))
    ledger.release(chunk.lease, blame=True)

    chunks = [take(ledger) for _ in range(3)]
    assert ledger.claim("worker") is None
    groups = sorted([item.number for item in chunk.items] for chunk in chunks)
    assert groups == [[1], [2], [3, 4, 5]]
    for chunk in chunks:
        ledger.finish(chunk.lease, outcomes_of(chunk))
    attempts = [item.attempts for item in ledger.items(job.id)]
    assert attempts == [1, 1, 1, 0, 0, 0]
    assert ledger.job(job.id).state is JobState.SUCCEEDED


def test_who_gives_back_in_order_is_not_blamed(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(3, max_attempts=1)).job
    for _ in range(5):
        chunk = take(ledger)
        ledger.begin(chunk.lease, [0, 1])
        ledger.release(chunk.lease)

    assert [item.attempts for item in ledger.items(job.id)] == [0, 0, 0]
    assert len(take(ledger).items) == 3


def test_a_failure_that_may_pass_is_tried_again_until_it_is_dead(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(4, max_attempts=2)).job
    chunk = take(ledger)
    ledger.begin(chunk.lease, [0, 1, 2, 3])
    late = Outcome(1, "deadline", "took too long", again=True, digest="d")
    ledger.finish(chunk.lease, [late, *outcomes_of(chunk, [0, 2, 3])])

    again = take(ledger)
    assert [(item.number, item.attempts) for item in again.items] == [(1, 1)]
    ledger.begin(again.lease, [1])
    ledger.finish(again.lease, [late])

    (letter,) = ledger.dead_letters(job.id)
    assert (letter.code, letter.attempts, letter.source.digest) == ("deadline", 2, "d")
    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert ledger.claim("worker") is None
