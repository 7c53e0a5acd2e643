"""The ledger's database for several machines: PostgreSQL, through psycopg."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from shizi.core.errors import LedgerFailed, MissingExtra
from shizi.jobs.store import NOTHING, SCHEMA, VERSION, Row, T, Values

try:
    import psycopg
    from psycopg import errors as _pg
except ImportError as error:
    raise MissingExtra("postgres") from error

_PARAMETER = re.compile(r"(?<!:):(\w+)")
#: Any number of programs may start at once; one of them makes the tables.
_SCHEMA_LOCK = 5_294_001
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_CONNECT_S = 5
# A host that is cut off says nothing: without these a call would wait for it for hours.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
#: A statement was not done because of others that ran; done again it may go through.
_CROSSED = (_pg.DeadlockDetected, _pg.SerializationFailure, _pg.UniqueViolation)


class _PostgresRows:
    """See `Rows`."""

    lock = " FOR UPDATE"
    lock_free = " FOR UPDATE SKIP LOCKED"

    def __init__(self, cursor: psycopg.Cursor[Row]) -> None:
        self._cursor = cursor

    def all(self, sql: str, values: Values = NOTHING) -> list[Row]:
        return self._cursor.execute(_translated(sql), values).fetchall()

    def one(self, sql: str, values: Values = NOTHING) -> Row | None:
        return self._cursor.execute(_translated(sql), values).fetchone()

    def run(self, sql: str, values: Values = NOTHING) -> int:
        return self._cursor.execute(_translated(sql), values).rowcount

    def many(self, sql: str, values: Sequence[Values]) -> int:
        if not values:
            return 0
        self._cursor.executemany(_translated(sql), values)
        return self._cursor.rowcount


class PostgresStore:
    """A database reached over the network; a lost connection is made anew.

    Args:
        url: such as `postgresql://user@host:5432/shizi`.
        patience_s: seconds a call tries before it gives up.

    Raises:
        LedgerFailed: it cannot be reached, or another version made its tables.
    """

    def __init__(self, url: str, patience_s: float = 30.0) -> None:
        self._url = url
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Row] | None = None
        self._closed = False
        try:
            self.do(self._prepare)
        except BaseException:
            self.close()
            raise

    def do(self, work: Callable[[_PostgresRows], T], *, write: bool = True) -> T:
        """See `Store.do`."""
        del write
        ends_s = time.monotonic() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                with self._lock:
                    return self._once(work)
            except (psycopg.OperationalError, psycopg.InterfaceError, *_CROSSED) as error:
                if time.monotonic() + pause_s > ends_s:
                    raise LedgerFailed(f"the ledger's database: {_told(error)}") from error
            except psycopg.Error as error:
                raise LedgerFailed(f"the ledger's database: {_told(error)}") from error
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._closed = True
            self._drop()

    def _once(self, work: Callable[[_PostgresRows], T]) -> T:
        if self._closed:
            # A thread that is late, such as a heart, would open it again for nobody.
            raise LedgerFailed("the ledger is closed")
        if self._connection is None:
            self._connection = psycopg.connect(
                self._url, connect_timeout=_CONNECT_S, **_KEEPALIVE, application_name="shizi"
            )
        connection = self._connection
        try:
            with connection.transaction(), connection.cursor() as cursor:
                return work(_PostgresRows(cursor))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if connection.broken or connection.closed:
                self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _prepare(self, rows: _PostgresRows) -> None:
        rows.all("SELECT pg_advisory_xact_lock(:number)", {"number": _SCHEMA_LOCK})
        for statement in SCHEMA:
            rows.run(statement.replace("{bytes}", "BYTEA"))
        found = rows.one("SELECT number FROM ledger_version")
        if found is None:
            rows.run("INSERT INTO ledger_version VALUES (:number)", {"number": VERSION})
        elif found[0] != VERSION:
            raise LedgerFailed("the ledger's database was made by another version of Shizi")


@lru_cache(maxsize=256)
def _translated(sql: str) -> bytes:
    """Write parameters the way psycopg wants them."""
    return _PARAMETER.sub(r"%(\1)s", sql).encode()


def _told(error: Exception) -> str:
    """Say what went wrong in one line; a server's message may quote values, which stay out."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = primary or str(error) or type(error).__name__
    return " ".join(text.split())[:300]
