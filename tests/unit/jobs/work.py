"""Jobs and their work, done by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from shizi.core.errors import LeaseLost
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import Chunk, Order, Outcome, PageRecord, Source


def make_order(count: int, **more: object) -> Order:
    sources = tuple(Source(f"{k}.png", name=f"picture {k}") for k in range(count))
    return Order(sources, **{"chunk_items": 4, **more})  # type: ignore[arg-type]


def take(ledger: SqlLedger, holder: str = "worker") -> Chunk:
    chunk = ledger.claim(holder)
    assert chunk is not None
    return chunk


def outcomes_of(chunk: Chunk, numbers: list[int] | None = None) -> list[Outcome]:
    numbers = [item.number for item in chunk.items] if numbers is None else numbers
    return [Outcome(number, result=f"{number}.txt") for number in numbers]


def work_off(ledger: SqlLedger) -> Counter[int]:
    """Do all there is; gives how often each item was read."""
    read: Counter[int] = Counter()
    while chunk := ledger.claim("worker"):
        numbers = [item.number for item in chunk.items]
        ledger.begin(chunk.lease, numbers)
        ledger.finish(chunk.lease, outcomes_of(chunk))
        read.update(numbers)
    return read


def is_fenced_out(ledger: SqlLedger, chunk: Chunk) -> None:
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
