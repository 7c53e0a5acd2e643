"""The ledger's database on another machine goes away and comes back."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from shizi.core.errors import LedgerFailed, ShiziError
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import JobState, Order, Outcome, Source
from tests.databases import Postgres, find_postgres, run_postgres

pytest.importorskip("psycopg", reason="psycopg is not installed")
if find_postgres() is None:
    pytest.skip("PostgreSQL is not installed", allow_module_level=True)

from shizi.jobs.postgres import PostgresStore


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Give a server of this module's own, since it is killed."""
    with run_postgres() as server:
        yield server


@pytest.fixture
def url(server: Postgres) -> str:
    return server.new_database(f"t{uuid.uuid4().hex}")


def test_calls_wait_for_a_database_that_is_started_again(server: Postgres, url: str) -> None:
    ledger = SqlLedger(PostgresStore(url))
    sources = tuple(Source(str(k)) for k in range(60))
    job = ledger.submit(Order(sources, chunk_items=1)).job
    done: list[int] = []
    failed: list[ShiziError] = []

    def work(own: SqlLedger, name: str) -> None:
        try:
            while chunk := own.claim(name):
                own.begin(chunk.lease, [chunk.items[0].number])
                own.finish(chunk.lease, [Outcome(chunk.items[0].number)])
                done.append(chunk.items[0].number)
                time.sleep(0.01)
        except ShiziError as error:
            failed.append(error)
        finally:
            own.close()

    threads = [
        threading.Thread(target=work, args=(SqlLedger(PostgresStore(url)), str(k)))
        for k in range(3)
    ]
    for thread in threads:
        thread.start()
    while len(done) < 10:
        time.sleep(0.005)
    server.kill()
    time.sleep(0.3)
    server.start()
    for thread in threads:
        thread.join(60)

    assert failed == []
    # A claim whose answer was lost is taken back by whoever watches the leases; nothing is twice.
    for pulse in ledger.pulses():
        assert ledger.revoke(pulse)
    work(ledger, "last")
    assert failed == []
    again = SqlLedger(PostgresStore(url))
    found = again.job(job.id)
    assert (found.state, found.succeeded) == (JobState.SUCCEEDED, 60)
    assert sorted(set(done)) == sorted(item.number for item in again.items(job.id))
    assert len(done) == len(set(done))
    again.close()


def test_a_database_that_stays_away_is_told_in_time(server: Postgres, url: str) -> None:
    ledger = SqlLedger(PostgresStore(url, patience_s=0.5))
    server.kill()
    try:
        started = time.monotonic()
        with pytest.raises(LedgerFailed, match="the ledger's database") as failure:
            ledger.submit(Order((Source("a"),)))
        assert time.monotonic() - started < 10
        assert failure.value.http_status == 503
        assert failure.value.retry_after_s > 0
    finally:
        server.start()
    assert ledger.submit(Order((Source("a"),))).created
    ledger.close()
