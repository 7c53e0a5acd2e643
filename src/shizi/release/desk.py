"""What people do to releases, from the command line or over HTTP."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shizi.core.errors import NoRelease, ReleaseConflict
from shizi.release.document import Document
from shizi.release.memo import Memo, json_to_memo
from shizi.release.plan import Guards, Plan
from shizi.release.snapshots import Snapshot
from shizi.release.store import Entry, ReleaseStore
from shizi.release.transitions import Change, Event, apply, start


@dataclass(frozen=True, slots=True)
class Order:
    """A release as somebody wants it.

    Attributes:
        canary: version that is to take over.
        stable: version that answers where there was no release before.
        reason: one sentence.
        plan: how it is to go.
        guards: what ends it.
        testers: units that meet the canary whatever the share.
        excluded: units that never do.
    """

    canary: str
    stable: str
    reason: str = ""
    plan: Plan = Plan()  # noqa: RUF009 - frozen
    guards: Guards = Guards()  # noqa: RUF009 - frozen
    testers: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """All that is known of the latest release.

    Attributes:
        document: its state.
        memo: what the leader saw last; empty where none has looked yet.
        entries: its log, the oldest line first.
    """

    document: Document
    memo: Memo
    entries: Sequence[Entry]


class Desk:
    """Changes releases in somebody's name.

    Args:
        store: of the state.
        actor: whose name goes into the log.
        wall: seconds since the epoch of time.
    """

    def __init__(
        self, store: ReleaseStore, actor: str, wall: Callable[[], float] = time.time
    ) -> None:
        self._store, self._actor, self._wall = store, actor, wall

    def start(self, order: Order) -> Document:
        """Begin a release.

        Raises:
            ReleaseRefused: another one is not over, or the version is the stable one already.
            ReleaseConflict: somebody else was faster.
        """
        previous = self._store.read()
        stable = previous.active if previous else order.stable
        now_s = self._wall()
        change = Change(Event.ADVANCE, self._actor, order.reason or "a new version", now_s)
        name = _new_name(order.canary, now_s)
        begun = start(previous, name, stable, order.canary, change, order.plan, order.guards)
        document = replace(begun, testers=order.testers, excluded=order.excluded)
        self._store.swap(previous.epoch if previous else 0, document)
        return document

    def move(
        self, event: Event, reason: str = "", *, share_bp: int = 0, epoch: int | None = None
    ) -> Document:
        """Change the latest release.

        Args:
            event: what is to happen.
            reason: one sentence.
            share_bp: of `Event.SHARE`, of 10,000.
            epoch: of the state this was decided by; None for whatever it is now.

        Raises:
            NoRelease: there is none.
            ReleaseRefused: its phase does not allow it.
            ReleaseConflict: it is another state by now.
        """
        document = self._document()
        if epoch is not None and epoch != document.epoch:
            raise ReleaseConflict(f"the release is at epoch {document.epoch}, not {epoch} any more")
        said = reason or f"{event.value.replace('_', ' ')} by hand"
        change = Change(event, self._actor, said, self._wall(), share_bp, by_hand=True)
        following = apply(document, change)
        self._store.swap(document.epoch, following)
        return following

    def status(self) -> Status:
        """Tell all that is known of the latest release.

        Raises:
            NoRelease: there is none.
        """
        document = self._document()
        memo = json_to_memo(self._store.read_memo(document.release_id))
        return Status(document, memo, self._store.entries(document.release_id))

    def snapshots(self) -> Sequence[Snapshot]:
        """Give what all processes counted in the latest release.

        Raises:
            NoRelease: there is none.
        """
        return self._store.snapshots(self._document().release_id)

    def _document(self) -> Document:
        document = self._store.read()
        if document is None:
            raise NoRelease("there is no release yet")
        return document


def _new_name(canary: str, now_s: float) -> str:
    """Make a name that was never used before; it also decides who is asked first."""
    version = re.sub(r"[^A-Za-z0-9.@-]", "-", canary)[:60].lstrip(".@-") or "release"
    when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now_s))
    return f"{version}-{when}-{secrets.token_hex(2)}"
