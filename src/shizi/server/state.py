"""What the service knows of the engine behind it: whether it is ready, its models, its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shizi.core.config import Settings
from shizi.core.errors import ShiziError
from shizi.engine.link import EngineLink
from shizi.formats import Json
from shizi.server.processes import processes_to_text

_PING_S = 2.0


class ServiceState(Protocol):
    """What the engine tells of itself; threads share it."""

    def unready(self) -> str | None:
        """Say why pictures cannot be read now; None where they can."""
        ...

    def models(self) -> Sequence[Json]:
        """Describe the models: name, version, task, bytes, sha256, licence, source, active."""
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
            DEFAULT_DETECTOR,
            DEFAULT_LANGUAGE,
            SECOND_RECOGNIZER,
            ModelStore,
        )

        folder = self._settings.paths.models
        recognizer = self._settings.reader.recognizer
        active = {recognizer, SECOND_RECOGNIZER, DEFAULT_DETECTOR, DEFAULT_LANGUAGE}
        return [
            manifest.to_dict() | {"active": manifest.name in active}
            for manifest in ModelStore((folder,) if folder else ()).manifests()
        ]

    def metrics(self) -> bytes:
        """Give further numbers in the text form of Prometheus; empty for none."""
        return b""


class EngineState:
    """Of an engine in other processes.

    Args:
        settings: resolved.
        link: to the engine.
        status: file the supervisor writes about the processes.
    """

    def __init__(self, settings: Settings, link: EngineLink, status: Path) -> None:
        self._models = InProcessState(settings)
        self._link = link
        self._status = status

    def unready(self) -> str | None:
        """Say why pictures cannot be read now; None where they can."""
        try:
            self._link.ping(_PING_S)
        except ShiziError as error:
            return error.detail
        return None

    def models(self) -> Sequence[Json]:
        """Describe the installed models."""
        return self._models.models()

    def metrics(self) -> bytes:
        """Give the engine's numbers and those of the processes; without an engine, the latter."""
        processes = processes_to_text(self._status)
        try:
            return self._link.ping(_PING_S).metrics + processes
        except ShiziError:
            return processes
