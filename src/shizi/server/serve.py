"""Runs the application under Gunicorn: one worker process, a few threads, a clean end."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from shizi.core.config import ServerSettings, Settings
from shizi.core.errors import ConfigError, ShiziError
from shizi.server.api import PageReader
from shizi.server.app import create_app

_log = logging.getLogger(__name__)

# Gunicorn's own status for "a worker failed to boot": it stops the service instead of retrying.
_BOOT_FAILED = 3


def serve(
    settings: Settings, make_reader: Callable[[], PageReader], announce: Callable[[str], None]
) -> None:
    """Serve until a signal ends it; SIGTERM lets the requests in work end first.

    Args:
        settings: resolved at the edge.
        make_reader: called once in the worker process, after the fork: a session of the model
            runtime does not survive a fork.
        announce: takes one line, when the worker is ready, that says where the page is; and one
            where the worker cannot start.

    Raises:
        ConfigError: the address cannot be listened on.
        SystemExit: always at the end, as Gunicorn does; 0 after a signal.
    """
    check_address(settings.server)
    _Service(settings, make_reader, announce).run()


def check_address(server: ServerSettings) -> None:
    """Try the address, so that a taken port is told in one line and not retried.

    Raises:
        ConfigError: it cannot be listened on; the message says why.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(
                f"cannot listen on {_authority(server.host, server.port)}: {reason.lower()}"
            ) from error


def page_url(host: str, port: int) -> str:
    """Give the address to open in a browser on this machine."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    return f"http://{_authority(local, port)}/"


def gunicorn_options(server: ServerSettings) -> dict[str, Any]:
    """Translate the settings into Gunicorn's."""
    options: dict[str, Any] = {
        "bind": _authority(server.host, server.port),
        "workers": 1,
        "worker_class": "gthread",
        "threads": server.threads,
        "graceful_timeout": max(1, round(server.timeout_s)),
        "loglevel": "warning",
        "proc_name": "shizi",
        "control_socket_disable": True,
    }
    if Path("/dev/shm").is_dir():  # noqa: S108 - heartbeats in memory, never on a slow disk
        options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    return options


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Service(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings and no command line of its own."""

    def __init__(
        self,
        settings: Settings,
        make_reader: Callable[[], PageReader],
        announce: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.make_reader = make_reader
        self.announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Set what this version of Gunicorn knows of our options."""
        options = gunicorn_options(self.settings.server)
        for name in options.keys() & self.cfg.settings.keys():
            self.cfg.set(name, options[name])
        self.cfg.set("post_worker_init", self._tell)

    def load(self) -> Flask:
        """Make the application; runs in the worker."""
        try:
            return create_app(self.settings, self.make_reader())
        except ShiziError as error:
            self.announce(f"error: {error.detail}\n  {error.advice}")
            raise SystemExit(_BOOT_FAILED) from error

    def _tell(self, worker: Any) -> None:
        if worker.age > 1:
            _log.warning("the worker was replaced")
            return
        port = worker.sockets[0].getsockname()[1]
        url = page_url(self.settings.server.host, port)
        self.announce(f"reading pages at {url}  (Ctrl-C stops)")
