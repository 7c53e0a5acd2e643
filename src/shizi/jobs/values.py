"""The values of long work: what is ordered, how it stands, and who works on what."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class JobState(StrEnum):
    """How a job, a chunk or an item stands; one that has ended never changes again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        """Whether it stays so for ever."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Source:
    """Something to be read, as whoever orders it names it.

    Attributes:
        ref: where its bytes lie; the ledger does not look inside. One job takes a ref once.
        name: as its owner calls it.
        digest: of its bytes, where it is known; a dead letter carries it.
        size: of its bytes, where it is known.
        pages: it is expected to have; corrected when it has been read.
    """

    ref: str
    name: str = ""
    digest: str = ""
    size: int = 0
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be done.

    Attributes:
        sources: to be read, in this order.
        owner: whose it is; keys of different owners do not meet.
        key: of the submission, so that one sent twice is one job; None for none.
        fingerprint: of what is ordered; a key that comes again with another one is refused.
        spec: how it is to be read, in words of whoever orders and whoever reads.
        chunk_items: sources that are worked on under one lease.
        max_attempts: times an item may be begun before it is a dead letter.
        priority: the higher goes first; within one, jobs take turns.
        keep_s: seconds until it expires; None for never.
        open: whether sources are added later; then `seal` says that all are there.
    """

    sources: tuple[Source, ...] = ()
    owner: str = ""
    key: str | None = None
    fingerprint: str = ""
    spec: str = field(default="", repr=False)
    chunk_items: int = 16
    max_attempts: int = 3
    priority: int = 0
    keep_s: float | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """How a job stands.

    Attributes:
        id: cannot be guessed.
        owner: whose it is.
        spec: how it is to be read.
        state: of the whole; succeeded as soon as one item was read, or there was none.
        sealed: whether all its sources are known.
        items: it has.
        succeeded: items that were read.
        failed: items that could not be read.
        pages: known of; more where a document turns out longer.
        pages_done: read.
        created_at: seconds since 1970.
        started_at: when its first chunk was taken; None before.
        finished_at: when it ended; None before.
        expires_at: when it expires; None for never.
        version: grows with every change, for those who watch.
    """

    id: str
    owner: str
    spec: str = field(repr=False)
    state: JobState
    sealed: bool
    items: int
    succeeded: int
    failed: int
    pages: int
    pages_done: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    expires_at: float | None
    version: int

    @property
    def done(self) -> int:
        """Items that were read or failed."""
        return self.succeeded + self.failed


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submission led to.

    Attributes:
        job: the new one, or the one the same key gave before.
        created: whether it is new.
    """

    job: Job
    created: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One source of a job and what became of it.

    Attributes:
        job_id: whose.
        number: its place in the job, from 0.
        source: what is read.
        state: how it stands.
        attempts: times it was begun.
        result: reference of what was read; empty before, and where results are pages.
        code: why it failed; empty where it did not.
        detail: one sentence about that.
    """

    job_id: str
    number: int
    source: Source
    state: JobState
    attempts: int
    result: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ChunkRef:
    """Names a chunk: all that a message needs to carry.

    Attributes:
        job_id: whose.
        chunk: its number in the job.
    """

    job_id: str
    chunk: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write the results of a chunk, until somebody else gets it.

    Attributes:
        job_id: whose chunk.
        chunk: its number in the job.
        fence: grows whenever the chunk is taken or taken away; an older one writes nothing.
        holder: who took it.
    """

    job_id: str
    chunk: int
    fence: int
    holder: str

    @property
    def ref(self) -> ChunkRef:
        """The chunk it is of."""
        return ChunkRef(self.job_id, self.chunk)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A lease and how often its holder gave a sign of life.

    Attributes:
        lease: that is held.
        beats: signs of life so far.
    """

    lease: Lease
    beats: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Work that was taken.

    Attributes:
        lease: the right to it.
        spec: of its job.
        items: still to be read, in order.
    """

    lease: Lease
    spec: str = field(repr=False)
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What was read on a page, kept by the ledger itself.

    Attributes:
        item: number of the item.
        page: 1-based page of it.
        body: what was read, in the form of whoever reads and whoever asks.
    """

    item: int
    page: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        item: its number.
        code: why it failed; empty where it did not.
        detail: one sentence about that; never recognized text.
        result: reference of what was read.
        pages: it has; 0 where that is not known.
        again: whether a failure may pass: it is tried again until its attempts are used up.
        digest: of its bytes, where whoever read it knows it.
    """

    item: int
    code: str = ""
    detail: str = ""
    result: str = ""
    pages: int = 0
    again: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An item that used up its attempts.

    Attributes:
        job_id: whose.
        item: its number.
        source: what it is; its digest tells the same bytes elsewhere.
        attempts: times it was begun.
        code: of its last failure.
        detail: of its last failure.
        at: when, in seconds since 1970.
    """

    job_id: str
    item: int
    source: Source
    attempts: int
    code: str
    detail: str
    at: float


@dataclass(frozen=True, slots=True)
class Stats:
    """How much there is to do, for whoever adds or removes workers.

    Attributes:
        jobs: by state.
        chunks_queued: that wait.
        chunks_running: that are worked on.
        items_open: not yet read.
        dead: dead letters.
        oldest_s: seconds the chunk that waits longest has waited; 0 where none does.
    """

    jobs: dict[JobState, int]
    chunks_queued: int
    chunks_running: int
    items_open: int
    dead: int
    oldest_s: float
