"""Chunks in the ledger's tables: taken, worked on, given back, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from shizi.core.errors import LeaseLost, Quarantined
from shizi.jobs import orders
from shizi.jobs.contents import ITEM_COLUMNS, to_item
from shizi.jobs.store import Rows
from shizi.jobs.values import Chunk, ChunkRef, Lease, Outcome, PageRecord, Pulse

_KILLED = "the process that read it ended, each time it was tried"


def claim(
    rows: Rows, holder: str, only: ChunkRef | None, job_id: str | None, now: float
) -> Chunk | None:
    """See `Ledger.claim`."""
    wanted, turn = "state = 'queued'", "priority DESC, turn, job_id, number"
    values: dict[str, object] = {"holder": holder, "now": now}
    if only is not None:
        wanted += " AND job_id = :job_id AND number = :number"
        values |= {"job_id": only.job_id, "number": only.chunk}
    elif job_id is not None:
        # Within a job by its own index: it has one priority.
        wanted, turn = wanted + " AND job_id = :job_id", "job_id, turn, number"
        values["job_id"] = job_id
    found = rows.one(
        f"SELECT job_id, number FROM chunks WHERE {wanted} ORDER BY {turn} LIMIT 1{rows.lock_free}",
        values,
    )
    if found is None:
        return None
    values |= {"job_id": found[0], "number": found[1]}
    taken = rows.one(
        "UPDATE chunks SET state = 'running', fence = fence + 1, holder = :holder, beats = 0 "
        "WHERE job_id = :job_id AND number = :number AND state = 'queued' RETURNING fence",
        values,
    )
    if taken is None:
        return None
    rows.run(
        "UPDATE jobs SET state = 'running', started_at = COALESCE(started_at, :now), "
        "version = version + 1 WHERE id = :job_id AND state = 'queued'",
        values,
    )
    spec = rows.one("SELECT spec FROM jobs WHERE id = :job_id", values)
    items = rows.all(
        f"SELECT {ITEM_COLUMNS} FROM items WHERE job_id = :job_id AND chunk = :number "
        "AND state = 'queued' ORDER BY number",
        values,
    )
    lease = Lease(found[0], found[1], taken[0], holder)
    return Chunk(lease, spec[0] if spec else "", tuple(map(to_item, items)))


def begin(rows: Rows, lease: Lease, items: Sequence[int]) -> None:
    """See `Ledger.begin`."""
    _check(rows, lease)
    rows.many(
        "UPDATE items SET state = 'running', attempts = attempts + 1 WHERE job_id = :job_id "
        "AND number = :number AND chunk = :chunk AND state = 'queued'",
        [_names(lease) | {"number": number} for number in items],
    )


def beat(rows: Rows, lease: Lease) -> None:
    """See `Ledger.beat`."""
    alive = rows.run(
        "UPDATE chunks SET beats = beats + 1 WHERE job_id = :job_id AND number = :chunk "
        "AND fence = :fence AND state = 'running'",
        _names(lease),
    )
    if not alive:
        raise _lost(lease)


def record(rows: Rows, lease: Lease, pages: Sequence[PageRecord]) -> int:
    """See `Ledger.record`."""
    _check(rows, lease)
    new = 0
    for page in pages:
        values = {"item": page.item, "page": page.page, "body": page.body}
        new += rows.run(
            "INSERT INTO pages SELECT job_id, number, :page, :body FROM items "
            "WHERE job_id = :job_id AND number = :item AND chunk = :chunk "
            "ON CONFLICT (job_id, item, page) DO NOTHING",
            _names(lease) | values,
        )
    grown = sum(_grow(rows, lease, item, pages) for item in {page.item for page in pages})
    rows.run(
        "UPDATE jobs SET pages_done = pages_done + :new, pages = pages + :grown, "
        "version = version + 1 WHERE id = :job_id",
        _names(lease) | {"new": new, "grown": grown},
    )
    return new


def _grow(rows: Rows, lease: Lease, item: int, pages: Sequence[PageRecord]) -> int:
    """Note that an item has more pages than was expected; gives how many more."""
    values = _names(lease) | {"item": item}
    found = rows.one(
        "SELECT pages FROM items WHERE job_id = :job_id AND number = :item AND chunk = :chunk",
        values,
    )
    most = max(page.page for page in pages if page.item == item)
    if found is None or most <= found[0]:
        return 0
    rows.run(
        "UPDATE items SET pages = :most WHERE job_id = :job_id AND number = :item",
        values | {"most": most},
    )
    return int(most - found[0])


def finish(rows: Rows, lease: Lease, outcomes: Sequence[Outcome], now: float) -> None:
    """See `Ledger.finish`."""
    if _has_ended(rows, lease):
        return
    _check(rows, lease)
    most = _most_attempts(rows, lease)
    again: list[int] = []
    ended = _Ended()
    for outcome in outcomes:
        found = rows.one(
            "SELECT attempts, pages FROM items WHERE job_id = :job_id AND number = :item "
            "AND chunk = :chunk AND state IN ('queued', 'running')",
            _names(lease) | {"item": outcome.item},
        )
        if found is None:
            continue
        attempts, expected = found
        if outcome.again and attempts < most:
            again.append(outcome.item)
        else:
            ended = ended.plus(_end(rows, lease, outcome, int(expected), now))
    _set_apart(rows, lease, again, now)
    _close(rows, lease, ended.items)
    _count(rows, lease, ended, now)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What ended items add to the sums of their job.

    Attributes:
        succeeded: items that were read.
        failed: items that could not be.
        pages: that they have beyond what was expected of them.
        pages_done: of them that were not recorded, and so not counted yet.
    """

    succeeded: int = 0
    failed: int = 0
    pages: int = 0
    pages_done: int = 0

    @property
    def items(self) -> int:
        """All of them."""
        return self.succeeded + self.failed

    def plus(self, other: _Ended) -> _Ended:
        """Add up."""
        return _Ended(
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.pages + other.pages,
            self.pages_done + other.pages_done,
        )


