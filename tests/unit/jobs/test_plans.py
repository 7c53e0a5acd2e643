"""What the ledger asks of SQLite costs as much with a million items as with ten."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from shizi.jobs.opening import open_ledger
from shizi.jobs.sqlite import SqliteStore
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import ChunkRef, Order, Outcome, PageRecord, Source

# Each finds one row, or the rows of one chunk; a job's own chunks in their turn.
_NARROW = re.compile(
    r"(job_id=\? AND (number|chunk|item|ref)=\?)|\(id=\?\)"
    r"|INDEX chunks_(queued|queued_of_job|running)|INDEX (jobs_by_time|sqlite_autoindex_jobs)"
)


def test_no_statement_of_the_daily_round_walks_through_a_table(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path).close()
    store = SqliteStore(path)
    ledger = SqlLedger(store)
    said: list[str] = []
    store._connection.set_trace_callback(said.append)
    job = ledger.submit(Order(tuple(Source(str(k)) for k in range(64)), chunk_items=4)).job
    for only, job_id in ((None, None), (None, job.id), (ChunkRef(job.id, 9), None)):
        chunk = ledger.claim("worker", only, job_id)
        assert chunk is not None
        numbers = [item.number for item in chunk.items]
        ledger.begin(chunk.lease, numbers[:3])
        ledger.beat(chunk.lease)
        ledger.record(chunk.lease, [PageRecord(numbers[0], 1, b"page")])
        ledger.finish(chunk.lease, [Outcome(numbers[0], "x", again=True)])
        ledger.finish(chunk.lease, [Outcome(number) for number in numbers[1:2]])
        ledger.release(chunk.lease, blame=True)
    ledger.job(job.id)
    ledger.close()

    with sqlite3.connect(path) as connection:
        plans = {
            (statement, step[3])
            for statement in said
            if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
            for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            if step[3].startswith(("SCAN", "SEARCH", "USE TEMP"))
        }
    connection.close()
    assert len(plans) > 10
    assert [plan for plan in plans if not _NARROW.search(plan[1])] == []
