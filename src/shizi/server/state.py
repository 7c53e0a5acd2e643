"""What the service knows of the engine behind it: whether it is ready, its models, its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shizi.core.config import Settings
from shizi.formats import Json


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
            {
                "name": manifest.name,
                "version": manifest.version,
                "task": manifest.task.value,
                "bytes": manifest.size_bytes,
                "sha256": manifest.sha256,
                "licence": manifest.licence,
                "source": manifest.source,
                "active": manifest.name in active,
            }
            for manifest in ModelStore((folder,) if folder else ()).manifests()
        ]

    def metrics(self) -> bytes:
        """Give further numbers in the text form of Prometheus; empty for none."""
        return b""
