"""The one place where a reader is put together from the settings."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from shizi.core.config import Settings
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.models.store import ModelStore


class AnyReader(Protocol):
    """What the commands need of a reader."""

    def read(self, source: str | bytes, options: ReadOptions, /) -> list[PageResult]:
        """Read a file by its path, or encoded bytes."""
        ...


def open_reader(settings: Settings) -> AnyReader:
    """Load the models and give the reader on them.

    Raises:
        ModelError: a model is missing or damaged.
    """
    reader: AnyReader = import_module("shizi.engine.reader").Reader(
        recognizer=settings.reader.recognizer, threads=settings.reader.threads
    )
    return reader


def open_store(settings: Settings) -> ModelStore:
    """Give the models of the settings' folder and the bundled ones."""
    return ModelStore((settings.paths.models,) if settings.paths.models else ())
