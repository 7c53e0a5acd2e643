"""The ledgers that one suite of tests is held against."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shizi.jobs.opening import open_ledger
from shizi.jobs.sqlledger import SqlLedger
from tests.databases import Postgres, find_postgres, run_postgres

Open = Callable[[], SqlLedger]


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if find_postgres() is None:
        pytest.skip("PostgreSQL is not installed")
    with run_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(f"t{uuid.uuid4().hex}")


@pytest.fixture
def opened(address: str, clock: Clock) -> Iterator[Open]:
    """Give a function that opens the same ledger once more, as another process would."""
    ledgers: list[SqlLedger] = []

    def again() -> SqlLedger:
        ledgers.append(open_ledger(address, clock))
        return ledgers[-1]

    yield again
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(opened: Open) -> SqlLedger:
    return opened()
