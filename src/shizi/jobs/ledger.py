"""The ledger: the truth about long work, whoever carries the messages.

A job is cut into chunks, a chunk is worked on under a lease. No clock decides who holds one: a
lease is lost when somebody who watched it (`shizi.jobs.reaper`) saw no sign of life for long enough
on a clock of its own. From then on its fence is old and it writes nothing. So a lost message, a
process that dies or a clock that jumps costs time, never a page; and what comes twice counts once.
Every call may be repeated when its answer was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

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


class Ledger(Protocol):
    """Keeps jobs, chunks, leases, results and dead letters.

    Every method raises `LedgerFailed` where the store cannot be reached or written.
    """

    def submit(self, order: Order) -> Submitted:
        """Take a job.

        Returns:
            The job; where the owner's key was used before, the job it gave then.

        Raises:
            KeyReused: the key came before with another fingerprint.
        """
        ...

    def add(self, job_id: str, sources: Sequence[Source]) -> int:
        """Add sources to a job that is open; those it has already are left out.

        Returns:
            How many were new.

        Raises:
            JobNotFound: there is no such job.
            Canceled: it takes no more sources.
        """
        ...

    def seal(self, job_id: str) -> Job:
        """Say that all sources of a job are there; a job without work to do ends.

        Raises:
            JobNotFound: there is no such job.
        """
        ...

    def job(self, job_id: str) -> Job:
        """Tell how a job stands.

        Raises:
            JobNotFound: there is no such job.
        """
        ...

    def jobs(
        self,
        owner: str | None = None,
        *,
        state: JobState | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """List jobs, the newest first.

        Args:
            owner: whose; None for anybody's.
            state: only those that stand so.
            before: `created_at` and id of the last job of the previous call.
            limit: jobs at most.
        """
        ...

    def items(
        self, job_id: str, *, after: int = -1, limit: int = 1000, state: JobState | None = None
    ) -> list[Item]:
        """List items of a job by number, those after the one given."""
        ...

    def pages(
        self, job_id: str, *, after: tuple[int, int] = (-1, 0), limit: int = 100
    ) -> list[PageRecord]:
        """List pages that were recorded, by item and page, those after the one given."""
        ...

    def has_read(self, job_id: str, source: Source) -> bool:
        """Tell whether a job has read a source of this ref and digest."""
        ...

    def cancel(self, job_id: str) -> Job:
        """End a job that has not ended; whoever works on it finds its lease lost.

        Raises:
            JobNotFound: there is no such job.
        """
        ...

    def expire(self) -> list[str]:
        """End the jobs whose time is over; gives the ids of those that had not ended yet."""
        ...

    def purge(self, job_id: str) -> list[str]:
        """Forget a job, ending it first; gives the refs of its sources.

        Raises:
            JobNotFound: there is no such job.
        """
        ...

    def outdated(self, limit: int = 100) -> list[str]:
        """List ids of jobs past the time they are kept for, ended ones."""
        ...

    def refs(self) -> Iterator[str]:
        """Give the ref of every source of every job, to tell what else lies there."""
        ...

    def claim(
        self, holder: str, only: ChunkRef | None = None, job_id: str | None = None
    ) -> Chunk | None:
        """Take a chunk that waits.

        Args:
            holder: who takes it.
            only: take this one or none.
            job_id: take one of this job.

        Returns:
            The chunk; None where none waits.
        """
        ...

    def begin(self, lease: Lease, items: Sequence[int]) -> None:
        """Note that items are begun, before their bytes are opened: one that kills is blamed.

        Raises:
            LeaseLost: somebody else has the chunk, or its job ended.
        """
        ...

    def record(self, lease: Lease, pages: Sequence[PageRecord]) -> int:
        """Keep what was read of pages; a page that is there already stays as it is.

        Returns:
            How many were new.

        Raises:
            LeaseLost: somebody else has the chunk, or its job ended.
        """
        ...

    def finish(self, lease: Lease, outcomes: Sequence[Outcome]) -> None:
        """Write what became of items; the chunk ends with its last one.

        Raises:
            LeaseLost: somebody else has the chunk, or its job ended; nothing was written.
        """
        ...

    def beat(self, lease: Lease) -> None:
        """Give a sign of life.

        Raises:
            LeaseLost: somebody else has the chunk, or its job ended.
        """
        ...

    def release(self, lease: Lease, *, blame: bool = False) -> None:
        """Give a chunk back; what was not finished waits again.

        Args:
            lease: an older fence does nothing.
            blame: the holder died over it: items that were begun count it as an attempt and wait
                each in a chunk of its own, so that one that kills cannot take others with it.
        """
        ...

    def pulses(self, job_id: str | None = None) -> list[Pulse]:
        """List the leases that are held."""
        ...

    def revoke(self, pulse: Pulse) -> bool:
        """Take a chunk from a holder who gave no sign of life since; see `release`, with blame.

        Returns:
            Whether it was taken.
        """
        ...

    def queued(self, limit: int = 100, older_than_s: float = 0.0) -> list[ChunkRef]:
        """List chunks that wait, those whose turn is next first."""
        ...

    def dead_letters(self, job_id: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """List items that used up their attempts, the newest first."""
        ...

    def stats(self) -> Stats:
        """Tell how much there is to do."""
        ...

    def close(self) -> None:
        """Let the store go."""
        ...
