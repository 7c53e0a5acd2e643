"""Several hosts on one machine: network namespaces on a bridge, with real programs in them.

The database and the broker run on the machine itself, which is a host of its own on the bridge;
the service and the workers each have a namespace whose cable can be pulled.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.databases import Postgres, find_postgres, free_port, run_postgres
from tests.program import environment
from tests.waiting import until

LEASE_S = 3
_START_S = 90
# A look is a program of its own, in the network of a host.
_LOOK_S = 0.1


def missing() -> str:
    """Say what keeps this machine from being several hosts; empty for nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "redis-server", "mount"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if find_postgres() is None:
        return "PostgreSQL is not installed"
    name = f"sz{uuid.uuid4().hex[:6]}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if tried.returncode:
        return "no leave to make network namespaces"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return ""


@dataclass
class Host:
    """A host: a namespace with one cable to the bridge."""

    name: str
    address: str
    cable: str

    def start(self, *command: str, log: Path, **variables: str) -> subprocess.Popen[bytes]:
        """Start a program on it."""
        with log.open("ab") as output:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.name, *command],
                env=environment() | variables,
                cwd=log.parent,
                stdout=output,
                stderr=output,
            )

    def cut(self) -> None:
        """Pull its cable."""
        _ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """Put its cable back."""
        _ip("link", "set", self.cable, "up")


@contextmanager
def network(*names: str) -> Iterator[tuple[str, list[Host]]]:
    """Make hosts on a bridge; gives the address of this machine on it, and the hosts."""
    tag = uuid.uuid4().hex[:5]
    bridge, net = f"szb{tag}", f"10.{int(tag[:2], 16)}.{int(tag[2:4], 16)}"
    hosts: list[Host] = []
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{net}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for k, name in enumerate(names):
            host = Host(f"sz{tag}-{name}", f"{net}.{k + 2}", f"szv{tag}{k}")
            inner = f"szi{tag}{k}"
            _ip("netns", "add", host.name)
            hosts.append(host)
            _ip("link", "add", host.cable, "type", "veth", "peer", "name", inner)
            _ip("link", "set", inner, "netns", host.name)
            _ip("link", "set", host.cable, "master", bridge, "up")
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", inner)
            _ip("-n", host.name, "link", "set", inner, "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
        yield f"{net}.1", hosts
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "del", host.name], check=False)
        subprocess.run(["ip", "link", "del", bridge], check=False)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of this size."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    subprocess.run(command, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass
class Redis:
    """A broker that keeps nothing: what it held is lost when it is killed."""

    host: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again)."""
        command = ["redis-server", "--bind", self.host, "--port", str(self.port), "--save", ""]
        command += ["--appendonly", "no", "--protected-mode", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"


@dataclass
class Cluster:
    """A service and workers on hosts of their own, with what they share."""

    folder: Path
    spool: Path
    url: str
    database: Postgres
    broker: Redis
    web: Host
    workers: list[Host]
    variables: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_worker(self, host: Host) -> None:
        """Start the worker of a host."""
        command = [sys.executable, "-m", "shizi", "worker"]
        log = self.folder / f"{host.name}.log"
        self.running[host.name] = host.start(*command, log=log, **self.variables)

    def start_service(self) -> None:
        """Start the service, and wait until it answers."""
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "shizi", "serve"]
        command += ["--host", self.web.address, "--port", port]
        log = self.folder / "web.log"
        self.running[self.web.name] = self.web.start(*command, log=log, **self.variables)
        until(self._ready, _START_S, "the service to get ready", pause_s=_LOOK_S)

    def kill(self, host: Host) -> None:
        """End the program of a host at once, and all of its processes with it."""
        process = self.running.pop(host.name)
        process.kill()
        process.wait()

    def submit(self, files: Sequence[Path], key: str = "") -> str:
        """Hand files in; gives the id of the job."""
        command = ["curl", "-sS", "-m", "60", "-H", f"Idempotency-Key: {key or uuid.uuid4().hex}"]
        for path in files:
            command += ["-F", f"file=@{path}"]
        told = subprocess.run([*command, f"{self.url}/v1/jobs"], capture_output=True, check=True)
        answer = json.loads(told.stdout)
        return str(answer.get("id") or answer.get("code"))

    def job(self, job_id: str) -> dict[str, Any]:
        """Tell how a job stands."""
        return self._get(f"/v1/jobs/{job_id}")

    def wait_for(self, job_id: str, pages: int, patience_s: float = 120) -> None:
        """Wait until so many pages of a job are read."""
        until(
            lambda: self._job_or_nothing(job_id).get("pages_done", 0) >= pages,
            patience_s,
            f"{pages} pages; {self._job_or_nothing(job_id)}",
            pause_s=_LOOK_S,
        )

    def wait_for_end(self, job_id: str, patience_s: float = 120) -> None:
        """Wait until a job has ended."""
        until(
            lambda: self._job_or_nothing(job_id).get("finished_at") is not None,
            patience_s,
            f"the end; {self._job_or_nothing(job_id)}\n{self.logs()}",
            pause_s=_LOOK_S,
        )

    def results(self, job_id: str) -> list[tuple[str, int]]:
        """Give (name, page) of everything in the results of a job, in order; failures as page 0."""
        found: list[tuple[str, int]] = []
        following: str | None = f"/v1/jobs/{job_id}/results?limit=200"
        while following:
            content = self._get(following)
            for entry in content["results"]:
                pages = [page["page"] for page in entry.get("pages", [])] or [0]
                found += [(entry["name"], page) for page in pages]
            following = content["next"]
        return found

    def logs(self) -> str:
        """Give what the programs said."""
        return "\n".join(f"{p.name}:\n{p.read_text()[-3000:]}" for p in self.folder.glob("*.log"))

    def _job_or_nothing(self, job_id: str) -> dict[str, Any]:
        try:
            return self.job(job_id)
        except OSError:
            return {}

    def _ready(self) -> bool:
        try:
            return bool(self._get("/readyz"))
        except OSError:
            return False

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            content: dict[str, Any] = json.load(answer)
            return content


@contextmanager
def cluster(folder: Path, *, disk_megabytes: int = 0, chunk_files: int = 4) -> Iterator[Cluster]:
    """Run a service and two workers, each on a host of its own, until the block ends."""
    with ExitStack() as stack:
        here, (web, *workers) = stack.enter_context(network("web", "one", "two"))
        database = stack.enter_context(run_postgres(here))
        broker = Redis(here, folder)
        broker.start()
        stack.callback(broker.kill)
        spool = folder / "jobs"
        if disk_megabytes:
            stack.enter_context(small_disk(spool, disk_megabytes))
        variables = {
            "SHIZI_JOBS__FOLDER": str(spool),
            "SHIZI_JOBS__LEDGER": database.url,
            "SHIZI_JOBS__BROKER": broker.url,
            "SHIZI_JOBS__LEASE_S": str(LEASE_S),
            "SHIZI_JOBS__CHUNK_FILES": str(chunk_files),
            "SHIZI_SERVER__LOG_FORMAT": "text",
        }
        url = f"http://{web.address}:{free_port()}"
        made = Cluster(folder, spool, url, database, broker, web, workers, variables)
        stack.callback(_end_all, made)
        for host in workers:
            made.start_worker(host)
        made.start_service()
        yield made


def _end_all(made: Cluster) -> None:
    for process in made.running.values():
        process.send_signal(signal.SIGTERM)
    for process in made.running.values():
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
