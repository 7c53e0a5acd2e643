"""A real PostgreSQL of the tests' own: on a free port, in a temporary folder, unprivileged."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DEBIAN = "/usr/lib/postgresql"
_START_S = 30
_SETTINGS = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=40")


def find_postgres() -> Path | None:
    """Give the folder of PostgreSQL's programs; Debian keeps them out of the path."""
    folders = sorted(Path(_DEBIAN).glob("*/bin"), reverse=True)
    found = next((folder for folder in folders if (folder / "initdb").is_file()), None)
    if found is None and (program := shutil.which("initdb")):
        found = Path(program).resolve().parent
    return found


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Postgres:
    """A server that may be killed and started again.

    Attributes:
        url: of its database.
        process: the server.
    """

    url: str
    folder: Path
    programs: Path
    port: int
    host: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(_START_S)

    def start(self) -> None:
        """Start it again on its folder and port."""
        self.process = _serve(self.programs, self.folder, self.host, self.port)

    def new_database(self, name: str) -> str:
        """Make an empty database and give its address."""
        import psycopg  # noqa: PLC0415 - an extra

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.rpartition("/")[0] + f"/{name}"


@contextmanager
def run_postgres(host: str = "127.0.0.1") -> Iterator[Postgres]:
    """Run a server; `find_postgres` must have found its programs."""
    programs = find_postgres()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="shizi-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        data = folder / "data"
        _as_nobody([programs / "initdb", "-D", data, "-U", "shizi", "-A", "trust", "--no-sync"])
        if host != "127.0.0.1":
            with (data / "pg_hba.conf").open("a") as file:
                file.write("host all all 0.0.0.0/0 trust\n")
        port = free_port()
        process = _serve(programs, data, host, port)
        server = Postgres(
            f"postgresql://shizi@{host}:{port}/postgres", data, programs, port, host, process
        )
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(programs: Path, data: Path, host: str, port: int) -> subprocess.Popen[bytes]:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-h", host, "-k", "", *settings],
        user=_user(),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A test that is interrupted must not take the server's own signals with it.
        start_new_session=True,
    )
    ends = time.monotonic() + _START_S
    ready = [programs / "pg_isready", "-q", "-h", host, "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        assert process.poll() is None, "PostgreSQL ended before it was ready"
        assert time.monotonic() < ends, "PostgreSQL does not get ready"
        time.sleep(0.05)
    return process


def _as_nobody(command: list[str | Path]) -> None:
    subprocess.run(command, user=_user(), cwd="/", check=True, capture_output=True)


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None
