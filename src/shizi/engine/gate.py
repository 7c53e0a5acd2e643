"""A gate that few may pass at once: who waits is let through in its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from shizi.core.deadline import current_terms
from shizi.core.errors import DeadlineExceeded
from shizi.engine.lanes import LaneQueue
from shizi.engine.watch import Watch
from shizi.models.session import Array, Session, Stop


class Gate:
    """Lets a number of threads pass at once, by the terms of the calls they work for.

    Args:
        places: threads inside at once, at least 1.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: LaneQueue[threading.Event] = LaneQueue()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place and keep it for the block.

        Raises:
            DeadlineExceeded: none came free in time.
        """
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @property
    def waiting(self) -> int:
        """Count the threads before the gate."""
        return len(self._queue)

    def _enter(self) -> None:
        terms = current_terms()
        with self._lock:
            if self._free and not self._queue:
                self._free -= 1
                return
            place = threading.Event()
            waiting = self._queue.push(
                place, deadline=terms.deadline, lane=terms.lane, now_s=time.monotonic()
            )
        left_s = terms.deadline.left_s()
        if place.wait(None if left_s > threading.TIMEOUT_MAX else max(0.0, left_s)):
            return
        with self._lock:
            if not self._queue.remove(waiting):
                # The place was given in the same moment; it goes to the next one.
                self._pass_on()
        raise DeadlineExceeded("the time given ran out while others were served")

    def _leave(self) -> None:
        with self._lock:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._queue:
            self._queue.pop().item.set()
        else:
            self._free += 1


class GatedSession:
    """A session whose runs wait for their turn and end with the time of their call.

    Args:
        session: that is run.
        gate: before it; sessions that share a gate take turns.
        watch: ends runs at their deadline.
    """

    def __init__(self, session: Session, gate: Gate, watch: Watch) -> None:
        self._session = session
        self._gate = gate
        self._watch = watch

    @property
    def input_names(self) -> tuple[str, ...]:
        """See `Session`."""
        return self._session.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """See `Session`."""
        return self._session.output_names

    @property
    def metadata(self) -> Mapping[str, str]:
        """See `Session`."""
        return self._session.metadata

    def run(
        self,
        feeds: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        stop: Stop | None = None,
    ) -> list[Array]:
        """Run the network once its turn has come; see `Session.run`.

        A stop of the caller's own takes the place of the deadline.
        """
        with self._gate.turn():
            if stop is not None:
                return self._session.run(feeds, outputs, stop)
            with self._watch.until(current_terms().deadline) as at_deadline:
                return self._session.run(feeds, outputs, at_deadline)

    def relax(self, feeds: Mapping[str, Array]) -> None:
        """Give memory back, in its turn; see `Session.relax`."""
        with self._gate.turn():
            self._session.relax(feeds)
