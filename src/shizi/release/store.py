"""Where the state of releases is kept: what every place offers, and the one in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from shizi.core.errors import ReleaseConflict
from shizi.release.document import Document, Phase
from shizi.release.snapshots import Snapshot
from shizi.release.stored import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log of all changes, which is only ever added to.

    Attributes:
        epoch: of the state that the change led to.
        release_id: names the release.
        at_s: seconds since the epoch of time.
        actor: who made it.
        reason: one sentence.
        phase: that it led to.
        held: what is held, in a hold.
        step: of the plan.
        ratio_bp: share of the canary, of 10,000.
        stable: version.
        canary: version.
    """

    epoch: int
    release_id: str
    at_s: float
    actor: str
    reason: str
    phase: Phase
    held: Phase | None
    step: int
    ratio_bp: int
    stable: str
    canary: str


def entry_of(document: Document) -> Entry:
    """Give the line about the change that led to a state."""
    return Entry(
        epoch=document.epoch,
        release_id=document.release_id,
        at_s=document.changed_at_s,
        actor=document.actor,
        reason=document.reason,
        phase=document.phase,
        held=document.held,
        step=document.step,
        ratio_bp=document.ratio_bp,
        stable=document.stable,
        canary=document.canary,
    )


def entry_to_json(entry: Entry) -> bytes:
    """Write a line, without its end."""
    return msgspec.json.encode(entry)


def json_to_entry(content: bytes) -> Entry:
    """Read a line.

    Raises:
        ReleaseInvalid: it is none, or torn.
    """
    return decode(content, Entry, "a line of the log of changes is damaged")


class ReleaseStore(Protocol):
    """A place for the state of releases; processes and threads share it.

    Every method raises `ReleaseStoreGone` where the place cannot be reached.
    """

    def read(self) -> Document | None:
        """Give the state; None where there never was a release.

        Raises:
            ReleaseInvalid: what is stored is no state.
        """
        ...

    def swap(self, expected_epoch: int, document: Document) -> None:
        """Replace the state, and add a line to the log, as one step.

        Args:
            expected_epoch: of the state it was made from; 0 for none.
            document: its epoch is one more.

        Raises:
            ReleaseConflict: the state is another one by now; nothing was changed.
        """
        ...

    def restore(self, document: Document) -> None:
        """Put a state back that the place has lost; one that is as new or newer stays."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Wait until the state may have changed, or for so long; it may say so falsely."""
        ...

    def entries(self, release_id: str | None = None) -> Sequence[Entry]:
        """Give the log, the oldest line first: of one release, or of all."""
        ...

    def publish(self, snapshot: Snapshot) -> None:
        """Replace what a process told before."""
        ...

    def snapshots(self, release_id: str) -> Sequence[Snapshot]:
        """Give the latest of every process that took part in a release."""
        ...

    def write_memo(self, release_id: str, content: bytes) -> None:
        """Keep the leader's own notes on a release; the next leader goes on from them."""
        ...

    def read_memo(self, release_id: str) -> bytes:
        """Give these notes; empty for none."""
        ...


def check_step(expected_epoch: int, current_epoch: int, document: Document) -> None:
    """Check that a state follows the present one.

    Args:
        expected_epoch: that the writer has seen.
        current_epoch: that is stored; 0 for none.
        document: to be written.

    Raises:
        ReleaseConflict: it does not.
    """
    if current_epoch != expected_epoch:
        raise ReleaseConflict(
            f"the release is at epoch {current_epoch}, not {expected_epoch} any more"
        )
    if document.epoch != expected_epoch + 1:
        raise ReleaseConflict(f"epoch {document.epoch} does not follow {expected_epoch}")


class MemoryStore:
    """In this process, for its threads; gone with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._document: Document | None = None
        self._entries: list[Entry] = []
        self._snapshots: dict[tuple[str, str], Snapshot] = {}
        self._memos: dict[str, bytes] = {}

    def read(self) -> Document | None:
        """Give the state; None where there never was a release."""
        return self._document

    def swap(self, expected_epoch: int, document: Document) -> None:
        """Replace the state, and add a line to the log."""
        with self._lock:
            current = self._document.epoch if self._document else 0
            check_step(expected_epoch, current, document)
            self._document = document
            self._entries.append(entry_of(document))
        with self._changed:
            self._changed.notify_all()

    def restore(self, document: Document) -> None:
        """Put a state back; one that is as new or newer stays."""
        with self._lock:
            if self._document is None or self._document.epoch < document.epoch:
                self._document = document
                self._entries.append(entry_of(document))

    def wait(self, timeout_s: float) -> None:
        """Wait until the state may have changed, or for so long."""
        with self._changed:
            self._changed.wait(timeout_s)

    def entries(self, release_id: str | None = None) -> Sequence[Entry]:
        """Give the log, the oldest line first."""
        with self._lock:
            return [e for e in self._entries if release_id in (None, e.release_id)]

    def publish(self, snapshot: Snapshot) -> None:
        """Replace what a process told before."""
        with self._lock:
            self._snapshots[snapshot.release_id, snapshot.reporter] = snapshot

    def snapshots(self, release_id: str) -> Sequence[Snapshot]:
        """Give the latest of every process that took part in a release."""
        with self._lock:
            return [s for (release, _), s in self._snapshots.items() if release == release_id]

    def write_memo(self, release_id: str, content: bytes) -> None:
        """Keep the leader's own notes on a release."""
        with self._lock:
            self._memos[release_id] = content

    def read_memo(self, release_id: str) -> bytes:
        """Give these notes; empty for none."""
        with self._lock:
            return self._memos.get(release_id, b"")
