"""The workers of a batch: processes of which any may die at any time without the others noticing.

(The process pool of the standard library breaks for ever when one of its processes is killed.)
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from shizi.core.errors import StartFailed
from shizi.engine.messages import bytes_to_error
from shizi.jobs.batch.messages import (
    Begin,
    FromWorker,
    Ready,
    Stop,
    Task,
    ToWorker,
    Unfit,
    WorkerPlan,
    line_to_report,
    to_line,
)

#: Runs a worker; the number of its socket is put behind it.
COMMAND = (sys.executable, "-m", "shizi.jobs.batch.worker")
_READ_BYTES = 1 << 16
#: Deaths in a row before a worker was ready: it never will be.
_MOST_STARTS = 3
_PAUSE_S = 0.5


class Gone:
    """A worker has ended; what it had in work is nobody's."""


Event = FromWorker | Gone


class Mate:
    """One place of the crew, whoever has it.

    Attributes:
        number: of the place.
        ready: whether tasks may be sent.
        leaving: whether it was told to stop.
        pid: of its process; 0 between two.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.ready = False
        self.leaving = False
        self.process: subprocess.Popen[bytes] | None = None
        self.sock: socket.socket | None = None
        self.buffer = b""
        self.starts = 0
        self.start_at_s = 0.0

    @property
    def pid(self) -> int:
        """Number of its process; 0 between two."""
        return self.process.pid if self.process else 0


class Crew:
    """Workers that are replaced when they die.

    Args:
        count: of workers.
        plan: how they work.
        environment: of their processes.
        command: runs one.
        monotonic: seconds that nobody can set.

    Attributes:
        mates: one for each place.
        replaced: how many workers died.
    """

    def __init__(
        self,
        count: int,
        plan: WorkerPlan,
        environment: Mapping[str, str],
        command: Sequence[str] = COMMAND,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mates = [Mate(number) for number in range(count)]
        self.replaced = 0
        self._plan = plan
        self._environment = environment
        self._command = command
        self._monotonic = monotonic
        self._selector = selectors.DefaultSelector()
        self._closing = False

    def watch(self, sock: socket.socket) -> None:
        """Let `wait` end when something comes from this socket, too."""
        self._selector.register(sock, selectors.EVENT_READ, None)

    def start(self) -> None:
        """Start those that are not there."""
        now = self._monotonic()
        for mate in self.mates:
            if mate.process is None and not self._closing and now >= mate.start_at_s:
                self._start(mate)

    def send(self, mate: Mate, task: Task) -> None:
        """Give a worker a task."""
        self._send(mate, task)

    def stop(self, mate: Mate) -> None:
        """Let a worker finish what it started; its place is filled again unless all stop."""
        mate.leaving = True
        self._send(mate, Stop())

    def stop_all(self) -> None:
        """Let every worker finish what it started; nobody comes after them."""
        self._closing = True
        for mate in self.mates:
            if mate.process is not None:
                self.stop(mate)

    def kill(self, mate: Mate) -> None:
        """End a worker at once; `wait` tells that it is gone."""
        if mate.process is not None:
            mate.process.kill()

    @property
    def any_there(self) -> bool:
        """Whether a process of it is still there."""
        return any(mate.process is not None for mate in self.mates)

    def wait(self, seconds: float) -> list[tuple[Mate, Event]]:
        """Wait for something to happen, no longer than this.

        Returns:
            What happened, in order; of a worker that died all it said before, then `Gone`.

        Raises:
            ShiziError: a worker cannot get ready, and why.
        """
        events: list[tuple[Mate, Event]] = []
        for key, _ in self._selector.select(seconds):
            mate = key.data
            if mate is not None:
                events += [(mate, event) for event in self._hear(mate)]
        return events

    def close(self) -> None:
        """End everything at once."""
        self._closing = True
        for mate in self.mates:
            if mate.process is not None:
                mate.process.kill()
                self._bury(mate)
        self._selector.close()

    def _start(self, mate: Mate) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            mate.process = subprocess.Popen(  # noqa: S603 - our own program
                [*self._command, str(theirs.fileno())],
                env=dict(self._environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Ctrl-C is for the batch alone; its workers are told in their order.
                process_group=0,
            )
        mate.sock, mate.buffer = ours, b""
        mate.ready = mate.leaving = False
        mate.starts += 1
        self._selector.register(ours, selectors.EVENT_READ, mate)
        self._send(mate, Begin(self._plan))

    def _send(self, mate: Mate, order: ToWorker) -> None:
        if mate.sock is None:
            return
        try:
            mate.sock.sendall(to_line(order))
        except OSError:
            # It is gone; `wait` finds that out with all it said before.
            return

    def _hear(self, mate: Mate) -> Iterator[Event]:
        assert mate.sock is not None  # noqa: S101 - it was selected
        try:
            data = mate.sock.recv(_READ_BYTES)
        except ConnectionError:
            data = b""
        *lines, mate.buffer = (mate.buffer + data).split(b"\n")
        for line in lines:
            report = line_to_report(line)
            if isinstance(report, Unfit):
                raise bytes_to_error(report.error)
            if isinstance(report, Ready):
                mate.ready, mate.starts = True, 0
            yield report
        if not data:
            self._leave(mate)
            yield Gone()

    def _leave(self, mate: Mate) -> None:
        expected = mate.leaving
        self._bury(mate)
        if expected:
            return
        self.replaced += 1
        if mate.starts >= _MOST_STARTS:
            raise StartFailed(f"worker {mate.number} ended {mate.starts} times before it was ready")
        if mate.starts:
            mate.start_at_s = self._monotonic() + _PAUSE_S

    def _bury(self, mate: Mate) -> None:
        if mate.sock is not None:
            self._selector.unregister(mate.sock)
            mate.sock.close()
        if mate.process is not None:
            mate.process.kill()
            mate.process.wait()
        mate.process = mate.sock = None
        mate.ready = mate.leaving = False
