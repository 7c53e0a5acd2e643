"""Measure the ledger: claims a second, and what it costs a page.

    python scripts/bench_ledger.py                                   # SQLite in a new folder
    python scripts/bench_ledger.py postgresql://shizi@host/ledger    # an empty database

Chunks of one item are the worst case, chunks of sixteen what a batch uses. A page costs what it
takes to add it, begin it and finish it, and its share of the claim of its chunk.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from shizi.jobs.opening import open_ledger
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import Order, Outcome, Source


def measure(ledger: SqlLedger, items: int, chunk_items: int) -> dict[str, float]:
    started = time.perf_counter()
    order = Order(chunk_items=chunk_items, open=True)
    job = ledger.submit(order).job
    for first in range(0, items, 500):
        ledger.add(job.id, [Source(f"/scans/{k:08d}.png") for k in range(first, first + 500)])
    added = time.perf_counter()
    claims = 0
    claim_s = 0.0
    while True:
        before = time.perf_counter()
        chunk = ledger.claim("bench", job_id=job.id)
        claim_s += time.perf_counter() - before
        if chunk is None:
            break
        claims += 1
        # One by one, as pages come out of a worker.
        for item in chunk.items:
            ledger.begin(chunk.lease, [item.number])
            ledger.finish(chunk.lease, [Outcome(item.number, pages=1)])
    ended = time.perf_counter()
    job = ledger.seal(job.id)
    if job.succeeded != items:
        raise SystemExit(f"{job.succeeded} of {items} items")
    return {
        "items": items,
        "chunk_items": chunk_items,
        "claims_per_s": round(claims / claim_s),
        "claim_begin_finish_per_s": round(claims / (ended - added)) if chunk_items == 1 else 0,
        "ms_per_page": round(1000 * (ended - started) / items, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", help="default: a new SQLite file")
    parser.add_argument("--items", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(args.address or Path(folder) / "ledger.db")
        for chunk_items in (1, 16):
            print(json.dumps(measure(ledger, args.items, chunk_items)), flush=True)
        ledger.close()


if __name__ == "__main__":
    main()
