"""Puts together what a web process does with releases."""

from __future__ import annotations

import platform
import time
import uuid
from pathlib import Path
from random import Random

from shizi.core.config import Settings
from shizi.engine.budget import allowed_cpus
from shizi.engine.fleet import engine_reports
from shizi.engine.plans import WebPlan
from shizi.release.breaker import Breaker
from shizi.release.member import LinkedEngines, Member, MemberTools
from shizi.release.pairs import PairBox
from shizi.release.places import open_store
from shizi.release.shadow import Shadow, ShadowOptions
from shizi.release.snapshots import Recorder
from shizi.release.store import MemoryStore
from shizi.release.watcher import Watcher
from shizi.server.metrics import Meter
from shizi.server.processes import read_status
from shizi.server.routing import RequestRouter


def make_router(settings: Settings, plan: WebPlan, meter: Meter) -> RequestRouter:
    """Give what chooses the version of each request; begins to follow releases, if there are any.

    Raises:
        MissingExtra: the library of the store is not installed.
    """
    place = settings.releases.store
    # Where there are no releases, an empty store that nobody else knows says so.
    store = open_store(place) if place else MemoryStore()
    folder, status = Path(plan.engines), Path(plan.status)
    member = Member(
        MemberTools(
            stable=plan.stable,
            store=store,
            watcher=Watcher(store, time.monotonic),
            engines=LinkedEngines(folder, lambda: engine_reports(read_status(status))),
            recorder=Recorder(uuid.uuid4().hex, platform.node()),
            breaker=Breaker(),
            clock=time.monotonic,
            now=time.time,
            tell=meter.count_reading,
        )
    )
    if not place:
        return RequestRouter(member, settings.server)
    pairs = settings.releases.spot_checks
    shadow = Shadow(
        member,
        ShadowOptions(busy=allowed_cpus()),
        Random(),  # noqa: S311 - draws no secret
        keep=PairBox(pairs).keep if pairs else None,
    )
    member.start()
    shadow.start()
    return RequestRouter(member, settings.server, shadow)
