"""Takes a release along: looks, decides, writes. One process at a time does; any can go on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from shizi.core.errors import ReleaseConflict, ShiziError
from shizi.core.sections import RoutingSettings
from shizi.release.document import Document, Phase
from shizi.release.gather import Roll, call_roll, gather
from shizi.release.memo import Memo, extend, json_to_memo, memo_to_json
from shizi.release.policy import Decision, decide
from shizi.release.store import ReleaseStore
from shizi.release.transitions import apply

_log = logging.getLogger(__name__)

MOST_ELAPSED_S = 60.0
"""A look that comes later counts for no more: nobody watched in between."""

Verify = Callable[[Document], str]
"""Lets the canary read what it must; gives why it did not, empty where it did."""


class Controller:
    """The leader's part; one thread calls it.

    Args:
        store: of the state.
        clock: seconds that only grow.
        wall: seconds since the epoch of time.
        verify: called once a release, in its phase.
    """

    def __init__(
        self,
        store: ReleaseStore,
        clock: Callable[[], float],
        wall: Callable[[], float],
        verify: Verify = lambda _: "",
    ) -> None:
        self._store, self._clock, self._wall, self._verify = store, clock, wall, verify
        self._known: Document | None = None
        self.resign()

    def resign(self) -> None:
        """Forget what was seen as a leader; the store has it."""
        self._release_id = ""
        self._memo = Memo()
        self._roll: Roll = {}
        self._looked_at_s: float | None = None
        self._verified: dict[str, str] = {}

    def look(self, routing: RoutingSettings) -> Document | None:
        """Look once, and change the release where that is due.

        Args:
            routing: what its owner wants now.

        Returns:
            The state afterwards; None where there is no release.

        Raises:
            ShiziError: the store cannot be reached, or holds nothing valid; nothing was changed.
        """
        document = self._read()
        if document is None or document.ended:
            return document
        self._follow(document.release_id)
        decision = self._decide(document, routing)
        if decision.change is None:
            return document
        return self._write(document, apply(document, decision.change))

    def _read(self) -> Document | None:
        """Read the state; a store that came back without it, or with an old one, gets it again."""
        document, known = self._store.read(), self._known
        if known and (document is None or document.epoch < known.epoch):
            _log.warning("the store lost the state of epoch %d; it is put back", known.epoch)
            self._store.restore(known)
            document = self._store.read()
        self._known = document
        return document

    def _follow(self, release_id: str) -> None:
        if release_id != self._release_id:
            self.resign()
            self._release_id = release_id
            self._memo = json_to_memo(self._store.read_memo(release_id))

    def _decide(self, document: Document, routing: RoutingSettings) -> Decision:
        now_s, at_s = self._clock(), self._wall()
        elapsed_s = 0.0 if self._looked_at_s is None else now_s - self._looked_at_s
        self._looked_at_s = now_s
        snapshots = self._store.snapshots(document.release_id)
        self._roll = call_roll(self._roll, snapshots, now_s)
        problem = self._verification(document)
        facts = gather(document, snapshots, self._roll, now_s, verified=problem == "")
        if problem:
            facts = replace(facts, failed=problem)
        elapsed_s = min(elapsed_s, MOST_ELAPSED_S)
        decision = decide(document, self._memo.evidence, facts, routing, elapsed_s, at_s)
        memo = extend(self._memo, facts.counts, document.ratio_bp, at_s)
        self._memo = replace(
            memo,
            evidence=decision.evidence,
            readings=decision.readings,
            missing=decision.missing,
            at_s=at_s,
        )
        # Before the change: whoever goes on after a crash between the two decides the same again.
        self._store.write_memo(document.release_id, memo_to_json(self._memo))
        return decision

    def _verification(self, document: Document) -> str | None:
        """Say what the verification found; None before its phase."""
        if document.phase is not Phase.VERIFY:
            return None
        if document.release_id not in self._verified:
            self._verified[document.release_id] = self._verify(document)
        return self._verified[document.release_id]

    def _write(self, document: Document, following: Document) -> Document:
        try:
            self._store.swap(document.epoch, following)
        except ReleaseConflict as conflict:
            _log.info("somebody else changed the release: %s", conflict.detail)
            return document
        self._known = following
        _log.info(
            "release %s: %s at %.2f %%: %s",
            following.release_id,
            following.phase,
            following.ratio_bp / 100,
            following.reason,
        )
        return following


def try_look(controller: Controller, routing: RoutingSettings) -> str:
    """Look once; give why that was not possible, empty where it was. The release stays as it is."""
    try:
        controller.look(routing)
    except ShiziError as error:
        controller.resign()
        return error.detail
    return ""
