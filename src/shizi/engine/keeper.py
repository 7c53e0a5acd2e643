"""Keeps one program running: starts it, replaces it when it dies, hangs or has grown too large."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from shizi.core.deadline import Deadline
from shizi.core.errors import ShiziError, StartFailed
from shizi.engine.messages import bytes_to_error
from shizi.engine.programs import READY
from shizi.engine.starting import Starter

_log = logging.getLogger(__name__)

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
        most_bytes: a process that takes more memory is replaced; 0 for any.
        overlap: whether its successor gets ready before it ends, for a moment of both.
        is_wanted: asked until it says so; before that no process is started.
    """

    name: str
    command: Callable[[int, int], Sequence[str]]
    files: Sequence[int] = ()
    on_ready: Callable[[int], None] = lambda _: None
    is_well: Callable[[int], bool] | None = None
    grace_s: float = 30.0
    most_bytes: int = 0
    overlap: bool = True
    is_wanted: Callable[[], bool] = lambda: True


class Life:
    """One process of a program, from its start to its end.

    Attributes:
        generation: counted from 1.
        ready: whether it reported so.
        process: that lives.
        condemned: why it was killed; empty where it was not.
    """

    def __init__(self, program: Program, generation: int, starter: Starter) -> None:
        self.generation = generation
        self.ready = False
        self.condemned = ""
        self.started_s = time.monotonic()
        self._program = program
        self._asked = False
        self._reports, writing = os.pipe()
        os.set_blocking(self._reports, False)
        command = program.command(generation, writing)
        try:
            self.process = starter.start(program.name, command, [writing, *program.files])
        finally:
            os.close(writing)

    def listen(self) -> None:
        """Take note of what it reported.

        Raises:
            ShiziError: what kept it from getting ready.
        """
        if self._reports < 0:
            return
        try:
            report = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return
        self._close_reports()
        if report == READY:
            self.ready = True
            self._program.on_ready(self.generation)
        elif report:
            raise bytes_to_error(report)

    def is_over(self) -> bool:
        """Say whether it has ended."""
        if self.process.poll() is None:
            return False
        self._close_reports()
        return True

    def kill(self, reason: str) -> None:
        """End it at once."""
        if not self.condemned:
            self.condemned = reason
            self.process.kill()

    def ask_to_end(self) -> None:
        """Let it end with what it has in work."""
        # Asked again, an interpreter that is being taken down would be killed by it.
        if not self._asked:
            self._asked = True
            self.process.terminate()

    def end(self, deadline: Deadline) -> None:
        """Let it end by itself, or by force at the deadline."""
        self.ask_to_end()
        try:
            self.process.wait(max(0.0, deadline.left_s()))
        except subprocess.TimeoutExpired:
            _log.warning("process %s did not end in time and is killed", self._program.name)
            self.process.kill()
            self.process.wait()
        self._close_reports()

    def _close_reports(self) -> None:
        if self._reports >= 0:
            os.close(self._reports)
            self._reports = -1


