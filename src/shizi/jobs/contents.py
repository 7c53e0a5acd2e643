"""What jobs hold, read from the ledger's tables: items, pages, dead letters, sums."""

from __future__ import annotations

from shizi.jobs.store import Row, Rows
from shizi.jobs.values import DeadLetter, Item, JobState, PageRecord, Source, Stats

_SOURCE = "ref, name, digest, size, pages"
ITEM_COLUMNS = f"job_id, number, {_SOURCE}, state, attempts, result, code, detail"


def to_item(row: Row) -> Item:
    """Make an item of its columns."""
    return Item(row[0], row[1], Source(*row[2:7]), JobState(row[7]), *row[8:])


def items(rows: Rows, job_id: str, after: int, limit: int, state: JobState | None) -> list[Item]:
    """See `Ledger.items`."""
    # Written out where it can be: then the database finds the failed ones by their index.
    wanted = "" if state is None else f" AND state = '{state.value}'"
    found = rows.all(
        f"SELECT {ITEM_COLUMNS} FROM items WHERE job_id = :id AND number > :after{wanted} "
        "ORDER BY number LIMIT :limit",
        {"id": job_id, "after": after, "limit": limit},
    )
    return [to_item(row) for row in found]


def pages(rows: Rows, job_id: str, after: tuple[int, int], limit: int) -> list[PageRecord]:
    """See `Ledger.pages`."""
    found = rows.all(
        "SELECT item, page, body FROM pages WHERE job_id = :id AND (item, page) > (:item, :page) "
        "ORDER BY item, page LIMIT :limit",
        {"id": job_id, "item": after[0], "page": after[1], "limit": limit},
    )
    return [PageRecord(item, page, bytes(body)) for item, page, body in found]


def has_read(rows: Rows, job_id: str, source: Source) -> bool:
    """See `Ledger.has_read`."""
    found = rows.one(
        "SELECT 1 FROM items WHERE job_id = :id AND ref = :ref AND digest = :digest "
        "AND state = 'succeeded'",
        {"id": job_id, "ref": source.ref, "digest": source.digest},
    )
    return found is not None


def refs(rows: Rows, after: tuple[str, int], limit: int) -> list[tuple[str, int, str]]:
    """Give (job, item, ref) of every source, those after the one given."""
    found = rows.all(
        "SELECT job_id, number, ref FROM items WHERE (job_id, number) > (:id, :number) "
        "ORDER BY job_id, number LIMIT :limit",
        {"id": after[0], "number": after[1], "limit": limit},
    )
    return [(job_id, number, ref) for job_id, number, ref in found]


def dead_letters(rows: Rows, job_id: str | None, limit: int) -> list[DeadLetter]:
    """See `Ledger.dead_letters`."""
    wanted = "" if job_id is None else "WHERE d.job_id = :id "
    found = rows.all(
        "SELECT d.job_id, d.item, i.ref, i.name, i.digest, i.size, i.pages, d.attempts, d.code, "
        "d.detail, d.at FROM dead_letters d JOIN items i ON i.job_id = d.job_id "
        f"AND i.number = d.item {wanted}ORDER BY d.at DESC, d.job_id, d.item LIMIT :limit",
        {"id": job_id, "limit": limit},
    )
    return [DeadLetter(row[0], row[1], Source(*row[2:7]), *row[7:]) for row in found]


def stats(rows: Rows, now: float) -> Stats:
    """See `Ledger.stats`."""
    jobs = rows.all("SELECT state, COUNT(*) FROM jobs GROUP BY state")
    (waiting,) = rows.one("SELECT COUNT(*) FROM chunks WHERE state = 'queued'") or (0,)
    (running,) = rows.one("SELECT COUNT(*) FROM chunks WHERE state = 'running'") or (0,)
    (open_items,) = rows.one(
        "SELECT COALESCE(SUM(items - succeeded - failed), 0) FROM jobs "
        "WHERE state IN ('queued', 'running')"
    ) or (0,)
    (dead,) = rows.one("SELECT COUNT(*) FROM dead_letters") or (0,)
    (oldest,) = rows.one("SELECT MIN(queued_at) FROM chunks WHERE state = 'queued'") or (None,)
    return Stats(
        jobs={JobState(state): int(count) for state, count in jobs},
        chunks_queued=int(waiting),
        chunks_running=int(running),
        items_open=int(open_items),
        dead=int(dead),
        oldest_s=0.0 if oldest is None else max(0.0, now - oldest),
    )
