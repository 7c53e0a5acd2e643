"""The process that takes releases along: `python -m shizi.release.lead REPORTS PLAN`.

Every host has one; the lock lets one of them lead. It answers no request, so that its end costs
nothing but time.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shizi.core.config import Settings, load
from shizi.core.errors import ShiziError
from shizi.core.telemetry import LogFormat
from shizi.engine.signals import die_with_parent, wake_on_signals
from shizi.release.controller import Controller, try_look
from shizi.release.leadership import Leadership
from shizi.release.places import open_leadership, open_source, open_store
from shizi.release.routing import RoutingWatch

_log = logging.getLogger(__name__)

BEAT_S = 0.5
"""Between two askings for the lock and for the owner's wishes."""


@dataclass(frozen=True, slots=True)
class LeadPlan:
    """What the process is told; the rest it takes from the settings.

    Attributes:
        config: the settings file, whose `model_routing` is read again and again; empty for none.
        log_format: of its log.
    """

    config: str = ""
    log_format: LogFormat = LogFormat.AUTO


class Leader:
    """Asks for the lock, and looks after the release while it has it.

    Args:
        controller: looks and writes.
        leadership: the lock.
        routing: the owner's wishes.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        controller: Controller,
        leadership: Leadership,
        routing: RoutingWatch,
        clock: Callable[[], float],
    ) -> None:
        self._controller, self._leadership = controller, leadership
        self._routing, self._clock = routing, clock
        self._leads = False
        self._next_s = 0.0
        self._problem = ""

    def beat(self) -> None:
        """Do what is due now."""
        changed = self._routing.poll()
        try:
            leads = self._leadership.hold()
        except ShiziError as error:
            leads = False
            if self._leads:
                _log.warning("the lead is lost: %s", error.detail)
        if leads != self._leads:
            self._leads = leads
            self._controller.resign()
            self._next_s = 0.0
            _log.info("this process leads releases" if leads else "another process leads releases")
        if leads and (changed or self._clock() >= self._next_s):
            self._next_s = self._clock() + self._routing.routing.check_interval_seconds
            problem = try_look(self._controller, self._routing.routing)
            if problem and problem != self._problem:
                _log.warning("the release stays as it is: %s", problem)
            self._problem = problem

    def resign(self) -> None:
        """Let others lead."""
        try:
            self._leadership.release()
        except ShiziError as error:
            _log.info("the lock falls free by itself: %s", error.detail)


def make_leader(settings: Settings, plan: LeadPlan) -> Leader:
    """Put a leader together from the settings.

    Raises:
        ConfigError: an address is malformed.
        MissingExtra: the library of a store is not installed.
    """
    place = settings.releases.store
    source = open_source(settings.releases.config, Path(plan.config) if plan.config else None)
    routing = RoutingWatch(source, settings.model_routing)
    controller = Controller(open_store(place), time.monotonic, time.time)
    return Leader(controller, open_leadership(place), routing, time.monotonic)


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the process, to its end."""
    die_with_parent(signal.SIGTERM)
    with wake_on_signals(signal.SIGTERM) as wake:
        leader = make_leader(load().settings, msgspec.json.decode(plan_json, type=LeadPlan))
        announce()
        while not wake.wait(BEAT_S):
            leader.beat()
        leader.resign()