class Keeper:
    """Keeps a program running.

    Attributes:
        program: that is kept.
        life: of the process that works now; None between two of them.
        replaced: how often a process was, by reason.
    """

    #: What `status` tells where no process was ever started.
    NO_STATUS: ClassVar[dict[str, object]] = {
        "pid": None,
        "ready": False,
        "generation": 0,
        "restarts": {},
    }

    def __init__(self, program: Program, starter: Starter) -> None:
        self.program = program
        self.life: Life | None = None
        self.replaced: Counter[str] = Counter()
        self._starter = starter
        self._generation = 0
        self._next: Life | None = None
        self._retired: list[tuple[Life, Deadline]] = []
        self._pause_s = 0.0
        self._start_at_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether a process of it works, or none is wanted yet."""
        return self._generation == 0 or (self.life is not None and self.life.ready)

    def start(self) -> None:
        """Start it for the first time, where it is wanted."""
        if self.program.is_wanted():
            self.life = self._new_life()

    def look(self) -> None:
        """Take note of what happened, and do what it asks for; to be called now and then.

        Raises:
            ShiziError: its first process could not get ready, and why.
        """
        self._see_to_retired()
        if self._next is not None:
            self._see_to_next(self._next)
        if self.life is not None:
            self._see_to_current(self.life)
        elif not self._generation:
            self.start()
        elif self._next is None and time.monotonic() >= self._start_at_s:
            self._start_again()

    def replace(self, reason: str) -> None:
        """Put a new process in the place of one that still works; no call is lost."""
        if self.life is None or not self.life.ready or self._next is not None:
            return
        _log.warning("process %s is replaced (%s)", self.program.name, reason)
        self.replaced[reason] += 1
        if not self.program.overlap:
            self._retire(self.life)
            self.life = None
            self._start_at_s = self._retired[-1][1].at_s
            return
        try:
            self._next = self._new_life()
        except StartFailed as error:
            _log.warning("%s", error.detail)

    def ask_to_end(self) -> None:
        """Let all of its processes end with what they have in work, and start no other."""
        for life in (self._next, self.life):
            if life is not None:
                self._retire(life)
        self._next = self.life = None

    def is_over(self) -> bool:
        """Say whether all that were asked to end have; who does not in time is killed."""
        self._see_to_retired()
        return not self._retired and self.life is None

    def end(self) -> None:
        """End all of its processes."""
        deadline = Deadline.after(self.program.grace_s)
        lives = [life for life, _ in self._retired]
        for life in (*lives, self._next, self.life):
            if life is not None:
                life.end(deadline)

    def status(self) -> dict[str, object]:
        """Describe the process that works now, for whoever watches."""
        return {
            "pid": self.life.process.pid if self.life else None,
            "ready": self.life is not None and self.life.ready,
            "generation": self.life.generation if self.life else 0,
            "restarts": dict(self.replaced),
        }

    def _listen(self, life: Life) -> None:
        """Hear what a process reports; only the first one's failure is anybody's concern."""
        try:
            life.listen()
        except ShiziError as error:
            if life.generation == 1:
                raise
            _log.error("process %s cannot start: %s", self.program.name, error.detail)

    def _new_life(self) -> Life:
        self._generation += 1
        return Life(self.program, self._generation, self._starter)

    def _start_again(self) -> None:
        """Start a process in the place of one that ended; where none can be, try again later."""
        try:
            self.life = self._new_life()
        except StartFailed as error:
            _log.error("%s", error.detail)
            self._put_off(short=True)

    def _put_off(self, *, short: bool) -> None:
        """Say when the next process is started: later each time where lives are short."""
        longer = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * self._pause_s))
        self._pause_s = longer if short else 0.0
        self._start_at_s = time.monotonic() + self._pause_s

    def _retire(self, life: Life) -> None:
        life.ask_to_end()
        self._retired.append((life, Deadline.after(self.program.grace_s)))

    @property
    def keepers(self) -> list[Keeper]:
        """Itself; a fleet has several."""
        return [self]

    def _see_to_retired(self) -> None:
        for life, deadline in list(self._retired):
            if life.is_over():
                self._retired.remove((life, deadline))
                if self.life is None:
                    self._start_at_s = 0.0
            elif deadline.left_s() <= 0:
                life.kill("retired")

    def _see_to_next(self, successor: Life) -> None:
        self._listen(successor)
        if successor.ready:
            if self.life is not None:
                self._retire(self.life)
            self.life, self._next = successor, None
        elif successor.is_over():
            _log.warning("the successor of process %s could not start", self.program.name)
            self._next = None

    def _see_to_current(self, life: Life) -> None:
        self._listen(life)
        if not life.is_over():
            return
        status = life.process.wait()
        if not life.ready and life.generation == 1:
            raise StartFailed(f"the process {self.program.name} ended with status {status}")
        reason = life.condemned or (f"signal_{-status}" if status < 0 else f"status_{status}")
        self.replaced[reason] += 1
        _log.warning("process %s ended (%s) and is replaced", self.program.name, reason)
        self._put_off(short=time.monotonic() - life.started_s < _SHORT_LIFE_S)
        self.life = None
