"""The real program: run to its end, or kept running as a service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.program import Service, environment, serving

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="session", params=["gthread", "gevent"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Share one service between the tests that only ask it; each runs with both workers."""
    with serving(tmp_path_factory.mktemp("service"), "--worker", request.param) as running:
        yield running


@pytest.fixture
def shizi(tmp_path: Path) -> Run:
    """Run the program with arguments in an empty folder; nothing may end in a traceback."""

    def run(
        *arguments: str | Path, data: bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "shizi", *map(str, arguments)],
            cwd=tmp_path,
            env=environment() | variables,
            input=data,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return run