def _end(rows: Rows, lease: Lease, outcome: Outcome, expected: int, now: float) -> _Ended:
    """End an item of which so many pages were expected; one that was to be tried again is dead."""
    _end_item(rows, lease, outcome)
    if outcome.again:
        _bury(rows, lease, outcome, now)
    pages = outcome.pages or expected
    if outcome.code:
        return _Ended(failed=1, pages=pages - expected)
    (recorded,) = rows.one(
        "SELECT COUNT(*) FROM pages WHERE job_id = :job_id AND item = :item",
        _names(lease) | {"item": outcome.item},
    ) or (0,)
    done = max(0, pages - int(recorded))
    return _Ended(succeeded=1, pages=pages - expected, pages_done=done)


def release(rows: Rows, lease: Lease, *, blame: bool, now: float) -> None:
    """See `Ledger.release`."""
    try:
        _check(rows, lease)
    except LeaseLost:
        return
    begun = rows.all(
        "SELECT number, attempts FROM items WHERE job_id = :job_id AND chunk = :chunk "
        "AND state = 'running' ORDER BY number",
        _names(lease),
    )
    if blame:
        most = _most_attempts(rows, lease)
        dead = [number for number, attempts in begun if attempts >= most]
        finish_dead(rows, lease, dead, now)
        _set_apart(rows, lease, [number for number, attempts in begun if attempts < most], now)
    else:
        rows.run(
            "UPDATE items SET state = 'queued', attempts = attempts - 1 WHERE job_id = :job_id "
            "AND chunk = :chunk AND state = 'running'",
            _names(lease),
        )
    rows.run(
        "UPDATE chunks SET state = 'queued', fence = fence + 1, holder = '', queued_at = :now "
        "WHERE job_id = :job_id AND number = :chunk AND state = 'running'",
        _names(lease) | {"now": now},
    )
    # Where nothing is left, it has ended.
    _close(rows, lease, 0)


def finish_dead(rows: Rows, lease: Lease, items: Sequence[int], now: float) -> None:
    """End items over which their holders died once too often."""
    for number in items:
        outcome = Outcome(number, Quarantined.code, _KILLED)
        _end_item(rows, lease, outcome)
        _bury(rows, lease, outcome, now)
    if items:
        _close(rows, lease, len(items))
        _count(rows, lease, _Ended(failed=len(items)), now)


def pulses(rows: Rows, job_id: str | None) -> list[Pulse]:
    """See `Ledger.pulses`."""
    wanted = "" if job_id is None else " AND job_id = :job_id"
    found = rows.all(
        "SELECT job_id, number, fence, holder, beats FROM chunks WHERE state = 'running'"
        f"{wanted} ORDER BY job_id, number",
        {"job_id": job_id},
    )
    return [Pulse(Lease(*row[:4]), row[4]) for row in found]


def revoke(rows: Rows, pulse: Pulse, now: float) -> bool:
    """See `Ledger.revoke`."""
    found = rows.one(
        "SELECT beats FROM chunks WHERE job_id = :job_id AND number = :chunk AND fence = :fence "
        f"AND state = 'running'{rows.lock}",
        _names(pulse.lease),
    )
    if found is None or found[0] != pulse.beats:
        return False
    release(rows, pulse.lease, blame=True, now=now)
    return True


