"""The web process: the application under Gunicorn, in front of the engine."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from gunicorn.app.base import BaseApplication

from shizi.core.config import ServerSettings, Settings, load
from shizi.engine.fleet import active_socket
from shizi.engine.link import EngineLink
from shizi.engine.memory import give_blocks_back
from shizi.engine.plans import WebPlan
from shizi.engine.signals import die_with_parent
from shizi.jobs.site import open_site
from shizi.server.app import create_app
from shizi.server.membership import make_router
from shizi.server.metrics import ProcessMeter
from shizi.server.rest import install_rest
from shizi.server.state import EngineState

_log = logging.getLogger(__name__)
# Bodies this large and larger are no part of the heap.
_BODY_BYTES = 256 << 10


def main(plan_json: str, announce: Callable[[], None]) -> None:
    """Be the web process, to its end."""
    die_with_parent(signal.SIGTERM)
    give_blocks_back(_BODY_BYTES)
    plan = msgspec.json.decode(plan_json, type=WebPlan)
    _Service(load().settings, plan, announce).run()


def gunicorn_options(server: ServerSettings, listener: int) -> dict[str, Any]:
    """Translate the settings into Gunicorn's."""
    options: dict[str, Any] = {
        "bind": f"fd://{listener}",
        "workers": 1,
        "worker_class": server.worker.value,
        "threads": server.threads,
        "worker_connections": max(1000, server.threads),
        "keepalive": 5,
        "graceful_timeout": max(1, round(server.timeout_s)),
        "loglevel": "warning",
        "proc_name": "shizi",
        "control_socket_disable": True,
    }
    if Path("/dev/shm").is_dir():  # noqa: S108 - heartbeats in memory, never on a slow disk
        options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    return options


class _Service(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings and no command line of its own."""

    def __init__(self, settings: Settings, plan: WebPlan, announce: Callable[[], None]) -> None:
        self.settings = settings
        self.plan = plan
        self.announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Set what this version of Gunicorn knows of our options."""
        options = gunicorn_options(self.settings.server, self.plan.listener)
        for name in options.keys() & self.cfg.settings.keys():
            self.cfg.set(name, options[name])
        self.cfg.set("post_worker_init", self._tell)

    def load(self) -> Flask:
        """Make the application; runs in the worker."""
        folder = Path(self.plan.engines)
        link = EngineLink(active_socket(folder))
        state = EngineState(self.settings, folder, Path(self.plan.status))
        meter = ProcessMeter()
        router = make_router(self.settings, self.plan, meter)
        jobs = self.settings.jobs
        site = open_site(jobs) if jobs.enabled else None
        app = create_app(self.settings, link, state, meter, router, site)
        install_rest(app)
        return app

    def _tell(self, worker: Any) -> None:
        if worker.age > 1:
            _log.warning("the worker was replaced")
        else:
            self.announce()
