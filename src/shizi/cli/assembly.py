"""The one place where a reader is put together from the settings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from shizi.core.config import Settings
from shizi.models.store import ModelStore

if TYPE_CHECKING:
    from shizi.engine.reader import Reader


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that name the networks."""
    for task in ("recognizer", "detector"):
        parser.add_argument(
            f"--{task}", dest=f"reader.{task}", metavar="NAME", help="see `shizi models list`"
        )


def open_reader(settings: Settings) -> Reader:
    """Load the models and give the reader on them.

    Raises:
        ModelError: a model is missing or damaged.
    """
    # The network runtime takes a fifth of a second to load; only what reads pays for it.
    from shizi.engine.reader import Reader  # noqa: PLC0415

    reader = settings.reader
    models = settings.paths.models
    return Reader(reader.recognizer, reader.threads, models, detector=reader.detector)


def open_store(settings: Settings) -> ModelStore:
    """Give the models of the settings' folder and the bundled ones."""
    return ModelStore.beside(settings.paths.models)
