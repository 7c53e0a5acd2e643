"""Runs the processes of the service: starts them in order, looks after them, ends them."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from shizi.core.deadline import Deadline
from shizi.core.errors import StartFailed
from shizi.engine.fleet import Fleet, FleetOptions
from shizi.engine.keeper import Keeper, Program
from shizi.engine.memory import family, memory_bytes, trim_heap, unmap_clean_files
from shizi.engine.signals import WakeUp, wake_on_signals
from shizi.engine.starting import Starter

START_S = 120.0
#: Name under which the supervisor tells of itself.
SUPERVISOR = "supervisor"
_POLL_S = 0.5
_PROBE_S = 1.0


class Supervisor:
    """Runs programs until a signal ends it.

    Args:
        programs: in the order they are started, the engines as a fleet; they are ended in the
            reverse one.
        starter: of all of them; it is closed when they have ended.
        status: file that says, as JSON, which processes run and how often each was replaced.
    """

    def __init__(
        self,
        programs: Sequence[Program | FleetOptions],
        starter: Starter,
        status: Path,
    ) -> None:
        self._kept: list[Keeper | Fleet] = [
            Keeper(program, starter) if isinstance(program, Program) else Fleet(program, starter)
            for program in programs
        ]
        self._starter = starter
        self._status = status
        self._ending = threading.Event()
        # By keeper, the generation that takes too much.
        self._too_large: dict[Keeper, int] = {}

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
                for kept in reversed(self._kept):
                    kept.end()
                self._starter.close()

    def _start(self, wake: WakeUp) -> bool:
        """Start one after another; False where a signal came first."""
        deadline = Deadline.after(START_S)
        for place, kept in enumerate(self._kept):
            kept.start()
            while not kept.ready:
                if deadline.left_s() <= 0:
                    name = kept.keepers[0].program.name
                    raise StartFailed(f"the process {name} does not get ready")
                if wake.wait(0.02):
                    return False
                for started in self._kept[: place + 1]:
                    started.look()
        self._write_status()
        return True

    def _keep(self, wake: WakeUp) -> None:
        # From here on it does little, with little of what starting took.
        trim_heap()
        unmap_clean_files()
        threading.Thread(target=self._probe, name="probe", daemon=True).start()
        while not wake.wait(_POLL_S):
            for kept in self._kept:
                kept.look()
                for keeper in kept.keepers:
                    too_large = self._too_large.pop(keeper, 0)
                    if keeper.life is not None and keeper.life.generation == too_large:
                        keeper.replace("memory")
            self._starter.reap()
            self._write_status()

    def _probe(self) -> None:
        """Look now and then whether the processes work, and what they take."""
        while not self._ending.wait(_PROBE_S):
            for keeper in [keeper for kept in self._kept for keeper in kept.keepers]:
                life, program = keeper.life, keeper.program
                if life is None or not life.ready:
                    continue
                if program.is_well is not None and not program.is_well(life.generation):
                    life.kill("hung")
                elif program.most_bytes:
                    taken = sum(map(memory_bytes, family(life.process.pid)))
                    if taken > program.most_bytes:
                        self._too_large[keeper] = life.generation

    def _write_status(self) -> None:
        own = {"pid": os.getpid(), "ready": True, "generation": 1, "restarts": {}}
        content: dict[str, object] = {SUPERVISOR: own}
        for kept in self._kept:
            content |= (
                kept.status() if isinstance(kept, Fleet) else {kept.program.name: kept.status()}
            )
        written = self._status.with_suffix(".new")
        written.write_text(json.dumps(content), encoding="utf-8")
        written.replace(self._status)
