"""What the service knows of the engine behind it: whether it is ready, its models, its numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shizi.core.config import Settings
from shizi.core.errors import ModelNotFound, ShiziError
from shizi.engine.fleet import EngineReport, active_socket, engine_reports, socket_of
from shizi.engine.link import EngineLink
from shizi.formats import Json
from shizi.models.manifest import Task
from shizi.server.exposition import merge_metrics
from shizi.server.processes import processes_to_text, read_status

_PING_S = 2.0


class ServiceState(Protocol):
    """What the engine tells of itself; threads share it."""

    def unready(self) -> str | None:
        """Say why pictures cannot be read now; None where they can."""
        ...

    def models(self) -> Sequence[Json]:
        """Describe the models: `Manifest.to_dict`, active, and engine where one reads with it."""
        ...

    def metrics(self) -> bytes:
        """Give further numbers in the text form of Prometheus; empty for none."""
        ...


class InProcessState:
    """Of a reader in this process, which is ready once it is made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def unready(self) -> str | None:
        """Say why pictures cannot be read now; None where they can."""
        return None

    def models(self) -> Sequence[Json]:
        """Describe the installed models; the disk is read on every call."""
        # Only who asks for the models pays for what reads their manifests.
        from shizi.models.store import (  # noqa: PLC0415
            DEFAULT_LANGUAGE,
            SECOND_RECOGNIZER,
            ModelStore,
        )

        store = ModelStore.beside(self._settings.paths.models)
        active = set()
        for name, task in (
            (self._settings.reader.recognizer, Task.RECOGNIZE),
            (SECOND_RECOGNIZER, Task.RECOGNIZE),
            (self._settings.reader.detector, Task.DETECT),
            (DEFAULT_LANGUAGE, Task.LANGUAGE),
        ):
            with contextlib.suppress(ModelNotFound):
                active.add(store.find(name, task).ref)
        return [m.to_dict() | {"active": m.ref in active} for m in store.manifests()]

    def metrics(self) -> bytes:
        """Give further numbers in the text form of Prometheus; empty for none."""
        return b""


class EngineState:
    """Of engines in other processes.

    Args:
        settings: resolved.
        folder: of the engines' sockets.
        status: file the supervisor writes about the processes.
    """

    def __init__(self, settings: Settings, folder: Path, status: Path) -> None:
        self._models = InProcessState(settings)
        self._folder = folder
        self._link = EngineLink(active_socket(folder))
        self._status = status

    def unready(self) -> str | None:
        """Say why pictures cannot be read now; None where they can."""
        try:
            self._link.ping(_PING_S)
        except ShiziError as error:
            return error.detail
        return None

    def models(self) -> Sequence[Json]:
        """Describe the installed models, and how far the engines of those are that have one."""
        live = self._engines()

        def told(model: Json) -> Json:
            engine = live.get(f"{model['name']}@{model['version']}")
            if model["task"] != Task.RECOGNIZE or engine is None:
                return model
            return model | {
                "active": True,
                "engine": {
                    "state": engine.state.value,
                    "default": engine.default,
                    "error": engine.error,
                },
            }

        return [told(model) for model in self._models.models()]

    def metrics(self) -> bytes:
        """Give the numbers of the engines that answer, and those of the processes."""
        texts = []
        for version in self._engines():
            link = EngineLink(socket_of(self._folder, version), patience_s=0.0)
            with contextlib.suppress(ShiziError):
                texts.append(link.ping(_PING_S).metrics)
        return merge_metrics([*texts, processes_to_text(self._status)])

    def _engines(self) -> dict[str, EngineReport]:
        return engine_reports(read_status(self._status))
