"""Starts all processes of the service, and ends them cleanly."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from shizi.core.config import ServerSettings, Settings, to_environment
from shizi.core.errors import ConfigError, ShiziError
from shizi.engine.allowance import Allowance, allow
from shizi.engine.budget import measure_budget
from shizi.engine.keeper import Program
from shizi.engine.link import EngineLink
from shizi.engine.plans import DecoderOptions, DecodersPlan, EnginePlan, WebPlan
from shizi.engine.supervisor import Supervisor
from shizi.jobs.dispatcher import DispatcherPlan
from shizi.jobs.site import check_jobs

_BACKLOG = 2048
_PING_S = 5.0
#: glibc gives every thread a heap of its own, and keeps what was freed in it; NumPy's matrix
#: library starts threads nobody uses.
_MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_THRESHOLDS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; the requests that were accepted end first.

    Args:
        settings: resolved at the edge.
        announce: takes one line, once all is ready, that says where the page is.

    Raises:
        ConfigError: the address cannot be listened on.
        ShiziError: a process could not start; the message says why.
    """
    with (
        bind(settings.server) as listener,
        tempfile.TemporaryDirectory(prefix="shizi-") as folder,
    ):
        settings = with_folder(settings, Path(folder))
        allowance = allow(settings, measure_budget().cpus)
        programs = make_programs(settings, allowance, Path(folder), listener.fileno())
        status = Path(folder, "status.json")
        environment = to_environment(kept_within(settings, allowance))
        environment |= _MEMORY | dict.fromkeys(_THRESHOLDS, str(allowance.heap_bytes))
        supervisor = Supervisor(programs, environment, status)
        url = page_url(settings.server.host, listener.getsockname()[1])
        supervisor.run(lambda: announce(f"reading pages at {url}  (Ctrl-C stops)"))


def with_folder(settings: Settings, folder: Path) -> Settings:
    """Give jobs a folder that lasts as long as the service, where the settings name none."""
    check_jobs(settings.jobs)
    if settings.jobs.folder is not None:
        return settings
    return replace(settings, jobs=replace(settings.jobs, folder=folder / "jobs"))


def bind(server: ServerSettings) -> socket.socket:
    """Bind the address of the page.

    It is held by the process that never ends, so that a taken port is told at once, and requests
    wait rather than fail while a web process is replaced.

    Raises:
        ConfigError: it cannot be listened on; the message says why.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, server.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        place = authority(server.host, server.port)
        raise ConfigError(f"cannot listen on {place}: {reason}") from error
    return listener


def page_url(host: str, port: int) -> str:
    """Give the address to open in a browser on this machine."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    return f"http://{authority(local, port)}/"


def authority(host: str, port: int) -> str:
    """Write a host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def kept_within(settings: Settings, allowance: Allowance) -> Settings:
    """Give the settings by which no page takes more than is allowed."""
    return replace(
        settings,
        server=replace(
            settings.server, threads=allowance.threads, max_held_bytes=allowance.held_bytes
        ),
        limits=replace(settings.limits, max_pixels=allowance.max_pixels),
        reader=replace(
            settings.reader,
            page_pixels=allowance.page_pixels,
            piece_pixels=allowance.piece_pixels,
        ),
    )


def make_programs(
    settings: Settings, allowance: Allowance, folder: Path, listener: int
) -> list[Program]:
    """Give the processes of the service in the order they start.

    Args:
        settings: resolved.
        allowance: what they may take.
        folder: of the sockets; only this user can enter it.
        listener: descriptor of the page's socket.
    """
    server, engine = settings.server, settings.engine
    places, log = allowance.places, server.log_format
    decoders = folder / "decoders.sock"
    current = folder / "engine.sock"

    def decode(_: int, reports: int) -> Sequence[str]:
        options = DecoderOptions(engine.decoders or places, engine.decoder_inputs)
        return _command("decoders", reports, DecodersPlan(str(decoders), options, log))

    def read(generation: int, reports: int) -> Sequence[str]:
        plan = EnginePlan(
            socket=str(_generation(current, generation)),
            decoders=str(decoders),
            recognizer=settings.reader.recognizer,
            models=str(settings.paths.models or ""),
            threads=settings.reader.threads,
            places=places,
            waiting=engine.waiting,
            batch_columns=allowance.batch_columns,
            decode_s=engine.decode_s,
            grace_s=server.timeout_s,
            log_format=log,
        )
        return _command("engine", reports, plan)

    def web(_: int, reports: int) -> Sequence[str]:
        plan = WebPlan(listener, str(current), str(folder / "status.json"), log)
        return _command("web", reports, plan)

    def work(_: int, reports: int) -> Sequence[str]:
        # Where there is a broker, workers elsewhere read; the service looks after the jobs alone.
        busy = 0 if settings.jobs.broker else places
        return _command("jobs", reports, DispatcherPlan(str(current), busy, server.timeout_s, log))

    jobs = [Program("jobs", work, grace_s=server.timeout_s + 5)] if settings.jobs.enabled else []
    return [
        Program("decoders", decode),
        Program(
            "engine",
            read,
            on_ready=lambda generation: _point(current, _generation(current, generation)),
            is_well=lambda generation: _answers(_generation(current, generation)),
            grace_s=server.timeout_s + 5,
            most_bytes=allowance.engine_bytes,
            # For a moment there are two: not where memory is counted.
            overlap=not engine.memory_budget,
        ),
        *jobs,
        Program("web", web, files=(listener,), grace_s=server.timeout_s + 5),
    ]


# Programs that are no part of the engine, by the module whose process they are.
_MODULES = {"web": "shizi.server.web", "jobs": "shizi.jobs.dispatcher"}


def _command(
    name: str, reports: int, plan: DecodersPlan | EnginePlan | WebPlan | DispatcherPlan
) -> list[str]:
    module = _MODULES.get(name)
    program = [module] if module else ["shizi.engine.programs", name]
    return [sys.executable, "-m", *program, str(reports), json.dumps(asdict(plan))]


def _generation(current: Path, generation: int) -> Path:
    return current.with_name(f"engine-{generation}.sock")


def _point(current: Path, target: Path) -> None:
    """Let the name all calls go to lead to another engine; there is no moment without one."""
    link = current.with_suffix(".new")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(current)


def _answers(path: Path) -> bool:
    try:
        EngineLink(path).ping(_PING_S)
    except ShiziError:
        return False
    return True
