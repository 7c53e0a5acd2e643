"""One suite for every ledger: SQLite and PostgreSQL must not differ in anything here."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from shizi.core.errors import (
    Canceled,
    ConfigError,
    JobNotFound,
    KeyReused,
    LeaseLost,
    LedgerFailed,
    Quarantined,
)
from shizi.jobs.opening import open_ledger
from shizi.jobs.reaper import Reaper
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import (
    Chunk,
    JobState,
    Lease,
    Order,
    Outcome,
    PageRecord,
    Pulse,
    Source,
)
from tests.unit.jobs.conftest import Clock, Open


def _order(count: int, **more: object) -> Order:
    sources = tuple(Source(f"{k}.png", name=f"picture {k}") for k in range(count))
    return Order(sources, **{"chunk_items": 4, **more})  # type: ignore[arg-type]


def _claim(ledger: SqlLedger, holder: str = "worker") -> Chunk:
    chunk = ledger.claim(holder)
    assert chunk is not None
    return chunk


def _read(chunk: Chunk, numbers: list[int] | None = None) -> list[Outcome]:
    numbers = [item.number for item in chunk.items] if numbers is None else numbers
    return [Outcome(number, result=f"{number}.txt") for number in numbers]


def _work_off(ledger: SqlLedger) -> Counter[int]:
    """Do all there is; gives how often each item was read."""
    read: Counter[int] = Counter()
    while chunk := ledger.claim("worker"):
        numbers = [item.number for item in chunk.items]
        ledger.begin(chunk.lease, numbers)
        ledger.finish(chunk.lease, _read(chunk))
        read.update(numbers)
    return read


def test_a_job_goes_from_queued_to_succeeded(ledger: SqlLedger, clock: Clock) -> None:
    submitted = ledger.submit(_order(6, spec="how", owner="ann"))
    job = submitted.job

    assert submitted.created
    assert (job.state, job.items, job.pages, job.done) == (JobState.QUEUED, 6, 6, 0)
    assert (job.owner, job.spec, job.created_at) == ("ann", "how", clock.now)

    clock.now += 5
    chunk = _claim(ledger)
    assert [item.number for item in chunk.items] == [0, 1, 2, 3]
    assert chunk.items[1].source == Source("1.png", name="picture 1")
    assert chunk.spec == "how"
    assert ledger.job(job.id).state is JobState.RUNNING
    assert ledger.job(job.id).started_at == clock.now

    ledger.begin(chunk.lease, [0, 1, 2, 3])
    ledger.finish(chunk.lease, _read(chunk))
    assert _work_off(ledger) == {4: 1, 5: 1}

    job = ledger.job(job.id)
    assert (job.state, job.succeeded, job.failed, job.pages_done) == (JobState.SUCCEEDED, 6, 0, 6)
    assert job.finished_at == clock.now
    assert [item.result for item in ledger.items(job.id)] == [f"{k}.txt" for k in range(6)]
    assert ledger.claim("worker") is None


@pytest.mark.parametrize(("failing", "state"), [(1, "succeeded"), (3, "failed")])
def test_a_job_fails_only_when_nothing_was_read(
    ledger: SqlLedger, failing: int, state: str
) -> None:
    job = ledger.submit(_order(3)).job
    chunk = _claim(ledger)

    outcomes = [Outcome(k, "corrupt", "cut short") for k in range(failing)]
    ledger.finish(chunk.lease, [*outcomes, *_read(chunk, list(range(failing, 3)))])

    found = ledger.job(job.id)
    assert (found.state.value, found.failed) == (state, failing)
    failed = ledger.items(job.id, state=JobState.FAILED)
    assert [(item.number, item.code, item.detail) for item in failed] == [
        (k, "corrupt", "cut short") for k in range(failing)
    ]
    assert ledger.dead_letters() == [], "a picture that cannot be read was read often enough"


def test_a_job_without_sources_has_nothing_to_wait_for(ledger: SqlLedger) -> None:
    assert ledger.submit(Order()).job.state is JobState.SUCCEEDED


def test_a_submission_that_comes_twice_is_one_job(ledger: SqlLedger) -> None:
    order = _order(2, owner="ann", key="k1", fingerprint="f")
    first, second = ledger.submit(order), ledger.submit(order)

    assert first.created
    assert not second.created
    assert second.job == first.job
    assert len(ledger.jobs()) == 1
    assert _work_off(ledger) == {0: 1, 1: 1}
    assert ledger.submit(order).job.state is JobState.SUCCEEDED

    other = ledger.submit(_order(2, owner="bob", key="k1", fingerprint="f"))
    assert other.created, "keys of two owners have nothing to do with each other"
    with pytest.raises(KeyReused, match="k1"):
        ledger.submit(_order(1, owner="ann", key="k1", fingerprint="g"))


def test_submissions_that_come_at_once_are_one_job(opened: Open) -> None:
    order = _order(20, key="k", fingerprint="f")
    ledgers = [opened() for _ in range(4)]
    answers = []

    threads = [
        threading.Thread(target=lambda own=own: answers.append(own.submit(order)))
        for own in ledgers
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({answer.job.id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert ledgers[0].job(answers[0].job.id).items == 20


def test_sources_may_come_later_and_count_once(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(3, open=True)).job
    chunk = _claim(ledger)
    ledger.finish(chunk.lease, _read(chunk))
    assert ledger.job(job.id).state is JobState.RUNNING, "more may come"

    assert ledger.add(job.id, [Source("2.png"), Source("new"), Source("new")]) == 1
    assert ledger.add(job.id, [Source("new")]) == 0
    assert _work_off(ledger) == {3: 1}
    assert ledger.seal(job.id).state is JobState.SUCCEEDED
    with pytest.raises(Canceled):
        ledger.add(job.id, [Source("too late")])


def test_one_chunk_has_one_holder(opened: Open) -> None:
    ledgers = [opened() for _ in range(4)]
    ledgers[0].submit(_order(200, chunk_items=1))
    taken: list[tuple[str, int]] = []

    def work(ledger: SqlLedger, name: str) -> None:
        while chunk := ledger.claim(name):
            ledger.begin(chunk.lease, [chunk.items[0].number])
            ledger.finish(chunk.lease, _read(chunk))
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
    large = ledger.submit(_order(40, chunk_items=1)).job.id
    for _ in range(10):
        _claim(ledger)
    small = ledger.submit(_order(3, chunk_items=1)).job.id
    urgent = ledger.submit(_order(1, priority=1)).job.id

    turns = [_claim(ledger).lease.job_id for _ in range(7)]

    assert turns[0] == urgent
    assert Counter(turns[1:]) == {large: 3, small: 3}


def test_a_certain_chunk_is_taken_once(ledger: SqlLedger) -> None:
    ledger.submit(_order(8))
    last = ledger.queued()[-1]

    chunk = ledger.claim("worker", last)

    assert chunk is not None
    assert chunk.lease.ref == last
    assert ledger.claim("other", last) is None
    assert [ref.chunk for ref in ledger.queued()] == [0]
    assert ledger.claim("other", job_id="nobody's") is None


def test_queued_tells_those_that_wait_long(ledger: SqlLedger, clock: Clock) -> None:
    ledger.submit(_order(1))
    clock.now += 60
    ledger.submit(_order(1))

    assert len(ledger.queued()) == 2
    assert len(ledger.queued(older_than_s=30)) == 1
    assert ledger.stats().oldest_s == 60


def _is_fenced_out(ledger: SqlLedger, chunk: Chunk) -> None:
    job = chunk.lease.job_id
    before = ledger.job(job), ledger.items(job), ledger.pages(job)
    with pytest.raises(LeaseLost):
        ledger.beat(chunk.lease)
    with pytest.raises(LeaseLost):
        ledger.begin(chunk.lease, [0])
    with pytest.raises(LeaseLost):
        ledger.record(chunk.lease, [PageRecord(0, 1, b"late")])
    with pytest.raises(LeaseLost):
        ledger.finish(chunk.lease, [Outcome(0, result="late")])
    ledger.release(chunk.lease, blame=True)
    assert (ledger.job(job), ledger.items(job), ledger.pages(job)) == before


def test_who_lost_a_chunk_writes_nothing(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(2)).job
    slow = _claim(ledger, "slow")
    assert ledger.revoke(Pulse(slow.lease, 0))
    quick = _claim(ledger, "quick")
    _is_fenced_out(ledger, slow)

    ledger.finish(quick.lease, _read(quick))
    ledger.finish(quick.lease, _read(quick))  # its answer was lost, it says it again

    assert [item.result for item in ledger.items(job.id)] == ["0.txt", "1.txt"]
    assert ledger.job(job.id).succeeded == 2


def test_the_reaper_takes_from_the_silent_alone(ledger: SqlLedger) -> None:
    monotonic = Clock()
    ledger.submit(_order(8))
    silent, alive = _claim(ledger, "silent"), _claim(ledger, "alive")
    reaper = Reaper(ledger, 10, monotonic)

    taken: list[Lease] = []
    for _ in range(5):
        taken += reaper.round()
        ledger.beat(alive.lease)
        monotonic.now += 4

    assert taken == [silent.lease]
    assert [pulse.lease for pulse in ledger.pulses()] == [alive.lease]
    again = _claim(ledger)
    assert [item.number for item in again.items] == [item.number for item in silent.items]


def test_two_reapers_take_a_lease_once(ledger: SqlLedger) -> None:
    monotonic = Clock()
    ledger.submit(_order(4))
    chunk = _claim(ledger)
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
    job = ledger.submit(_order(8)).job
    reaper = Reaper(ledger, 10, monotonic)
    chunk = _claim(ledger)
    reaper.round()

    clock.now += jump_s
    monotonic.now += 4
    ledger.beat(chunk.lease)
    assert reaper.round() == []
    ledger.finish(chunk.lease, _read(chunk))

    assert _work_off(ledger) == {4: 1, 5: 1, 6: 1, 7: 1}
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
    job = ledger.submit(_order(6, chunk_items=6)).job
    chunk = _claim(ledger)
    ledger.begin(chunk.lease, [0, 1, 2])
    ledger.finish(chunk.lease, _read(chunk, [0]))
    ledger.release(chunk.lease, blame=True)

    chunks = [_claim(ledger) for _ in range(3)]
    assert ledger.claim("worker") is None
    groups = sorted([item.number for item in chunk.items] for chunk in chunks)
    assert groups == [[1], [2], [3, 4, 5]]
    for chunk in chunks:
        ledger.finish(chunk.lease, _read(chunk))
    attempts = [item.attempts for item in ledger.items(job.id)]
    assert attempts == [1, 1, 1, 0, 0, 0]
    assert ledger.job(job.id).state is JobState.SUCCEEDED


def test_who_gives_back_in_order_is_not_blamed(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(3, max_attempts=1)).job
    for _ in range(5):
        chunk = _claim(ledger)
        ledger.begin(chunk.lease, [0, 1])
        ledger.release(chunk.lease)

    assert [item.attempts for item in ledger.items(job.id)] == [0, 0, 0]
    assert len(_claim(ledger).items) == 3


def test_a_failure_that_may_pass_is_tried_again_until_it_is_dead(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(4, max_attempts=2)).job
    chunk = _claim(ledger)
    ledger.begin(chunk.lease, [0, 1, 2, 3])
    late = Outcome(1, "deadline", "took too long", again=True, digest="d")
    ledger.finish(chunk.lease, [late, *_read(chunk, [0, 2, 3])])

    again = _claim(ledger)
    assert [(item.number, item.attempts) for item in again.items] == [(1, 1)]
    ledger.begin(again.lease, [1])
    ledger.finish(again.lease, [late])

    (letter,) = ledger.dead_letters(job.id)
    assert (letter.code, letter.attempts, letter.source.digest) == ("deadline", 2, "d")
    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert ledger.claim("worker") is None


def test_pages_are_kept_once_and_in_order(ledger: SqlLedger) -> None:
    job = ledger.submit(Order((Source("a"), Source("b")), chunk_items=1)).job
    first = _claim(ledger)
    ledger.begin(first.lease, [0])
    assert ledger.record(first.lease, [PageRecord(0, 2, b"two"), PageRecord(0, 1, b"one")]) == 2
    ledger.release(first.lease, blame=True)

    chunks = sorted((_claim(ledger) for _ in range(2)), key=lambda chunk: chunk.items[0].number)
    again, other = chunks
    new = [PageRecord(0, 2, b"another"), PageRecord(0, 3, b"three")]
    assert ledger.record(again.lease, new) == 1
    assert ledger.record(other.lease, [PageRecord(1, 1, b"b"), PageRecord(0, 9, b"not mine")]) == 1
    ledger.finish(again.lease, [Outcome(0, pages=3)])
    ledger.finish(other.lease, [Outcome(1, pages=1)])

    pages = ledger.pages(job.id)
    told = [(page.item, page.page, page.body) for page in pages]
    assert told == [(0, 1, b"one"), (0, 2, b"two"), (0, 3, b"three"), (1, 1, b"b")]
    assert ledger.pages(job.id, after=(0, 2), limit=1) == [pages[2]]
    found = ledger.job(job.id)
    assert (found.pages, found.pages_done, found.state) == (4, 4, JobState.SUCCEEDED)


def test_a_canceled_job_ends_at_once_and_for_ever(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(8)).job
    held = _claim(ledger)
    ledger.begin(held.lease, [0, 1])
    ledger.finish(held.lease, _read(held, [0]))

    assert ledger.cancel(job.id).state is JobState.CANCELED
    _is_fenced_out(ledger, held)
    assert ledger.claim("worker") is None
    states = Counter(item.state for item in ledger.items(job.id))
    assert states == {JobState.SUCCEEDED: 1, JobState.CANCELED: 7}
    before = ledger.job(job.id)
    assert ledger.cancel(job.id) == before == ledger.seal(job.id)


def test_what_has_succeeded_stays_so(ledger: SqlLedger, clock: Clock) -> None:
    job = ledger.submit(_order(1, keep_s=5)).job
    _work_off(ledger)
    clock.now += 10

    assert ledger.cancel(job.id).state is JobState.SUCCEEDED
    assert ledger.expire() == []
    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert ledger.outdated() == [job.id]


def test_a_job_expires_with_what_is_open(ledger: SqlLedger, clock: Clock) -> None:
    job = ledger.submit(_order(8, keep_s=100)).job
    kept = ledger.submit(_order(8)).job
    held = ledger.claim("worker", job_id=job.id)
    assert held is not None
    clock.now += 99
    assert ledger.expire() == []
    clock.now += 1

    assert ledger.expire() == [job.id]
    _is_fenced_out(ledger, held)
    assert ledger.job(job.id).state is JobState.EXPIRED
    assert ledger.job(kept.id).state is JobState.QUEUED


def test_a_purged_job_leaves_nothing(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(5)).job
    other = ledger.submit(Order((Source("kept"),))).job
    held = ledger.claim("worker", job_id=job.id)
    assert held is not None
    ledger.record(held.lease, [PageRecord(0, 1, b"page")])

    assert ledger.purge(job.id) == [f"{k}.png" for k in range(5)]
    with pytest.raises(JobNotFound):
        ledger.job(job.id)
    with pytest.raises(LeaseLost):
        ledger.finish(held.lease, _read(held))
    assert ledger.pages(job.id) == []
    assert ledger.items(job.id) == []
    assert list(ledger.refs()) == ["kept"]
    assert [found.id for found in ledger.jobs()] == [other.id]


def test_jobs_are_listed_by_owner_the_newest_first(ledger: SqlLedger, clock: Clock) -> None:
    ids = []
    for k in range(5):
        clock.now += 1
        ids.append(ledger.submit(_order(1, owner="ann" if k % 2 else "bob")).job.id)

    assert [job.id for job in ledger.jobs()] == ids[::-1]
    assert [job.id for job in ledger.jobs("ann")] == [ids[3], ids[1]]
    page = ledger.jobs(limit=2)
    last = page[-1]
    rest = ledger.jobs(before=(last.created_at, last.id))
    assert [job.id for job in [*page, *rest]] == ids[::-1]
    assert ledger.jobs(state=JobState.SUCCEEDED) == []


def test_items_are_paged_by_number(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(7)).job

    assert [item.number for item in ledger.items(job.id, after=2, limit=3)] == [3, 4, 5]
    assert ledger.items("nobody's") == []


def test_stats_tell_how_much_there_is_to_do(ledger: SqlLedger) -> None:
    ledger.submit(_order(10))
    chunk = _claim(ledger)
    ledger.finish(chunk.lease, _read(chunk, [0]))

    stats = ledger.stats()

    assert (stats.chunks_queued, stats.chunks_running, stats.items_open) == (2, 1, 9)
    assert (stats.jobs, stats.dead) == ({JobState.RUNNING: 1}, 0)


def test_every_change_is_seen_in_the_version(ledger: SqlLedger) -> None:
    job = ledger.submit(_order(4)).job
    versions = [job.version]
    chunk = _claim(ledger)
    versions.append(ledger.job(job.id).version)
    for number in range(4):
        ledger.finish(chunk.lease, _read(chunk, [number]))
        versions.append(ledger.job(job.id).version)

    assert versions == sorted(set(versions))


def test_text_with_every_kind_of_sign_comes_back(ledger: SqlLedger) -> None:
    odd = "发票 '\"%s :name ;-- \\ \U0001f600"
    job = ledger.submit(Order((Source(odd, name=odd),), owner=odd, spec=odd)).job

    assert ledger.jobs(odd) == [job]
    assert job.spec == odd
    assert ledger.items(job.id)[0].source == Source(odd, name=odd)


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path)
    ledger._store.do(lambda rows: rows.run("UPDATE ledger_version SET number = 99"))
    ledger.close()

    with pytest.raises(LedgerFailed, match="another version"):
        open_ledger(path)


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database " * 100)

    with pytest.raises(LedgerFailed, match="not a database"):
        open_ledger(path)
    with pytest.raises(LedgerFailed, match=r"ledger\.db"):
        open_ledger(tmp_path / "nowhere" / "ledger.db")
    with pytest.raises(ConfigError, match="mysql"):
        open_ledger("mysql://host/name")
