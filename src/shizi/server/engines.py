"""The engines of the service: one a version, each with its own program, memory looked at before."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from shizi.core.config import Settings
from shizi.core.errors import ShiziError
from shizi.engine.allowance import Allowance
from shizi.engine.budget import measure_budget
from shizi.engine.fleet import ENGINE, FleetOptions, point, socket_of
from shizi.engine.headroom import Headroom
from shizi.engine.keeper import Program
from shizi.engine.link import EngineLink
from shizi.engine.memory import family, free_bytes, memory_bytes
from shizi.engine.plans import GOLDEN_ERRORS, EnginePlan
from shizi.engine.programs import program_command
from shizi.models.manifest import Task
from shizi.models.store import ModelStore

#: Module whose `main` is the process of an engine.
ENGINE_MODULE = "shizi.engine.worker"
_PING_S = 5.0
_LOOK_S = 1.0

Wanted = Callable[[], Sequence[str]]


def model_store(settings: Settings) -> ModelStore:
    """Give the models of the settings' folder and the bundled ones."""
    return ModelStore.beside(settings.paths.models)


def make_fleet(
    settings: Settings, allowance: Allowance, folder: Path, stable: str, wanted: Wanted
) -> FleetOptions:
    """Say how the engines are kept.

    Args:
        settings: resolved.
        allowance: what they may take.
        folder: of the sockets.
        stable: version that serves from the start.
        wanted: gives the versions to keep, the one that answers by default first.
    """
    headroom = Headroom(
        settings.engine.memory_budget,
        allowance.version_bytes,
        lambda: sum(map(memory_bytes, family(os.getpid()))),
        lambda: free_bytes(measure_budget().memory_bytes),
    )

    def program(version: str) -> Program:
        # A service with a weak model is better than none; a release needs no weak model.
        golden_errors = 1.0 if version == stable else GOLDEN_ERRORS
        return _program(
            settings, allowance, _plan(settings, allowance, folder, version, golden_errors)
        )

    def room(version: str) -> None:
        manifest = model_store(settings).find(version, Task.RECOGNIZE)
        headroom.check(version, manifest.size_bytes)

    return FleetOptions(
        folder=folder,
        wanted=wanted,
        program=program,
        room=room,
        idle=lambda version: _is_idle(socket_of(folder, version)),
        drain_s=settings.server.max_request_timeout_s,
    )


def _plan(
    settings: Settings, allowance: Allowance, folder: Path, version: str, golden_errors: float
) -> EnginePlan:
    """Say what the engine of a version is told; its socket is the name that leads to it."""
    engine = settings.engine
    return EnginePlan(
        socket=str(socket_of(folder, version)),
        decoders=str(folder / "decoders.sock"),
        recognizer=version,
        detector=settings.reader.detector,
        models=str(settings.paths.models or ""),
        threads=settings.reader.threads,
        places=allowance.places,
        waiting=engine.waiting,
        batch_columns=allowance.batch_columns,
        arena_bytes=allowance.arena_bytes,
        decode_s=engine.decode_s,
        grace_s=settings.server.timeout_s,
        golden_errors=golden_errors,
        log_format=settings.server.log_format,
    )


def _program(settings: Settings, allowance: Allowance, plan: EnginePlan) -> Program:
    """Say how an engine is kept: each generation has a socket of its own, the name follows."""
    name = Path(plan.socket)

    def command(generation: int, reports: int) -> Sequence[str]:
        socket = str(_generation(name, generation))
        return program_command(ENGINE_MODULE, reports, replace(plan, socket=socket))

    return Program(
        ENGINE,
        command,
        on_ready=lambda generation: point(name, _generation(name, generation)),
        is_well=lambda generation: _answers(_generation(name, generation)),
        grace_s=plan.grace_s + 5,
        most_bytes=allowance.engine_bytes,
        # For a moment there are two: not where memory is counted.
        overlap=not settings.engine.memory_budget,
    )


def _generation(name: Path, generation: int) -> Path:
    return name.with_name(f"{name.stem}-{generation}{name.suffix}")


def _answers(path: Path) -> bool:
    try:
        EngineLink(path).ping(_PING_S)
    except ShiziError:
        return False
    return True


def _is_idle(path: Path) -> bool:
    """Say whether an engine has nothing in work; one that is gone has not."""
    try:
        pong = EngineLink(path, patience_s=0.0).ping(_LOOK_S)
    except ShiziError:
        return True
    return not pong.working and not pong.waiting
