"""How the processes of the service are started: what one is to its keeper, and the plain way."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Protocol

from shizi.core.errors import StartFailed


class Process(Protocol):
    """A process that was started, as `subprocess.Popen` shows one.

    Attributes:
        pid: of it.
        returncode: status it ended with, negative for a signal; None while it runs.
    """

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Give the status it ended with, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


class Starter(Protocol):
    """Starts processes."""

    def start(self, name: str, command: Sequence[str], files: Sequence[int]) -> Process:
        """Start one in a group of its own: Ctrl-C is for the supervisor alone.

        Args:
            name: for whoever lists the processes of the machine.
            command: its arguments, the program first.
            files: descriptors it inherits under the same numbers.

        Raises:
            StartFailed: it could not be started.
        """
        ...

    def reap(self) -> None:
        """Let go of processes that ended and that nobody asks for."""
        ...

    def close(self) -> None:
        """Start nothing any more; what runs is left alone."""
        ...


class Spawner:
    """Starts every process as a new interpreter; works anywhere.

    Args:
        environment: of the processes.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def start(self, name: str, command: Sequence[str], files: Sequence[int]) -> Process:
        """Start a process; see `Starter.start`."""
        try:
            return subprocess.Popen(  # noqa: S603 - our own program
                list(command),
                env=self._environment,
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        except OSError as error:
            raise StartFailed(f"the process {name} cannot be started: {error}") from error

    def reap(self) -> None:
        """Do nothing: all children are asked for."""

    def close(self) -> None:
        """Do nothing."""
