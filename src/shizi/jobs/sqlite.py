"""The ledger's database embedded: one SQLite file, nothing to install.

Written ahead and synced at checkpoints: a process that is killed loses nothing, a machine that
loses its power at most the last moments, which are then worked on again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from shizi.core.errors import LedgerFailed
from shizi.jobs.store import NOTHING, SCHEMA, VERSION, Row, T, Values

_PATIENCE_S = 30.0
_SETTINGS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -4000")


class _SqliteRows:
    """See `Rows`; a writing transaction has the whole database to itself."""

    lock = ""
    lock_free = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NOTHING) -> list[Row]:
        return self._connection.execute(sql, dict(values)).fetchall()

    def one(self, sql: str, values: Values = NOTHING) -> Row | None:
        rows = self.all(sql, values)
        return rows[0] if rows else None

    def run(self, sql: str, values: Values = NOTHING) -> int:
        return self._connection.execute(sql, dict(values)).rowcount

    def many(self, sql: str, values: Sequence[Values]) -> int:
        return self._connection.executemany(sql, values).rowcount


class SqliteStore:
    """One file on a local disk; any number of threads, few processes.

    Args:
        path: of the file; made where there is none.

    Raises:
        LedgerFailed: it cannot be opened, or another version made it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._failure(error) from error
        self._rows = _SqliteRows(self._connection)
        try:
            for setting in _SETTINGS:
                self._connection.execute(f"PRAGMA {setting}")
            self.do(self._prepare)
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from error
            raise

    def do(self, work: Callable[[_SqliteRows], T], *, write: bool = True) -> T:
        """See `Store.do`."""
        with self._lock:
            try:
                # What will write says so at once: two that both read first could never both go on.
                self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    result = work(self._rows)
                    self._connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._failure(error) from error
        return result

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._connection.close()

    def _prepare(self, rows: _SqliteRows) -> None:
        for statement in SCHEMA:
            rows.run(statement.replace("{bytes}", "BLOB"))
        found = rows.one("SELECT number FROM ledger_version")
        if found is None:
            rows.run("INSERT INTO ledger_version VALUES (:number)", {"number": VERSION})
        elif found[0] != VERSION:
            raise LedgerFailed(f"{self._path} was made by another version of Shizi")

    def _failure(self, error: sqlite3.Error) -> LedgerFailed:
        return LedgerFailed(f"the ledger {self._path}: {error}")