def queued(rows: Rows, limit: int, before: float) -> list[ChunkRef]:
    """See `Ledger.queued`; those that wait since before the time given."""
    found = rows.all(
        "SELECT job_id, number FROM chunks WHERE state = 'queued' AND queued_at <= :before "
        "ORDER BY priority DESC, turn, job_id, number LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [ChunkRef(*row) for row in found]


def _check(rows: Rows, lease: Lease) -> None:
    """Hold on to the chunk for the transaction, if the lease still has it."""
    found = rows.one(
        "SELECT 1 FROM chunks WHERE job_id = :job_id AND number = :chunk AND fence = :fence "
        f"AND state = 'running'{rows.lock}",
        _names(lease),
    )
    if found is None:
        raise _lost(lease)


def _has_ended(rows: Rows, lease: Lease) -> bool:
    """Tell whether the chunk ended under this very lease: its last words come again."""
    return bool(
        rows.all(
            "SELECT 1 FROM chunks WHERE job_id = :job_id AND number = :chunk AND fence = :fence "
            "AND state = 'succeeded'",
            _names(lease),
        )
    )


def _most_attempts(rows: Rows, lease: Lease) -> int:
    found = rows.one("SELECT max_attempts FROM jobs WHERE id = :job_id", _names(lease))
    return int(found[0]) if found else 1


def _end_item(rows: Rows, lease: Lease, outcome: Outcome) -> None:
    rows.run(
        "UPDATE items SET state = :state, code = :code, detail = :detail, result = :result, "
        "pages = CASE WHEN :pages > 0 THEN :pages ELSE pages END, "
        "digest = CASE WHEN :digest = '' THEN digest ELSE :digest END "
        "WHERE job_id = :job_id AND number = :item",
        _names(lease)
        | {
            "item": outcome.item,
            "state": "failed" if outcome.code else "succeeded",
            "code": outcome.code,
            "detail": outcome.detail,
            "result": outcome.result,
            "pages": outcome.pages,
            "digest": outcome.digest,
        },
    )


def _bury(rows: Rows, lease: Lease, outcome: Outcome, now: float) -> None:
    rows.run(
        "INSERT INTO dead_letters SELECT job_id, number, attempts, :code, :detail, :now FROM items "
        "WHERE job_id = :job_id AND number = :item",
        _names(lease)
        | {"item": outcome.item, "code": outcome.code, "detail": outcome.detail, "now": now},
    )


def _set_apart(rows: Rows, lease: Lease, items: Sequence[int], now: float) -> None:
    """Let each item wait in a chunk of its own, next in turn."""
    if not items:
        return
    found = rows.one(
        "UPDATE jobs SET chunks = chunks + :new WHERE id = :job_id RETURNING chunks",
        _names(lease) | {"new": len(items)},
    )
    first = int(found[0]) - len(items) if found else 0
    values = [
        _names(lease) | {"number": number, "own": first + k, "now": now}
        for k, number in enumerate(items)
    ]
    rows.many(
        "INSERT INTO chunks SELECT job_id, :own, 'queued', 1, 0, '', 0, priority, turn, :now "
        "FROM chunks WHERE job_id = :job_id AND number = :chunk",
        values,
    )
    rows.many(
        "UPDATE items SET chunk = :own, state = 'queued' WHERE job_id = :job_id "
        "AND number = :number",
        values,
    )
    _close(rows, lease, len(items))


def _close(rows: Rows, lease: Lease, items: int) -> None:
    """Take ended items off a chunk; without any left, it has ended."""
    rows.run(
        "UPDATE chunks SET open = open - :items, state = CASE WHEN open = :items THEN 'succeeded' "
        "ELSE state END WHERE job_id = :job_id AND number = :chunk",
        _names(lease) | {"items": items},
    )


def _count(rows: Rows, lease: Lease, ended: _Ended, now: float) -> None:
    """Count ended items on their job, which may end with them."""
    rows.run(
        "UPDATE jobs SET succeeded = succeeded + :succeeded, failed = failed + :failed, "
        "pages = pages + :pages, pages_done = pages_done + :pages_done, version = version + 1 "
        "WHERE id = :job_id",
        {"job_id": lease.job_id, **asdict(ended)},
    )
    orders.settle(rows, lease.job_id, now)


def _names(lease: Lease) -> dict[str, object]:
    return {"job_id": lease.job_id, "chunk": lease.chunk, "fence": lease.fence}


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"chunk {lease.chunk} of job {lease.job_id} is somebody else's now")
