"""What the ledger asks of a database; SQLite and PostgreSQL give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Values = Mapping[str, object]
NOTHING: Values = {}


class Rows(Protocol):
    """Statements within one transaction; parameters are written `:name`.

    Attributes:
        lock: ends a SELECT whose rows nobody else may change before the transaction ends.
        lock_free: the same, for rows that nobody has locked; the others are stepped over.
    """

    lock: str
    lock_free: str

    def all(self, sql: str, values: Values = NOTHING) -> list[Row]:
        """Give all rows."""
        ...

    def one(self, sql: str, values: Values = NOTHING) -> Row | None:
        """Give the first row, None where there is none."""
        ...

    def run(self, sql: str, values: Values = NOTHING) -> int:
        """Change rows; gives how many."""
        ...

    def many(self, sql: str, values: Sequence[Values]) -> int:
        """Change rows once for each set of parameters; gives how many altogether."""
        ...


class Store(Protocol):
    """A database that work can be done in, all of it or none."""

    def do(self, work: Callable[[Rows], T], *, write: bool = True) -> T:
        """Do work in a transaction; what it raises undoes it.

        Args:
            work: may be called again, where the connection was lost before it was known to have
                been done; it must come to the same end then.
            write: whether it changes anything.

        Raises:
            LedgerFailed: the database cannot be reached, or not written.
        """
        ...

    def close(self) -> None:
        """Let the database go."""
        ...


#: The tables, in words both databases understand. `turn` is the virtual time of fair queuing: the
#: k-th chunk of a job stands k behind what was served when the job came, so that jobs alternate.
SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, key TEXT, fingerprint TEXT NOT NULL,
        spec TEXT NOT NULL, state TEXT NOT NULL, sealed INTEGER NOT NULL,
        items INTEGER NOT NULL, succeeded INTEGER NOT NULL, failed INTEGER NOT NULL,
        pages BIGINT NOT NULL, pages_done BIGINT NOT NULL,
        created_at DOUBLE PRECISION NOT NULL, started_at DOUBLE PRECISION,
        finished_at DOUBLE PRECISION, expires_at DOUBLE PRECISION, version BIGINT NOT NULL,
        chunks INTEGER NOT NULL, chunk_items INTEGER NOT NULL, max_attempts INTEGER NOT NULL,
        priority INTEGER NOT NULL, turn BIGINT NOT NULL, UNIQUE (owner, key))""",
    "CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_at, id)",
    """CREATE TABLE IF NOT EXISTS chunks (
        job_id TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, open INTEGER NOT NULL,
        fence BIGINT NOT NULL, holder TEXT NOT NULL, beats BIGINT NOT NULL,
        priority INTEGER NOT NULL, turn BIGINT NOT NULL, queued_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (job_id, number))""",
    """CREATE INDEX IF NOT EXISTS chunks_queued ON chunks (priority DESC, turn, job_id, number)
        WHERE state = 'queued'""",
    """CREATE INDEX IF NOT EXISTS chunks_queued_of_job ON chunks (job_id, turn, number)
        WHERE state = 'queued'""",
    "CREATE INDEX IF NOT EXISTS chunks_running ON chunks (job_id) WHERE state = 'running'",
    """CREATE TABLE IF NOT EXISTS items (
        job_id TEXT NOT NULL, number INTEGER NOT NULL, chunk INTEGER NOT NULL, ref TEXT NOT NULL,
        name TEXT NOT NULL, digest TEXT NOT NULL, size BIGINT NOT NULL, pages INTEGER NOT NULL,
        state TEXT NOT NULL, attempts INTEGER NOT NULL, result TEXT NOT NULL, code TEXT NOT NULL,
        detail TEXT NOT NULL, PRIMARY KEY (job_id, number), UNIQUE (job_id, ref))""",
    "CREATE INDEX IF NOT EXISTS items_in_chunk ON items (job_id, chunk, number)",
    """CREATE INDEX IF NOT EXISTS items_failed ON items (job_id, number)
        WHERE state = 'failed'""",
    """CREATE TABLE IF NOT EXISTS pages (
        job_id TEXT NOT NULL, item INTEGER NOT NULL, page INTEGER NOT NULL, body {bytes} NOT NULL,
        PRIMARY KEY (job_id, item, page))""",
    """CREATE TABLE IF NOT EXISTS dead_letters (
        job_id TEXT NOT NULL, item INTEGER NOT NULL, attempts INTEGER NOT NULL, code TEXT NOT NULL,
        detail TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (job_id, item))""",
    "CREATE TABLE IF NOT EXISTS ledger_version (number INTEGER NOT NULL)",
)
#: Of the tables above; a ledger of another one is refused.
VERSION = 1
