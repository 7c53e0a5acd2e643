"""Opens the ledger that an address names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shizi.core.errors import ConfigError
from shizi.jobs.sqlite import SqliteStore
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.store import Store

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def open_store(address: str | Path) -> Store:
    """Open the database of a ledger.

    Args:
        address: a path or `sqlite:///path`, or `postgresql://user@host/name`.

    Raises:
        ConfigError: the address is of no known kind.
        LedgerFailed: it cannot be opened.
        MissingExtra: PostgreSQL needs the extra `postgres`.
    """
    text = str(address)
    if text.startswith(_POSTGRES):
        # Nobody who keeps the ledger in a file needs psycopg.
        from shizi.jobs.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(text)
    if "://" in text and not text.startswith(_SQLITE):
        kind = text.partition("://")[0]
        raise ConfigError(f"a ledger is at sqlite:/// or postgresql://, not at {kind}://")
    return SqliteStore(Path(text.removeprefix(_SQLITE)))


def open_ledger(address: str | Path, clock: Callable[[], float] | None = None) -> SqlLedger:
    """Open a ledger; see `open_store`."""
    return SqlLedger(open_store(address), clock)
