"""The engines of a machine by version, for work that keeps to one while it lives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shizi.core.errors import (
    Busy,
    FileAccessError,
    InputError,
    OptionError,
    ShiziError,
    Unavailable,
)
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.engine.channel import RETURN_S
from shizi.engine.fleet import active_socket, leaving_mark, socket_of
from shizi.engine.link import EngineLink

_log = logging.getLogger(__name__)

#: After a start, the default is there first: another version is waited for so long.
ARRIVAL_S = 30.0
_AGAIN_S = 1.0
# No other version would do better with these.
_THEIRS = (InputError, OptionError, FileAccessError)


class VersionedEngines:
    """Reads with the engine of a version; where that is gone or fails, with the default one.

    A version that nobody wants any more counts as gone: work that goes on would hold its engine.
    Threads may share it; it holds no socket.

    Args:
        folder: of the engines' sockets.
        arrival_s: seconds from now within which a version that is not there may still come; such
            calls are told to try again.
        patience_s: how long an engine is waited for that is being replaced.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        folder: Path,
        arrival_s: float = 0.0,
        patience_s: float = RETURN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._patience_s = patience_s
        self._clock = clock
        self._arrived_s = clock() + arrival_s
        self._lost: dict[str, str] = {}
        self.default = EngineLink(active_socket(folder), patience_s)

    def reader(self, version: str) -> VersionReader:
        """Give what reads with a version, such as "crnn-s@0.4.0"."""
        return VersionReader(self, version)

    def read(self, version: str, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read all pages of an encoded picture or document; see `EngineLink.read`.

        Raises:
            Busy: the version takes no more calls for now, or may still come.
            ShiziError: whatever the reader raised.
        """
        path = socket_of(self._folder, version)
        process = _target(path)
        if not process and self._clock() < self._arrived_s:
            raise Busy(_AGAIN_S)
        leaving = leaving_mark(self._folder, version).exists()
        if not process or leaving or self._lost.get(version) == process:
            return self.default.read(source, options)
        try:
            return EngineLink(path, self._patience_s).read(source, options)
        except ShiziError as error:
            overloaded = isinstance(error, Busy) and not isinstance(error, Unavailable)
            if overloaded or isinstance(error, _THEIRS) or self._is_default(path):
                raise
            if isinstance(error, Unavailable):
                self._lose(version, process)
        return self.default.read(source, options)

    def _is_default(self, path: Path) -> bool:
        return Path(_target(active_socket(self._folder))).name == path.name

    def _lose(self, version: str, process: str) -> None:
        """Take note that a process is gone; until another has its place nobody waits for it."""
        if self._lost.get(version) != process:
            _log.info("%s is gone; the version that answers by default goes on", version)
        self._lost[version] = process


@dataclass(frozen=True, slots=True)
class VersionReader:
    """Reads with one version; see `VersionedEngines`.

    Attributes:
        engines: of this machine.
        version: that reads.
    """

    engines: VersionedEngines
    version: str

    def read(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read all pages of an encoded picture or document; see `VersionedEngines.read`."""
        return self.engines.read(self.version, source, options)


def _target(path: Path) -> str:
    """Give where a name leads; empty where there is none."""
    try:
        return str(path.readlink())
    except OSError:
        return ""
