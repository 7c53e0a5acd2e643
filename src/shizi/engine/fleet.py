"""Keeps an engine for every version of the recognizer that is wanted, one process each.

A version is started beside those that serve, warmed and tried out before it counts as ready, and
let go only when nobody is sent to it any more: calls are never without an engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from shizi.core.errors import ShiziError, StartFailed
from shizi.engine.keeper import Keeper, Program
from shizi.engine.starting import Starter

_log = logging.getLogger(__name__)

#: Name of the processes that read.
ENGINE = "engine"
#: An engine nobody wants serves so long still: whoever chose it a moment ago is on his way.
LINGER_S = 3.0
# What a replacement is counted under that the fleet itself ordered.
_ORDERED = frozenset({"memory", "retired"})


class EngineState(StrEnum):
    """How far an engine is."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    """It could not be loaded, or did not pass its trial; it is not tried again while wanted."""
    DRAINING = "draining"
    """It takes nothing new and ends with its last call."""


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How a fleet goes about it.

    Attributes:
        folder: of the sockets.
        wanted: gives the versions to keep, the one that answers by default first.
        program: gives the program of a version; its `on_ready` and `is_well` are its own.
        room: raises where there is no memory for one more version.
        idle: says whether no call is in work or waits at a version's engine.
        load_s: a version that is not ready after so long is given up.
        drain_s: an engine nobody wants any more ends at the latest after so long.
        clock: seconds that only grow.
    """

    folder: Path
    wanted: Callable[[], Sequence[str]]
    program: Callable[[str], Program]
    room: Callable[[str], None] = lambda _: None
    idle: Callable[[str], bool] = lambda _: True
    load_s: float = 120.0
    drain_s: float = 600.0
    clock: Callable[[], float] = time.monotonic


def socket_of(folder: Path, version: str) -> Path:
    """Give the name that leads to the engine of a version, whichever process it is now.

    A path of a socket has a hundred characters at most, and a version may have as many.
    """
    return folder / f"engine-{blake2b(version.encode(), digest_size=6).hexdigest()}.sock"


def leaving_mark(folder: Path, version: str) -> Path:
    """Give the file that is there while the engine of a version serves to the end of its calls.

    Work that keeps to a version and could go on for ever is not to hold it.
    """
    return socket_of(folder, version).with_suffix(".leaving")


def active_socket(folder: Path) -> Path:
    """Give the name that leads to the engine that answers by default."""
    return folder / "engine.sock"


