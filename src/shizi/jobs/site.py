"""Where the jobs of a service are: the ledger and the spool that its settings name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shizi.core.errors import ConfigError, FileAccessError
from shizi.core.sections import JobSettings
from shizi.jobs.hooks import HookBook
from shizi.jobs.opening import open_store
from shizi.jobs.spool import Spool
from shizi.jobs.sqlledger import SqlLedger

_LEDGER_FILE = "jobs.db"
_SPOOL = "spool"
_LEAST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Site:
    """What processes that have to do with jobs share.

    Attributes:
        ledger: of the jobs.
        spool: of their files.
        hooks: who is told when they have ended.
    """

    ledger: SqlLedger
    spool: Spool
    hooks: HookBook

    def close(self) -> None:
        """Let the ledger go."""
        self.ledger.close()


def open_site(jobs: JobSettings) -> Site:
    """Open the ledger and the spool of the settings; their folder is named.

    Raises:
        ConfigError: the settings contradict each other.
        LedgerFailed: the ledger cannot be opened.
        FileAccessError: the folder cannot be used.
        MissingExtra: PostgreSQL needs an extra.
    """
    check_jobs(jobs)
    if jobs.folder is None:
        raise ConfigError("jobs.folder is not set")
    spool = Spool(jobs.folder / _SPOOL, jobs.spool_bytes)
    store = open_store(jobs.ledger or _own_file(jobs.folder.absolute() / _LEDGER_FILE))
    return Site(SqlLedger(store), spool, HookBook(store))


def holds_files(jobs: JobSettings) -> bool:
    """Say whether files were handed in, or are just arriving; quick to answer."""
    if jobs.folder is None:
        return False
    spool = jobs.folder / _SPOOL
    return spool.is_dir() and any(spool.iterdir())


def _own_file(path: Path) -> Path:
    """Make a file that its owner alone may read, before there is anything in it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise FileAccessError(f"{path} cannot be used: {error.strerror}") from error
    return path


def check_jobs(jobs: JobSettings) -> None:
    """Look whether the settings fit together.

    Raises:
        ConfigError: they do not.
    """
    if jobs.broker and not jobs.ledger.startswith("postgres"):
        raise ConfigError("jobs.broker is for several machines, which need jobs.ledger there too")
    if jobs.broker and jobs.folder is None:
        raise ConfigError(
            "jobs.broker is for several machines, which need jobs.folder: they share it"
        )
    if jobs.webhooks and len(jobs.webhook_secret) < _LEAST_SECRET:
        raise ConfigError(
            f"jobs.webhooks needs a jobs.webhook_secret of {_LEAST_SECRET} characters"
        )
