"""Who is told when a job has ended: kept beside the ledger, so that a restart forgets nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from shizi.jobs.store import Rows, Store

_TABLE = """CREATE TABLE IF NOT EXISTS hooks (
    job_id TEXT PRIMARY KEY, url TEXT NOT NULL, tries INTEGER NOT NULL,
    next_at DOUBLE PRECISION NOT NULL)"""
# While one process tells, no other does; it is also the first pause after a failure.
_PAUSE_S = 20.0
_LONGEST_PAUSE_S = 3600.0
MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Hook:
    """Somebody to be told.

    Attributes:
        job_id: of what.
        url: where.
        tries: how often it was tried.
    """

    job_id: str
    url: str
    tries: int


class HookBook:
    """The list of those to be told.

    Args:
        store: of the ledger.
        clock: seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        store.do(lambda rows: rows.run(_TABLE))

    def add(self, job_id: str, url: str) -> None:
        """Note that somebody wants to be told; the same job is noted once."""
        values = {"job_id": job_id, "url": url}
        self._store.do(
            lambda rows: rows.run(
                "INSERT INTO hooks VALUES (:job_id, :url, 0, 0) ON CONFLICT (job_id) DO NOTHING",
                values,
            )
        )

    def due(self, limit: int = 100) -> list[Hook]:
        """List those whose job has ended, or is forgotten, and whose next try may be made."""
        values = {"now": self._clock(), "limit": limit}
        found = self._store.do(
            lambda rows: rows.all(
                "SELECT h.job_id, h.url, h.tries FROM hooks h LEFT JOIN jobs j ON j.id = h.job_id "
                "WHERE h.next_at <= :now AND (j.id IS NULL OR j.finished_at IS NOT NULL) "
                "ORDER BY h.next_at LIMIT :limit",
                values,
            ),
            write=False,
        )
        return [Hook(*row) for row in found]

    def take(self, hook: Hook) -> bool:
        """Take the next try of a hook; False where somebody else was faster."""
        pause_s = min(_LONGEST_PAUSE_S, _PAUSE_S * 2**hook.tries)
        values = {
            "job_id": hook.job_id,
            "tries": hook.tries,
            "next_at": self._clock() + pause_s,
        }

        def count(rows: Rows) -> int:
            return rows.run(
                "UPDATE hooks SET tries = tries + 1, next_at = :next_at "
                "WHERE job_id = :job_id AND tries = :tries",
                values,
            )

        return self._store.do(count) == 1

    def drop(self, job_id: str) -> None:
        """Tell nobody about a job any more."""
        self._store.do(
            lambda rows: rows.run("DELETE FROM hooks WHERE job_id = :job_id", {"job_id": job_id})
        )
