"""A job of many pages on several hosts under every fault: each page must be in the results once.

    python scripts/several_hosts.py --pages 2000

Needs root, iproute2, redis-server and PostgreSQL; see docs/jobs.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.acceptance.test_hosts import draw_page
from tests.hosts import LEASE_S, Cluster, cluster, missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--chunk-files", type=int, default=8)
    parser.add_argument("--calm", action="store_true", help="without faults")
    args = parser.parse_args()
    if reason := missing():
        print(f"cannot be run here: {reason}")
        return 2
    with tempfile.TemporaryDirectory(prefix="shizi-hosts-") as name:
        folder = Path(name)
        files = [draw_page(folder / f"{k:05d}.png", k) for k in range(args.pages)]
        with cluster(folder, disk_megabytes=64, chunk_files=args.chunk_files) as hosts:
            return _run(hosts, files, calm=args.calm)


def _run(hosts: Cluster, files: list[Path], *, calm: bool) -> int:
    started = time.monotonic()
    job = hosts.submit(files)
    handed_in_s = time.monotonic() - started
    for k, (name, fault) in enumerate([] if calm else _faults(hosts, files), start=1):
        hosts.wait_for(job, len(files) * k // 9, 3600)
        print(f"{time.monotonic() - started:7.1f} s  {hosts.job(job)['pages_done']:5d}  {name}")
        fault()
    hosts.wait_for_end(job, 3600)
    seconds = time.monotonic() - started
    found = Counter(hosts.results(job))
    wanted = {(path.name, 1) for path in files}
    print(
        json.dumps(
            {
                "pages": len(files),
                "status": hosts.job(job)["status"],
                "lost": len(wanted - found.keys()),
                "doubled": sum(count > 1 for count in found.values()),
                "foreign": len(found.keys() - wanted),
                "handed_in_s": round(handed_in_s, 1),
                "seconds": round(seconds, 1),
                "pages_per_s": round(len(files) / seconds, 1),
            }
        )
    )
    return 0 if found == Counter(wanted) else 1


def _faults(hosts: Cluster, files: list[Path]) -> list[tuple[str, Callable[[], object]]]:
    def kill_a_worker() -> None:
        hosts.kill(hosts.workers[0])
        hosts.start_worker(hosts.workers[0])

    def cut_a_worker() -> None:
        hosts.workers[1].cut()
        time.sleep(2 * LEASE_S)
        hosts.workers[1].join()

    def lose_the_broker() -> None:
        hosts.broker.kill()
        time.sleep(2)
        hosts.broker.start()

    def lose_the_database() -> None:
        hosts.database.kill()
        time.sleep(2)
        hosts.database.start()

    def fill_the_disk() -> None:
        filling = hosts.spool / "filling"
        filling.write_bytes(bytes(shutil.disk_usage(hosts.spool).free))
        assert hosts.submit(files[:3]) == "out_of_space"
        time.sleep(2)
        filling.unlink()

    def kill_the_service() -> None:
        hosts.kill(hosts.web)
        hosts.start_service()

    return [
        ("a worker is killed", kill_a_worker),
        ("a worker is cut off", cut_a_worker),
        ("the broker is lost", lose_the_broker),
        ("the database is lost", lose_the_database),
        ("the disk is full", fill_the_disk),
        ("the service is killed", kill_the_service),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
