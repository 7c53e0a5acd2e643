"""Starts the service's processes as forks of one that has imported what they need.

Interpreters that are started anew import the same modules each, and none of them changes what it
imported: in five processes some 60 MB. Forks of one process, the zygote, share them.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

import msgspec

from shizi.core.errors import StartFailed
from shizi.engine.programs import PREFIX
from shizi.engine.starting import Process, Spawner, Starter
from shizi.engine.zygote import ORDER_BYTES, Order

_log = logging.getLogger(__name__)

_ZYGOTE = "shizi.engine.zygote"
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.01


class Launcher:
    """Starts our programs as forks of a process that has imported them; on Linux only.

    For one thread. The process that makes it is given the orphans of its descendants until it is
    closed, so that a program is its child though another process forked it.

    Args:
        modules: to be imported, best all that the programs need.
        environment: of the processes.

    Raises:
        StartFailed: it could not be started.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._modules, self._spawner = tuple(modules), Spawner(environment)
        self._running: dict[int, LaunchedProcess] = {}
        _take_orphans(True)
        self._process, self._socket = self._launch()

    @property
    def pid(self) -> int:
        """Of the process that forks."""
        return self._process.pid

    def start(self, name: str, command: Sequence[str], files: Sequence[int]) -> Process:
        """Start one of our programs; see `Starter.start`.

        Raises:
            StartFailed: it could not be started.
            ValueError: the command is not one of `programs.program_command`.
        """
        if tuple(command[: len(PREFIX)]) != PREFIX:
            raise ValueError(f"{name} is none of our programs")
        order = msgspec.json.encode(Order(name, tuple(command[len(PREFIX) :]), tuple(files)))
        try:
            pid = self._ask(order, files)
        except OSError as error:
            _log.warning(
                "the process that others are forked from is gone (%s) and is replaced",
                type(error).__name__,
            )
            self._end()
            self._process, self._socket = self._launch()
            try:
                pid = self._ask(order, files)
            except OSError as again:
                raise StartFailed(f"the process {name} cannot be forked: {again}") from again
        process = self._running[pid] = LaunchedProcess(pid)
        return process

    def reap(self) -> None:
        """Let go of orphans that ended, such as the worker of a web process that was killed."""
        self._process.poll()
        for pid, process in list(self._running.items()):
            if process.returncode is not None:
                del self._running[pid]
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, flags)
            except ChildProcessError:
                return
            # One that is asked for hides the orphans behind it until its keeper has looked.
            if dead is None or dead.si_pid in {*self._running, self._process.pid}:
                return
            os.waitpid(dead.si_pid, 0)

    def close(self) -> None:
        """End the process that forks; those it started live on."""
        self._end()
        _take_orphans(False)

    def _end(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _launch(self) -> tuple[Process, socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", _ZYGOTE, str(theirs.fileno()), *self._modules]
            try:
                return self._spawner.start("zygote", command, [theirs.fileno()]), ours
            except StartFailed:
                ours.close()
                raise

    def _ask(self, order: bytes, files: Sequence[int]) -> int:
        """Have a program forked; gives its process. Raises OSError where the zygote is gone."""
        socket.send_fds(self._socket, [order], files)
        answer = self._socket.recv(ORDER_BYTES)
        if not answer:
            raise ConnectionResetError("no answer")
        return int(answer)


class LaunchedProcess:
    """A process that was forked elsewhere and fell to this one; threads may share it.

    Attributes:
        pid: of it.
        returncode: status it ended with, negative for a signal; None while it is not known.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        # A number that was reaped may be another process's a moment later.
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Give the status it ended with, None while it runs."""
        with self._lock:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            subprocess.TimeoutExpired: it runs still.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_S)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with self._lock:
                if self.returncode is None:
                    os.kill(self.pid, number)


def _take_orphans(take: bool) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(take))


def make_starter(modules: Sequence[str], environment: Mapping[str, str]) -> Starter:
    """Give what starts processes best on this system.

    Args:
        modules: that they have in common; none starts each as a new interpreter.
        environment: of the processes.

    Raises:
        StartFailed: the zygote could not be started.
    """
    if modules and sys.platform == "linux":
        return Launcher(modules, environment)
    return Spawner(environment)
