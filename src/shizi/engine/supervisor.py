"""Keeps the processes of the service alive: starts them in order, replaces what dies or hangs."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shizi.core.deadline import Deadline
from shizi.core.errors import StartFailed
from shizi.engine.messages import bytes_to_error
from shizi.engine.programs import READY
from shizi.engine.signals import WakeUp, wake_on_signals

_log = logging.getLogger(__name__)

START_S = 120.0
#: Name under which the supervisor tells of itself.
SUPERVISOR = "supervisor"
_POLL_S = 0.5
# A process that lived shorter than this was not worth its start; its next one is put off.
_SHORT_LIFE_S = 10.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """A process to be kept alive.

    Attributes:
        name: for logs and metrics.
        command: gives the arguments for a generation, from 1, and the descriptor it reports on.
        files: descriptors it inherits.
        on_ready: called with the generation when one reports that it is ready.
        is_well: asked now and then whether a generation still works; None is not asked.
        grace_s: time it gets to end by itself.
    """

    name: str
    command: Callable[[int, int], Sequence[str]]
    files: Sequence[int] = ()
    on_ready: Callable[[int], None] = lambda _: None
    is_well: Callable[[int], bool] | None = None
    grace_s: float = 30.0


class _Keeper:
    """One program with the process that runs it now."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        self.generation = 0
        self.restarts: Counter[str] = Counter()
        self.next_start_s = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.condemned = ""
        self._environment = dict(environment)
        self._pause_s = 0.0
        self._started_s = 0.0
        self._reports = -1

    def start(self) -> None:
        """Start the next generation."""
        self.generation += 1
        self._started_s = time.monotonic()
        self.ready, self.condemned = False, ""
        self._reports, writing = os.pipe()
        os.set_blocking(self._reports, False)
        command = self.program.command(self.generation, writing)
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            list(command),
            env=self._environment,
            pass_fds=[writing, *self.program.files],
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for this process alone; the others are told in their order.
            process_group=0,
        )
        os.close(writing)

    def look(self) -> None:
        """Take note of what the process reported, and of its end.

        Raises:
            ShiziError: it could not start, and says why.
        """
        if not self.ready and self._reports >= 0:
            self._hear()
        if self.process is not None and self.process.poll() is not None:
            self._bury(self.process.returncode)

    def _hear(self) -> None:
        try:
            report = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return
        if report == READY:
            self.ready = True
            self.program.on_ready(self.generation)
        self._close_reports()
        if report and not self.ready:
            raise bytes_to_error(report)

    def _close_reports(self) -> None:
        if self._reports >= 0:
            os.close(self._reports)
            self._reports = -1

    def _bury(self, status: int) -> None:
        if not self.ready and self.generation == 1:
            raise StartFailed(f"the process {self.program.name} ended with status {status}")
        lived_s = time.monotonic() - self._started_s
        longer = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * self._pause_s))
        self._pause_s = longer if lived_s < _SHORT_LIFE_S else 0.0
        self.next_start_s = time.monotonic() + self._pause_s
        reason = self.condemned or (f"signal_{-status}" if status < 0 else f"status_{status}")
        self.restarts[reason] += 1
        _log.warning("process %s ended (%s) and is replaced", self.program.name, reason)
        self.process = None
        self._close_reports()

    def condemn(self, reason: str) -> None:
        """End a process that does not work any more."""
        if self.process is not None and not self.condemned:
            self.condemned = reason
            self.process.kill()

    def end(self, deadline: Deadline) -> None:
        """End the process for good, by force where it does not end by itself."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(max(0.0, deadline.left_s()))
        except subprocess.TimeoutExpired:
            _log.warning("process %s did not end in time and is killed", self.program.name)
            self.process.kill()
            self.process.wait()
        self.process = None
        self._close_reports()


class Supervisor:
    """Runs programs until a signal ends it.

    Args:
        programs: in the order they are started; they are ended in the reverse one.
        environment: of all of them.
        status: file that says, as JSON, which processes run and how often each was replaced.
    """

    def __init__(
        self, programs: Sequence[Program], environment: Mapping[str, str], status: Path
    ) -> None:
        self._keepers = [_Keeper(program, environment) for program in programs]
        self._status = status
        self._ending = threading.Event()

    def run(self, announce: Callable[[], None]) -> None:
        """Start everything, keep it alive, and end it on SIGTERM or SIGINT.

        Args:
            announce: called once all are ready.

        Raises:
            ShiziError: one could not start; nothing runs any more.
        """
        with wake_on_signals(signal.SIGTERM, signal.SIGINT, signal.SIGCHLD) as wake:
            try:
                if self._start(wake):
                    announce()
                    self._keep(wake)
            finally:
                self._ending.set()
                for keeper in reversed(self._keepers):
                    keeper.end(Deadline.after(keeper.program.grace_s))

    def _start(self, wake: WakeUp) -> bool:
        """Start one after another; False where a signal came first."""
        deadline = Deadline.after(START_S)
        for keeper in self._keepers:
            keeper.start()
            while not keeper.ready:
                if deadline.left_s() <= 0:
                    raise StartFailed(f"the process {keeper.program.name} does not get ready")
                if wake.wait(0.02):
                    return False
                for started in self._keepers:
                    started.look()
        self._write_status()
        return True

    def _keep(self, wake: WakeUp) -> None:
        threading.Thread(target=self._probe, name="probe", daemon=True).start()
        while not wake.wait(_POLL_S):
            for keeper in self._keepers:
                keeper.look()
                if keeper.process is None and time.monotonic() >= keeper.next_start_s:
                    keeper.start()
            self._write_status()

    def _probe(self) -> None:
        """Ask the processes now and then whether they still work."""
        while not self._ending.wait(2 * _POLL_S):
            for keeper in self._keepers:
                generation, is_well = keeper.generation, keeper.program.is_well
                if is_well is None or not keeper.ready or is_well(generation):
                    continue
                if keeper.generation == generation and keeper.ready:
                    keeper.condemn("hung")

    def _write_status(self) -> None:
        own = {"pid": os.getpid(), "ready": True, "generation": 1, "restarts": {}}
        content = {SUPERVISOR: own} | {
            keeper.program.name: {
                "pid": keeper.process.pid if keeper.process else None,
                "ready": keeper.ready,
                "generation": keeper.generation,
                "restarts": dict(keeper.restarts),
            }
            for keeper in self._keepers
        }
        text = json.dumps(content)
        written = self._status.with_suffix(".new")
        written.write_text(text, encoding="utf-8")
        written.replace(self._status)
