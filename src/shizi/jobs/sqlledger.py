"""The ledger on any of its databases."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from shizi.jobs import contents, leases, orders
from shizi.jobs.clock import SteadyClock
from shizi.jobs.store import Store
from shizi.jobs.values import (
    Chunk,
    ChunkRef,
    DeadLetter,
    Item,
    Job,
    JobState,
    Lease,
    Order,
    Outcome,
    PageRecord,
    Pulse,
    Source,
    Stats,
    Submitted,
)

_REFS = 1000


def draw_id() -> str:
    """Draw an id that cannot be guessed."""
    return uuid.uuid4().hex


class SqlLedger:
    """Keeps the ledger in a database; see `Ledger` for what the methods do.

    Args:
        store: the database.
        clock: seconds since 1970, for what people see and for expiry; no lease depends on it.
        draw: gives ids of jobs.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] | None = None,
        draw: Callable[[], str] = draw_id,
    ) -> None:
        self._store = store
        self._clock = clock or SteadyClock()
        self._draw = draw

    def submit(self, order: Order) -> Submitted:
        """See `Ledger.submit`."""
        job_id, now = self._draw(), self._clock()
        return self._store.do(lambda rows: orders.submit(rows, order, job_id, now))

    def add(self, job_id: str, sources: Sequence[Source]) -> int:
        """See `Ledger.add`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.add(rows, job_id, sources, now))

    def seal(self, job_id: str) -> Job:
        """See `Ledger.seal`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.seal(rows, job_id, now))

    def job(self, job_id: str) -> Job:
        """See `Ledger.job`."""
        return self._store.do(lambda rows: orders.find(rows, job_id), write=False)

    def jobs(
        self,
        owner: str | None = None,
        *,
        state: JobState | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """See `Ledger.jobs`."""
        return self._store.do(
            lambda rows: orders.listed(rows, owner, state, before, limit), write=False
        )

    def items(
        self, job_id: str, *, after: int = -1, limit: int = 1000, state: JobState | None = None
    ) -> list[Item]:
        """See `Ledger.items`."""
        return self._store.do(
            lambda rows: contents.items(rows, job_id, after, limit, state), write=False
        )

    def pages(
        self, job_id: str, *, after: tuple[int, int] = (-1, 0), limit: int = 100
    ) -> list[PageRecord]:
        """See `Ledger.pages`."""
        return self._store.do(lambda rows: contents.pages(rows, job_id, after, limit), write=False)

    def has_read(self, job_id: str, source: Source) -> bool:
        """See `Ledger.has_read`."""
        return self._store.do(lambda rows: contents.has_read(rows, job_id, source), write=False)

    def cancel(self, job_id: str) -> Job:
        """See `Ledger.cancel`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.end(rows, job_id, JobState.CANCELED, now))

    def expire(self) -> list[str]:
        """See `Ledger.expire`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.expire(rows, now))

    def purge(self, job_id: str) -> list[str]:
        """See `Ledger.purge`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.purge(rows, job_id, now))

    def outdated(self, limit: int = 100) -> list[str]:
        """See `Ledger.outdated`."""
        now = self._clock()
        return self._store.do(lambda rows: orders.outdated(rows, now, limit), write=False)

    def refs(self) -> Iterator[str]:
        """See `Ledger.refs`."""
        after = ("", -1)
        while True:
            found = self._store.do(partial(contents.refs, after=after, limit=_REFS), write=False)
            if not found:
                return
            yield from (ref for _, _, ref in found)
            after = found[-1][:2]

    def claim(
        self, holder: str, only: ChunkRef | None = None, job_id: str | None = None
    ) -> Chunk | None:
        """See `Ledger.claim`."""
        now = self._clock()
        return self._store.do(lambda rows: leases.claim(rows, holder, only, job_id, now))

    def begin(self, lease: Lease, items: Sequence[int]) -> None:
        """See `Ledger.begin`."""
        self._store.do(lambda rows: leases.begin(rows, lease, items))

    def record(self, lease: Lease, pages: Sequence[PageRecord]) -> int:
        """See `Ledger.record`."""
        return self._store.do(lambda rows: leases.record(rows, lease, pages))

    def finish(self, lease: Lease, outcomes: Sequence[Outcome]) -> None:
        """See `Ledger.finish`."""
        now = self._clock()
        self._store.do(lambda rows: leases.finish(rows, lease, outcomes, now))

    def beat(self, lease: Lease) -> None:
        """See `Ledger.beat`."""
        self._store.do(lambda rows: leases.beat(rows, lease))

    def release(self, lease: Lease, *, blame: bool = False) -> None:
        """See `Ledger.release`."""
        now = self._clock()
        self._store.do(lambda rows: leases.release(rows, lease, blame=blame, now=now))

    def pulses(self, job_id: str | None = None) -> list[Pulse]:
        """See `Ledger.pulses`."""
        return self._store.do(lambda rows: leases.pulses(rows, job_id), write=False)

    def revoke(self, pulse: Pulse) -> bool:
        """See `Ledger.revoke`."""
        now = self._clock()
        return self._store.do(lambda rows: leases.revoke(rows, pulse, now))

    def queued(self, limit: int = 100, older_than_s: float = 0.0) -> list[ChunkRef]:
        """See `Ledger.queued`."""
        before = self._clock() - older_than_s
        return self._store.do(lambda rows: leases.queued(rows, limit, before), write=False)

    def dead_letters(self, job_id: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """See `Ledger.dead_letters`."""
        return self._store.do(lambda rows: contents.dead_letters(rows, job_id, limit), write=False)

    def stats(self) -> Stats:
        """See `Ledger.stats`."""
        now = self._clock()
        return self._store.do(lambda rows: contents.stats(rows, now), write=False)

    def close(self) -> None:
        """See `Ledger.close`."""
        self._store.close()
