"""The one place where a reader is put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shizi.core.config import Settings
from shizi.models.store import ModelStore

if TYPE_CHECKING:
    from shizi.engine.reader import Reader


def open_reader(settings: Settings) -> Reader:
    """Load the models and give the reader on them.

    Raises:
        ModelError: a model is missing or damaged.
    """
    # The network runtime takes a fifth of a second to load; only what reads pays for it.
    from shizi.engine.reader import Reader  # noqa: PLC0415

    return Reader(settings.reader.recognizer, settings.reader.threads, settings.paths.models)


def open_store(settings: Settings) -> ModelStore:
    """Give the models of the settings' folder and the bundled ones."""
    return ModelStore.beside(settings.paths.models)
