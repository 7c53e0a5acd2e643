"""What is done now and then: leases taken back, old jobs forgotten, leftovers swept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import ConfigError, FileAccessError, JobNotFound, LedgerFailed
from shizi.core.sections import JobSettings
from shizi.jobs.hooks import HookBook
from shizi.jobs.opening import open_store
from shizi.jobs.site import Site, open_site
from shizi.jobs.spool import ABANDONED_S, Spool
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.upkeep import Duty, Upkeep
from shizi.jobs.values import Job, Order


class Clock:
    """Wall time of the ledger and the spool."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Clock:
    return Clock()


@pytest.fixture
def site(tmp_path: Path, wall: Clock) -> Iterator[Site]:
    store = open_store(tmp_path / "jobs.db")
    spool = Spool(tmp_path / "spool", 10**6, wall)
    yield Site(SqlLedger(store, wall), spool, HookBook(store, wall))
    store.close()


def _hand_in(site: Site, *, assign: bool = True, keep_s: float | None = None) -> tuple[Job, str]:
    with site.spool.deposit() as deposit:
        draft = deposit.begin("a")
        draft.write(b"x")
        draft.close()
        sources = deposit.complete()
    job = site.ledger.submit(Order(sources, keep_s=keep_s)).job
    if assign:
        site.spool.assign(deposit.name, job.id)
    return job, deposit.name


def test_a_worker_that_is_gone_loses_its_chunk(site: Site) -> None:
    _hand_in(site)
    assert site.ledger.claim("gone") is not None
    upkeep = Upkeep(site, 0.05)

    upkeep.reap()
    time.sleep(0.1)
    upkeep.reap()

    assert site.ledger.claim("other") is not None


def test_files_go_when_their_job_has_ended_and_no_sooner(site: Site) -> None:
    first, gone = _hand_in(site)
    _, kept = _hand_in(site)
    site.ledger.cancel(first.id)

    Upkeep(site, 30).clean()

    assert site.spool.deposits() == [kept] != [gone]


def test_a_job_whose_time_is_over_ends_and_is_forgotten_with_its_files(
    site: Site, wall: Clock
) -> None:
    job, _ = _hand_in(site, keep_s=10)
    wall.now += 11
    upkeep = Upkeep(site, 30)
    for _ in range(2):
        upkeep.expire()

    with pytest.raises(JobNotFound):
        site.ledger.job(job.id)
    assert site.spool.deposits() == []


def test_what_a_crash_left_is_swept_but_not_what_a_job_needs(site: Site, wall: Clock) -> None:
    # Between the ledger and the note in the spool, the service died.
    _, needed = _hand_in(site, assign=False)
    with site.spool.deposit() as left:
        left.begin("a").write(b"x")
        left.complete()
    upkeep = Upkeep(site, 30)
    upkeep.sweep()
    assert len(site.spool.deposits()) == 2

    wall.now += ABANDONED_S + 60
    upkeep.sweep()
    assert site.spool.deposits() == [needed]


def test_a_duty_that_fails_keeps_no_other_from_being_done(site: Site) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise LedgerFailed("away")

    def bug() -> None:
        raise ZeroDivisionError

    duties = [Duty(5, fail), Duty(5, bug), Duty(5, lambda: done.append("done"))]
    upkeep = Upkeep(site, 30, further=duties)

    for now_s in (0, 1, 4.9, 5, 6):
        upkeep.round(now_s)
    assert done == ["failed", "done"] * 2


def test_nobody_else_reads_what_was_handed_in_or_read(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    site = open_site(JobSettings(folder=folder))
    _hand_in(site)

    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("jobs.db*"))
    site.close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError):
        open_site(JobSettings(folder=tmp_path / "file"))
    with pytest.raises(ConfigError):
        open_site(JobSettings())
