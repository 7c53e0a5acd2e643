"""Measures what routing and counting add to a request, as a part of the request, in one run.

    python scripts/bench_routing.py examples/receipt.png

A picture is read for real; then a reader that gives that very answer at once is asked directly, and
through all that a release adds: the choice by the picture's hash, the pinned reader, the numbers of
the answer, the tallies, the metrics. The difference is what it costs. A second figure is for a
service without a release. Turns alternate, so that a busy machine slows both alike; medians are
compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from shizi.core.config import Settings
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.engine.fleet import EngineReport
from shizi.engine.reader import Reader
from shizi.release.breaker import Breaker
from shizi.release.document import Document, Phase
from shizi.release.member import Member, MemberTools
from shizi.release.observations import Side
from shizi.release.snapshots import Recorder
from shizi.release.store import MemoryStore
from shizi.release.watcher import Watcher
from shizi.server.app import create_app
from shizi.server.metrics import ProcessMeter
from shizi.server.routing import RequestRouter

MOST = 0.01


class Canned:
    """Gives one answer at once; stands for the engines as well."""

    def __init__(self, pages: list[PageResult]) -> None:
        self._pages = pages

    def read(self, _: bytes, __: ReadOptions) -> list[PageResult]:
        """Give the answer."""
        return list(self._pages)

    def reader(self, _: str, __: Side) -> Canned:
        """Give what reads with a version."""
        return self

    def reports(self) -> dict[str, EngineReport]:
        """Tell of no engine."""
        return {}


def router_of(canned: Canned, *, release: bool) -> RequestRouter:
    store = MemoryStore()
    if release:
        phase = {"phase": Phase.CANARY, "ratio_bp": 5_000}
        store.swap(0, Document(epoch=1, release_id="r", stable="m@1", canary="m@2", **phase))
    watcher = Watcher(store, time.monotonic)
    recorder, meter = Recorder("bench"), ProcessMeter()
    tools = MemberTools(
        stable="m@1",
        store=store,
        watcher=watcher,
        engines=canned,
        recorder=recorder,
        breaker=Breaker(),
        clock=time.monotonic,
        now=time.time,
        tell=meter.count_reading,
    )
    watcher.poll()
    member = Member(tools)
    member.beat()
    return RequestRouter(member, Settings().server)


def seconds(work: Callable[[], object], turns: int) -> float:
    """Give the seconds of one turn."""
    started = time.perf_counter()
    for _ in range(turns):
        work()
    return (time.perf_counter() - started) / turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turns", type=int, default=100)
    args = parser.parse_args()
    source, options = args.picture.read_bytes(), ReadOptions(timeout_s=60.0)
    reader = Reader()
    pages = reader.read(source, options)
    canned = Canned(pages)
    routers = {name: router_of(canned, release=name == "release") for name in ("release", "none")}
    app = create_app(Settings(), canned)
    figures: dict[str, list[float]] = {"request": [], "direct": [], "release": [], "none": []}
    with app.test_request_context("/ocr", method="POST"):
        for _ in range(args.rounds):
            figures["request"].append(seconds(lambda: reader.read(source, options), 1))
            figures["direct"].append(seconds(lambda: canned.read(source, options), args.turns))
            for name, router in routers.items():

                def routed(router: RequestRouter = router) -> object:
                    return router.pin([source]).read(source, options)

                figures[name].append(seconds(routed, args.turns))
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"{args.picture.name}: {len(source):,} bytes, {sum(len(p.lines) for p in pages)} lines")
    print(f"a request: {1e3 * middle['request']:.1f} ms")
    for name in routers:
        more = middle[name] - middle["direct"]
        share = more / middle["request"]
        print(f"routing and counting, {name}: {1e6 * more:.0f} µs, {100 * share:.3f} %")
    if (middle["release"] - middle["direct"]) / middle["request"] > MOST:
        raise SystemExit(f"more than {100 * MOST:.0f} % of a request")


if __name__ == "__main__":
    main()
