"""Measures the service under load, beside RapidOCRAPI on the same pictures in the same run.

    python scripts/bench_service.py PICTURES --peer VENV/bin/python --clients 16 64 --seconds 120

PICTURES is a folder of page pictures. The peer is any environment with `rapidocr_api` installed
(`python -m venv VENV && VENV/bin/pip install rapidocr_api rapidocr==3.10.0 onnxruntime`). The two
take turns: one is started, warmed up, measured idle and under each load, and stopped before the
other one starts. Memory is the proportional set size of all processes together.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shizi.engine.memory import family, memory_bytes

SUFFIXES = {".png", ".jpg", ".jpeg"}
START_S = 120.0
IDLE_REQUESTS = 9
# Idle is who has had nothing to do for a while.
REST_S = 15.0
PATIENCE_S = 300.0
LONGEST_PAUSE_S = 5.0


@dataclass
class Outcome:
    """What the clients of one load saw."""

    clients: int
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    @property
    def pages_per_s(self) -> float:
        """Pages answered in a second."""
        return self.statuses[200] / self.seconds

    def quantile_s(self, share: float) -> float:
        """Seconds within which this share of the answers came."""
        ranked = sorted(self.latencies_s) or [float("nan")]
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


@dataclass(frozen=True)
class Served:
    """A running service."""

    name: str
    port: int
    pid: int

    def memory_mb(self) -> float:
        """Give the memory of all its processes together."""
        return sum(map(memory_bytes, family(self.pid))) / 1e6


def multipart(path: Path) -> tuple[bytes, dict[str, str]]:
    head = (
        f'--x\r\nContent-Disposition: form-data; name="image_file"; filename="{path.name}"\r\n\r\n'
    )
    body = head.encode() + path.read_bytes() + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def post(port: int, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
    """Send one picture; gives the status, and the seconds to wait that came with it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/ocr", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, float(answer.headers.get("Retry-After", "0"))
    except OSError:
        return 0, 1.0
    finally:
        connection.close()


def load(served: Served, pictures: Sequence[Path], clients: int, seconds: float) -> Outcome:
    """Let clients post pictures, each the next one as soon as it has its answer."""
    outcome = Outcome(clients, seconds)
    requests = [multipart(path) for path in pictures]
    end = time.monotonic() + seconds
    lock = threading.Lock()

    def client(number: int) -> None:
        order = random.Random(number)
        while time.monotonic() < end:
            began = time.monotonic()
            status, pause_s = post(served.port, *order.choice(requests))
            took = time.monotonic() - began
            with lock:
                outcome.statuses[status] += 1
                if status == 200:
                    outcome.latencies_s.append(took)
            if status != 200:
                time.sleep(min(LONGEST_PAUSE_S, pause_s))

    threads = [threading.Thread(target=client, args=(k,)) for k in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        outcome.memory_mb.append(served.memory_mb())
        time.sleep(1.0)
    # What was asked in time is counted, and so is the time its answer took.
    outcome.seconds = time.monotonic() - began
    return outcome


def idle_p50_s(served: Served, picture: Path) -> float:
    times = []
    for _ in range(IDLE_REQUESTS):
        began = time.monotonic()
        status, _ = post(served.port, *multipart(picture))
        assert status == 200, status
        times.append(time.monotonic() - began)
    return statistics.median(times)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(name: str, command: Sequence[str], port: int, log: Path) -> Iterator[Served]:
    command = [sys.executable, *command] if command[0] == "-m" else command
    with log.open("wb") as file, subprocess.Popen(command, stderr=file, stdout=file) as process:
        try:
            wait_for(port, process)
            yield Served(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(60)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                time.sleep(2.0)
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def services(args: argparse.Namespace) -> Iterator[tuple[str, list[str], int]]:
    if args.peer:
        port = free_port()
        peer = [args.peer, "-m", "rapidocr_api.main", "-ip", "127.0.0.1", "-p", str(port)]
        yield "RapidOCRAPI", peer, port
    for options in args.options or [""]:
        port = free_port()
        own = ["-m", "shizi", "serve", "--port", str(port), "-q", *options.split()]
        yield f"Shizi {options}".strip(), own, port


def measure(
    served: Served, pictures: Sequence[Path], args: argparse.Namespace
) -> dict[str, object]:
    for picture in pictures[:3]:
        post(served.port, *multipart(picture))
    time.sleep(REST_S)
    result: dict[str, object] = {
        "name": served.name,
        "idle_mb": served.memory_mb(),
        "idle_p50_s": {p.name: idle_p50_s(served, p) for p in args.alone or pictures[:1]},
        "loads": [],
    }
    print(json.dumps(result), flush=True)
    for clients in args.clients:
        outcome = load(served, pictures, clients, args.seconds)
        row = {
            "clients": clients,
            "pages_per_s": outcome.pages_per_s,
            "p50_s": outcome.quantile_s(0.5),
            "p95_s": outcome.quantile_s(0.95),
            "p99_s": outcome.quantile_s(0.99),
            "statuses": dict(outcome.statuses),
            "peak_mb": max(outcome.memory_mb),
        }
        print(json.dumps({"name": served.name} | row), flush=True)
        result["loads"].append(row)  # type: ignore[attr-defined]
    return result


def table(results: Sequence[dict[str, object]]) -> str:
    lines = [
        "| service | clients | pages a second | p50 | p95 | p99 | statuses | memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines.append(f"| {result['name']} | 0 | | | | | | {result['idle_mb']:.0f} MB |")
        lines += [
            f"| {result['name']} | 1, {name} | | {p50_s:.2f} s | | | | |"
            for name, p50_s in result["idle_p50_s"].items()  # type: ignore[attr-defined]
        ]
        lines += [
            f"| {result['name']} | {row['clients']} | {row['pages_per_s']:.2f} | "
            f"{row['p50_s']:.1f} s | {row['p95_s']:.1f} s | {row['p99_s']:.1f} s | "
            f"{row['statuses']} | {row['peak_mb']:.0f} MB |"
            for row in result["loads"]  # type: ignore[attr-defined]
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--peer", help="python of an environment with rapidocr_api")
    parser.add_argument("--options", nargs="*", help="flags of `shizi serve`, a run for each")
    parser.add_argument("--clients", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--alone", type=Path, nargs="+", help="pictures asked for one at a time")
    parser.add_argument("--logs", type=Path, default=Path("build"))
    args = parser.parse_args()
    args.logs.mkdir(exist_ok=True)
    pictures = sorted(p for p in args.pictures.rglob("*") if p.suffix.lower() in SUFFIXES)
    print(f"{len(pictures)} pictures, {os.cpu_count()} processors", flush=True)
    results = []
    for k, (name, command, port) in enumerate(services(args)):
        with running(name, command, port, args.logs / f"service-{k}.log") as served:
            results.append(measure(served, pictures, args))
    print(table(results))


if __name__ == "__main__":
    main()
