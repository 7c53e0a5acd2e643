"""One suite for every ledger: SQLite and PostgreSQL must not differ in anything here."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from shizi.core.errors import Canceled, ConfigError, JobNotFound, KeyReused, LeaseLost, LedgerFailed
from shizi.jobs.opening import open_ledger
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import JobState, Order, Outcome, PageRecord, Source
from tests.unit.jobs.conftest import Clock, Open
from tests.unit.jobs.work import is_fenced_out, make_order, outcomes_of, take, work_off


def test_a_job_goes_from_queued_to_succeeded(ledger: SqlLedger, clock: Clock) -> None:
    submitted = ledger.submit(make_order(6, spec="how", owner="ann"))
    job = submitted.job

    assert submitted.created
    assert (job.state, job.items, job.pages, job.done) == (JobState.QUEUED, 6, 6, 0)
    assert (job.owner, job.spec, job.created_at) == ("ann", "how", clock.now)

    clock.now += 5
    chunk = take(ledger)
    assert [item.number for item in chunk.items] == [0, 1, 2, 3]
    assert chunk.items[1].source == Source("1.png", name="picture 1")
    assert chunk.spec == "how"
    assert ledger.job(job.id).state is JobState.RUNNING
    assert ledger.job(job.id).started_at == clock.now

    ledger.begin(chunk.lease, [0, 1, 2, 3])
    ledger.finish(chunk.lease, outcomes_of(chunk))
    assert work_off(ledger) == {4: 1, 5: 1}

    job = ledger.job(job.id)
    assert (job.state, job.succeeded, job.failed, job.pages_done) == (JobState.SUCCEEDED, 6, 0, 6)
    assert job.finished_at == clock.now
    assert [item.result for item in ledger.items(job.id)] == [f"{k}.txt" for k in range(6)]
    assert ledger.claim("worker") is None


@pytest.mark.parametrize(("failing", "state"), [(1, "succeeded"), (3, "failed")])
def test_a_job_fails_only_when_nothing_was_read(
    ledger: SqlLedger, failing: int, state: str
) -> None:
    job = ledger.submit(make_order(3)).job
    chunk = take(ledger)

    outcomes = [Outcome(k, "corrupt", "cut short") for k in range(failing)]
    ledger.finish(chunk.lease, [*outcomes, *outcomes_of(chunk, list(range(failing, 3)))])

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
    order = make_order(2, owner="ann", key="k1", fingerprint="f")
    first, second = ledger.submit(order), ledger.submit(order)

    assert first.created
    assert not second.created
    assert second.job == first.job
    assert len(ledger.jobs()) == 1
    assert work_off(ledger) == {0: 1, 1: 1}
    assert ledger.submit(order).job.state is JobState.SUCCEEDED

    other = ledger.submit(make_order(2, owner="bob", key="k1", fingerprint="f"))
    assert other.created, "keys of two owners have nothing to do with each other"
    with pytest.raises(KeyReused, match="k1"):
        ledger.submit(make_order(1, owner="ann", key="k1", fingerprint="g"))


def test_submissions_that_come_at_once_are_one_job(opened: Open) -> None:
    order = make_order(20, key="k", fingerprint="f")
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
    job = ledger.submit(make_order(3, open=True)).job
    chunk = take(ledger)
    ledger.finish(chunk.lease, outcomes_of(chunk))
    assert ledger.job(job.id).state is JobState.RUNNING, "more may come"

    assert ledger.add(job.id, [Source("2.png"), Source("new"), Source("new")]) == 1
    assert ledger.add(job.id, [Source("new")]) == 0
    assert work_off(ledger) == {3: 1}
    assert ledger.seal(job.id).state is JobState.SUCCEEDED
    with pytest.raises(Canceled):
        ledger.add(job.id, [Source("too late")])


def test_pages_are_kept_once_and_in_order(ledger: SqlLedger) -> None:
    job = ledger.submit(Order((Source("a"), Source("b")), chunk_items=1)).job
    first = take(ledger)
    ledger.begin(first.lease, [0])
    assert ledger.record(first.lease, [PageRecord(0, 2, b"two"), PageRecord(0, 1, b"one")]) == 2
    ledger.release(first.lease, blame=True)

    chunks = sorted((take(ledger) for _ in range(2)), key=lambda chunk: chunk.items[0].number)
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
    job = ledger.submit(make_order(8)).job
    held = take(ledger)
    ledger.begin(held.lease, [0, 1])
    ledger.finish(held.lease, outcomes_of(held, [0]))

    assert ledger.cancel(job.id).state is JobState.CANCELED
    is_fenced_out(ledger, held)
    assert ledger.claim("worker") is None
    states = Counter(item.state for item in ledger.items(job.id))
    assert states == {JobState.SUCCEEDED: 1, JobState.CANCELED: 7}
    before = ledger.job(job.id)
    assert ledger.cancel(job.id) == before == ledger.seal(job.id)


def test_what_has_succeeded_stays_so(ledger: SqlLedger, clock: Clock) -> None:
    job = ledger.submit(make_order(1, keep_s=5)).job
    work_off(ledger)
    clock.now += 10

    assert ledger.cancel(job.id).state is JobState.SUCCEEDED
    assert ledger.expire() == []
    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert ledger.outdated() == [job.id]


def test_a_job_expires_with_what_is_open(ledger: SqlLedger, clock: Clock) -> None:
    job = ledger.submit(make_order(8, keep_s=100)).job
    kept = ledger.submit(make_order(8)).job
    held = ledger.claim("worker", job_id=job.id)
    assert held is not None
    clock.now += 99
    assert ledger.expire() == []
    clock.now += 1

    assert ledger.expire() == [job.id]
    is_fenced_out(ledger, held)
    assert ledger.job(job.id).state is JobState.EXPIRED
    assert ledger.job(kept.id).state is JobState.QUEUED


def test_a_purged_job_leaves_nothing(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(5)).job
    other = ledger.submit(Order((Source("kept"),))).job
    held = ledger.claim("worker", job_id=job.id)
    assert held is not None
    ledger.record(held.lease, [PageRecord(0, 1, b"page")])

    assert ledger.purge(job.id) == [f"{k}.png" for k in range(5)]
    with pytest.raises(JobNotFound):
        ledger.job(job.id)
    with pytest.raises(LeaseLost):
        ledger.finish(held.lease, outcomes_of(held))
    assert ledger.pages(job.id) == []
    assert ledger.items(job.id) == []
    assert list(ledger.refs()) == ["kept"]
    assert [found.id for found in ledger.jobs()] == [other.id]


def test_jobs_are_listed_by_owner_the_newest_first(ledger: SqlLedger, clock: Clock) -> None:
    ids = []
    for k in range(5):
        clock.now += 1
        ids.append(ledger.submit(make_order(1, owner="ann" if k % 2 else "bob")).job.id)

    assert [job.id for job in ledger.jobs()] == ids[::-1]
    assert [job.id for job in ledger.jobs("ann")] == [ids[3], ids[1]]
    page = ledger.jobs(limit=2)
    last = page[-1]
    rest = ledger.jobs(before=(last.created_at, last.id))
    assert [job.id for job in [*page, *rest]] == ids[::-1]
    assert ledger.jobs(state=JobState.SUCCEEDED) == []


def test_items_are_paged_by_number(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(7)).job

    assert [item.number for item in ledger.items(job.id, after=2, limit=3)] == [3, 4, 5]
    assert ledger.items("nobody's") == []


def test_stats_tell_how_much_there_is_to_do(ledger: SqlLedger) -> None:
    ledger.submit(make_order(10))
    chunk = take(ledger)
    ledger.finish(chunk.lease, outcomes_of(chunk, [0]))

    stats = ledger.stats()

    assert (stats.chunks_queued, stats.chunks_running, stats.items_open) == (2, 1, 9)
    assert (stats.jobs, stats.dead) == ({JobState.RUNNING: 1}, 0)


def test_every_change_is_seen_in_the_version(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(4)).job
    versions = [job.version]
    chunk = take(ledger)
    versions.append(ledger.job(job.id).version)
    for number in range(4):
        ledger.finish(chunk.lease, outcomes_of(chunk, [number]))
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


def test_a_ledger_that_was_closed_stays_closed(ledger: SqlLedger) -> None:
    job = ledger.submit(make_order(1)).job
    ledger.close()

    with pytest.raises(LedgerFailed):
        ledger.job(job.id)
