"""Where the owner's wishes for a release come from, while it runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from shizi.core.config import text_to_routing
from shizi.core.errors import ConfigError, ReleaseStoreGone, ShiziError
from shizi.core.sections import RoutingSettings

_log = logging.getLogger(__name__)


class ConfigSource(Protocol):
    """A place that holds a text of settings, YAML or JSON, with a section `model_routing`."""

    name: str

    def read(self) -> str | None:
        """Give the text; None where there is none.

        Raises:
            ReleaseStoreGone: the place cannot be reached.
        """
        ...


class FileSource:
    """A file; it is read whole each time, so that a link swapped under it is seen.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def read(self) -> str | None:
        """Give the text; None where there is no such file."""
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ReleaseStoreGone(f"{self._path} cannot be read") from error


class RoutingWatch:
    """Keeps the last good wishes; a torn or impossible text changes nothing.

    Args:
        source: of the text; None where nothing is watched.
        initial: what holds until it can be read.
    """

    def __init__(self, source: ConfigSource | None, initial: RoutingSettings) -> None:
        self._source = source
        self._initial = initial
        self._text: str | None = None
        self.routing = initial
        self.problem = ""

    def poll(self) -> bool:
        """Read once; tell whether the wishes are others than before."""
        if self._source is None:
            return False
        try:
            text = self._source.read()
            if text == self._text and not self.problem:
                return False
            routing = text_to_routing(text, self._source.name) if text else self._initial
        except ShiziError as error:
            return self._keep(error)
        before, self.routing = self.routing, routing
        self._text, self.problem = text, ""
        return before != routing

    def _keep(self, error: ShiziError) -> bool:
        if error.detail != self.problem:
            kind = "refused" if isinstance(error, ConfigError) else "out of reach"
            _log.warning("model_routing stays as it is, its source is %s: %s", kind, error.detail)
        self.problem = error.detail
        return False