def point(name: Path, target: Path) -> None:
    """Let a name lead to another socket; there is no moment without one."""
    link = name.with_suffix(".new")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(name)


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What the supervisor tells of the engine of a version.

    Attributes:
        version: it reads with.
        state: how far it is.
        error: code and detail of why it failed; empty where it did not.
        deaths: how often its process ended by itself.
        default: whether it answers by default.
    """

    version: str
    state: EngineState
    error: str = ""
    deaths: int = 0
    default: bool = False


def engine_reports(status: Mapping[str, Mapping[str, Any]]) -> dict[str, EngineReport]:
    """Give the engines, by version, out of what the supervisor wrote of all processes."""
    return {
        entry["version"]: EngineReport(
            entry["version"],
            EngineState(entry["state"]),
            entry["error"],
            entry["deaths"],
            entry["default"],
        )
        for entry in status.values()
        if entry.get("process") == ENGINE
    }


class _Member:
    """The engine of one version.

    Attributes:
        version: it reads with.
        state: how far it is.
        error: why it failed; None where it did not.
        keeper: of its process; None where none was started.
        since_s: when it was started.
        unwanted_s: since when nobody wants it; None while somebody does.
    """

    def __init__(
        self, version: str, since_s: float, keeper: Keeper | None, error: ShiziError | None = None
    ) -> None:
        self.version, self.since_s = version, since_s
        self.keeper = keeper
        self.error = error
        self.state = EngineState.FAILED if error else EngineState.LOADING
        self.unwanted_s: float | None = None

    @property
    def deaths(self) -> int:
        """How often its process ended by itself."""
        replaced = self.keeper.replaced if self.keeper else {}
        return sum(n for reason, n in replaced.items() if reason not in _ORDERED)

    def fail(self, error: ShiziError) -> None:
        """Give it up."""
        _log.error("%s is not taken into service: %s", self.version, error.detail)
        self.state, self.error = EngineState.FAILED, error
        if self.keeper is not None:
            self.keeper.ask_to_end()

    @property
    def ready(self) -> bool:
        """Whether a process of it works."""
        return self.keeper is not None and self.keeper.ready


class Fleet:
    """Keeps the engines; like a `Keeper`, looked at now and then by the supervisor.

    Args:
        options: what is wanted, and how it is started.
        starter: of the processes.
    """

    def __init__(self, options: FleetOptions, starter: Starter) -> None:
        self._options = options
        self._starter = starter
        self._members: dict[str, _Member] = {}
        self._active = ""
        self._started = False

    @property
    def ready(self) -> bool:
        """Whether there is an engine that answers by default."""
        member = self._members.get(self._active)
        return member is not None and member.ready

    @property
    def keepers(self) -> list[Keeper]:
        """The keepers of all processes."""
        return [m.keeper for m in list(self._members.values()) if m.keeper is not None]

    def start(self) -> None:
        """Start the engine that answers by default; the others follow once it is ready."""
        self._active = self._options.wanted()[0]
        folder = self._options.folder
        point(active_socket(folder), socket_of(folder, self._active))
        self._start(self._active)

    def look(self) -> None:
        """Take note of what happened and of what is wanted, and do what it asks for.

        Raises:
            ShiziError: the first engine that is to answer by default cannot get ready, and why.
        """
        wanted = tuple(self._options.wanted())
        for member in list(self._members.values()):
            self._look_at(member)
        self._started = self._started or self.ready
        if not self._started:
            return
        for version in wanted:
            if version not in self._members:
                self._add(version)
        self._give_up_slow()
        self._choose_active(wanted[0])
        self._let_go(wanted)

    def end(self) -> None:
        """End all engines, each with its last call."""
        for keeper in self.keepers:
            keeper.ask_to_end()
        for keeper in self.keepers:
            keeper.end()

    def status(self) -> dict[str, dict[str, object]]:
        """Describe the engines by a name of each, for whoever watches."""
        return {
            f"engine {member.version}": {
                "process": ENGINE,
                "version": member.version,
                "default": member.version == self._active,
                "state": member.state.value,
                "error": f"{member.error.code}: {member.error.detail}" if member.error else "",
                "deaths": member.deaths,
                **(member.keeper.status() if member.keeper else Keeper.NO_STATUS),
            }
            for member in list(self._members.values())
        }

    def _add(self, version: str) -> None:
        """Start an engine beside those there are, if there is room for it."""
        try:
            self._options.room(version)
        except ShiziError as error:
            member = _Member(version, self._options.clock(), None)
            member.fail(error)
            self._members[version] = member
        else:
            _log.info("%s is being taken into service", version)
            self._start(version)

    def _start(self, version: str) -> None:
        keeper = Keeper(self._options.program(version), self._starter)
        self._members[version] = _Member(version, self._options.clock(), keeper)
        keeper.start()

    def _look_at(self, member: _Member) -> None:
        keeper = member.keeper
        if keeper is None:
            return
        if member.state is EngineState.DRAINING:
            if keeper.is_over():
                self._forget(member)
                _log.info("%s is out of service", member.version)
        elif member.state is EngineState.FAILED:
            keeper.is_over()  # reaps its process
        else:
            try:
                keeper.look()
            except ShiziError as error:
                if not self._started:
                    raise
                member.fail(error)
                return
            if keeper.ready:
                member.state = EngineState.READY

    def _give_up_slow(self) -> None:
        for member in self._members.values():
            late = self._options.clock() - member.since_s > self._options.load_s
            if member.state is EngineState.LOADING and late:
                member.fail(StartFailed(f"{member.version} does not get ready"))

    def _choose_active(self, version: str) -> None:
        """Let the default lead to another version as soon as that is ready, and no sooner."""
        member = self._members[version]
        if version == self._active or member.state is not EngineState.READY or not member.ready:
            return
        folder = self._options.folder
        point(active_socket(folder), socket_of(folder, version))
        _log.info("%s answers by default, in the place of %s", version, self._active)
        self._active = version

    def _let_go(self, wanted: Sequence[str]) -> None:
        """Let the engines end that nobody wants, each once nobody can be on his way to it."""
        for member in list(self._members.values()):
            if member.version in wanted or member.version == self._active:
                if member.unwanted_s is not None:
                    leaving_mark(self._options.folder, member.version).unlink(missing_ok=True)
                member.unwanted_s = None
            elif member.state is EngineState.FAILED and (
                member.keeper is None or member.keeper.is_over()
            ):
                self._forget(member)
            elif member.state is not EngineState.DRAINING and self._may_go(member):
                member.state = EngineState.DRAINING
                if member.keeper is not None:
                    member.keeper.ask_to_end()

    def _may_go(self, member: _Member) -> bool:
        now_s = self._options.clock()
        if member.unwanted_s is None:
            member.unwanted_s = now_s
            leaving_mark(self._options.folder, member.version).touch()
        unwanted_for_s = now_s - member.unwanted_s
        if unwanted_for_s < LINGER_S:
            return False
        return unwanted_for_s > self._options.drain_s or self._options.idle(member.version)

    def _forget(self, member: _Member) -> None:
        del self._members[member.version]
        folder = self._options.folder
        for name in (socket_of(folder, member.version), leaving_mark(folder, member.version)):
            name.unlink(missing_ok=True)
