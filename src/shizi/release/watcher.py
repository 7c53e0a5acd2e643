"""Keeps a process at the latest state of the release, or at the last good one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from shizi.core.errors import ShiziError
from shizi.release.document import Document
from shizi.release.store import ReleaseStore

_log = logging.getLogger(__name__)

POLL_S = 0.5
"""Well within the two seconds in which every process has the same share."""
STALE_S = 10.0
"""A state that could not be read again for so long is stale: nobody goes on from it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a process knows of the release.

    Attributes:
        document: the last good state; None where there never was a release.
        seen_at_s: when the store last answered, on the clock of the watcher.
        problem: why it does not answer, or why what it holds is not used; empty where all is well.
    """

    document: Document | None
    seen_at_s: float
    problem: str = ""


class Watcher:
    """Reads the state again and again; threads share it.

    Args:
        store: of the state.
        clock: seconds that only grow.
        on_change: called with each new state, in the watcher's thread.
    """

    def __init__(
        self,
        store: ReleaseStore,
        clock: Callable[[], float],
        on_change: Callable[[Document], None] = lambda _: None,
    ) -> None:
        self._store, self._clock, self._on_change = store, clock, on_change
        self._view = View(None, clock())
        self._stop = threading.Event()

    @property
    def view(self) -> View:
        """What is known now."""
        return self._view

    @property
    def document(self) -> Document | None:
        """The last good state."""
        return self._view.document

    @property
    def stale(self) -> bool:
        """Whether the store has not given a good state for too long."""
        return self._clock() - self._view.seen_at_s > STALE_S

    def poll(self) -> View:
        """Read the state once; a bad one, or an older one, changes nothing."""
        known = self._view.document
        try:
            document = self._store.read()
        except ShiziError as error:
            return self._keep(error.detail)
        if known and (document is None or document.epoch < known.epoch):
            return self._keep(f"the store went back behind epoch {known.epoch}")
        if known and document and document.epoch == known.epoch and document != known:
            return self._keep(f"the store has another state under epoch {known.epoch}")
        self._view = View(document, self._clock())
        if document and document != known:
            self._on_change(document)
        return self._view

    def run(self) -> None:
        """Poll until `stop`; made for a thread."""
        while not self._stop.is_set():
            try:
                self._store.wait(POLL_S)
            except ShiziError:
                self._stop.wait(POLL_S)
            self.poll()

    def start(self) -> None:
        """Poll once, and then in a thread of its own."""
        self.poll()
        threading.Thread(target=self.run, name="release-watcher", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _keep(self, problem: str) -> View:
        if problem != self._view.problem:
            _log.warning("the release stays as it is: %s", problem)
        self._view = View(self._view.document, self._view.seen_at_s, problem)
        return self._view
