"""A worker on a machine of its own: it takes chunks from the queue and reads them."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from shizi.core.config import Settings
from shizi.core.errors import ConfigError
from shizi.engine.allowance import Allowance, allow
from shizi.engine.budget import measure_budget
from shizi.engine.keeper import Program
from shizi.engine.launcher import make_starter
from shizi.engine.programs import program_command
from shizi.engine.supervisor import Supervisor
from shizi.jobs.consumer import ConsumerPlan, Echo
from shizi.jobs.dispatcher import pace_of
from shizi.jobs.queue import PING, QUEUE, make_app
from shizi.jobs.site import check_jobs
from shizi.models.manifest import Task
from shizi.server.engines import model_store
from shizi.server.serve import (
    DECODERS,
    JOBS,
    engine_programs,
    environment_of,
    jobs_program,
    wanted_versions,
)

CONSUMER = "shizi.jobs.consumer"


def work(settings: Settings, announce: Callable[[], None]) -> None:
    """Work until SIGTERM or SIGINT; pages in work end first, the rest is given back.

    Args:
        settings: resolved at the edge.
        announce: called once chunks are taken.

    Raises:
        ConfigError: the settings name no broker.
        MissingExtra: Celery is not installed.
        ShiziError: a process could not start; the message says why.
    """
    check_jobs(settings.jobs)
    if not settings.jobs.broker:
        raise ConfigError("a worker needs jobs.broker, such as redis://host:6379/0")
    with tempfile.TemporaryDirectory(prefix="shizi-") as name:
        folder = Path(name)
        allowance = allow(settings, measure_budget().cpus)
        stable = model_store(settings).find(settings.reader.recognizer, Task.RECOGNIZE).ref
        wanted = wanted_versions(settings, stable)
        programs = [
            *engine_programs(settings, allowance, folder, stable, wanted),
            consumer_program(settings, allowance, folder),
            jobs_program(settings, folder, 0),
        ]
        status = folder / "status.json"
        starter = make_starter((DECODERS, JOBS, CONSUMER), environment_of(settings, allowance))
        Supervisor(programs, starter, status).run(announce)


def consumer_program(settings: Settings, allowance: Allowance, folder: Path) -> Program:
    """Give the process that takes chunks; one that hears nothing any more is replaced."""
    server, jobs = settings.server, settings.jobs
    queue = f"{QUEUE}.{socket.gethostname()}.{secrets.token_hex(4)}"
    life = folder / "consumer.life"
    app = make_app(jobs, pace_of(jobs))

    def consume(_: int, reports: int) -> Sequence[str]:
        plan = ConsumerPlan(str(folder), allowance.places, queue, str(life), server.log_format)
        return program_command(CONSUMER, reports, plan)

    def send() -> None:
        app.send_task(PING, queue=queue, retry=False, expires=60)

    echo = Echo(send, life)
    return Program(
        "consumer",
        consume,
        is_well=lambda _: echo.is_well(),
        grace_s=server.timeout_s + 5,
        overlap=False,
    )
