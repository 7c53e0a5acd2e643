"""Starts all processes of the service, and ends them cleanly."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shizi.core.config import ServerSettings, Settings, to_environment
from shizi.core.errors import ConfigError
from shizi.engine.allowance import Allowance, allow
from shizi.engine.budget import measure_budget
from shizi.engine.fleet import FleetOptions
from shizi.engine.keeper import Program
from shizi.engine.launcher import make_starter
from shizi.engine.memory import LEAN_MEMORY
from shizi.engine.plans import DecoderOptions, DecodersPlan, WebPlan
from shizi.engine.programs import program_command
from shizi.engine.supervisor import Supervisor
from shizi.jobs.dispatcher import DispatcherPlan
from shizi.jobs.site import check_jobs, holds_files
from shizi.models.manifest import Task
from shizi.server.engines import Wanted, make_fleet, model_store

#: Modules whose `main` is a process of the service.
WEB = "shizi.server.web"
DECODERS = "shizi.engine.decoders"
JOBS = "shizi.jobs.dispatcher"
LEAD = "shizi.release.lead"
_BACKLOG = 2048
_THRESHOLDS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def serve(settings: Settings, announce: Callable[[str], None], config: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; the requests that were accepted end first.

    Args:
        settings: resolved at the edge.
        announce: takes one line, once all is ready, that says where the page is.
        config: the settings file, part of which may change while the service runs.

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
        stable = model_store(settings).find(settings.reader.recognizer, Task.RECOGNIZE).ref
        place = Place(Path(folder), listener.fileno(), stable, config)
        programs = make_programs(settings, allowance, place, wanted_versions(settings, stable))
        status = Path(folder, "status.json")
        starter = make_starter(shared_modules(settings), environment_of(settings, allowance))
        supervisor = Supervisor(programs, starter, status)
        url = page_url(settings.server.host, listener.getsockname()[1])
        supervisor.run(lambda: announce(f"reading pages at {url}  (Ctrl-C stops)"))


def environment_of(settings: Settings, allowance: Allowance) -> dict[str, str]:
    """Give the environment of all processes: their settings, and how they hold memory."""
    environment = to_environment(kept_within(settings, allowance))
    return environment | LEAN_MEMORY | dict.fromkeys(_THRESHOLDS, str(allowance.heap_bytes))


def shared_modules(settings: Settings) -> list[str]:
    """Give the modules that the processes are forked with.

    The engine's are not among them: a runtime of networks is best begun in the process it works in.
    """
    jobs = [JOBS] if settings.jobs.enabled else []
    return [DECODERS, *jobs, *([LEAD] if settings.releases.store else []), WEB]


def with_folder(settings: Settings, folder: Path) -> Settings:
    """Give jobs a folder that lasts as long as the service, where the settings name none."""
    check_jobs(settings.jobs)
    if settings.jobs.folder is not None:
        return settings
    return replace(settings, jobs=replace(settings.jobs, folder=_jobs_folder(folder)))


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service is on this machine.

    Attributes:
        folder: of the sockets; only this user can enter it.
        listener: descriptor of the page's socket.
        stable: version that answers where no release says otherwise.
        config: the settings file, None where there is none.
    """

    folder: Path
    listener: int
    stable: str
    config: Path | None = None


def wanted_versions(settings: Settings, stable: str) -> Wanted:
    """Give what tells the versions to keep loaded, the one that answers by default first.

    Args:
        settings: resolved.
        stable: version that answers where there never was a release.
    """
    if not settings.releases.store:
        return lambda: (stable,)
    # A service without releases does without what reads their state.
    from shizi.release.places import open_store  # noqa: PLC0415
    from shizi.release.watcher import Watcher  # noqa: PLC0415

    watcher = Watcher(open_store(settings.releases.store), time.monotonic)
    watcher.start()

    def wanted() -> Sequence[str]:
        document = watcher.document
        return document.wanted if document else (stable,)

    return wanted


def make_programs(
    settings: Settings, allowance: Allowance, place: Place, wanted: Wanted
) -> list[Program | FleetOptions]:
    """Give the processes of the service in the order they start.

    Args:
        settings: resolved.
        allowance: what they may take.
        place: where they are.
        wanted: gives the versions of the recognizer to keep.
    """
    folder, server = place.folder, settings.server
    log = server.log_format

    def web(_: int, reports: int) -> Sequence[str]:
        status = str(folder / "status.json")
        plan = WebPlan(place.listener, str(folder), place.stable, status, log)
        return program_command(WEB, reports, plan)

    def follow(_: int, reports: int) -> Sequence[str]:
        from shizi.release.lead import LeadPlan  # noqa: PLC0415 - as above

        plan = LeadPlan(str(place.config or ""), log)
        return program_command(LEAD, reports, plan)

    lead = [Program("release", follow)] if settings.releases.store else []

    # Where there is a broker, workers elsewhere read; the service looks after the jobs alone.
    busy = 0 if settings.jobs.broker else allowance.places
    jobs = [jobs_program(settings, folder, busy)] if settings.jobs.enabled else []
    return [
        *engine_programs(settings, allowance, folder, place.stable, wanted),
        *lead,
        *jobs,
        Program("web", web, files=(place.listener,), grace_s=server.timeout_s + 5),
    ]


def engine_programs(
    settings: Settings, allowance: Allowance, folder: Path, stable: str, wanted: Wanted
) -> list[Program | FleetOptions]:
    """Give the processes that read; see `make_programs`."""
    options = DecoderOptions(
        settings.engine.decoders or allowance.places, settings.engine.decoder_inputs
    )
    plan = DecodersPlan(str(folder / "decoders.sock"), options, settings.server.log_format)

    def decode(_: int, reports: int) -> Sequence[str]:
        return program_command(DECODERS, reports, plan)

    return [
        Program("decoders", decode),
        make_fleet(settings, allowance, folder, stable, wanted),
    ]


def jobs_program(settings: Settings, folder: Path, places: int) -> Program:
    """Give the process that works jobs in so many places, and looks after them."""
    server = settings.server

    def work(_: int, reports: int) -> Sequence[str]:
        plan = DispatcherPlan(str(folder), places, server.timeout_s, server.log_format)
        return program_command(JOBS, reports, plan)

    def is_wanted() -> bool:
        # In a folder of the service's own there is nothing to do before the first files arrive.
        own = settings.jobs.folder == _jobs_folder(folder)
        return not own or holds_files(settings.jobs)

    return Program("jobs", work, grace_s=server.timeout_s + 5, is_wanted=is_wanted)


def _jobs_folder(folder: Path) -> Path:
    return folder / "jobs"
