"""What one process publishes of itself: how its requests went, and which versions it has.

Its numbers only grow from the beginning of the release to its end, and lie under a name of its own.
The leader adds up the latest snapshot of each name: one that is lost or written twice changes
nothing, and a process that died keeps what it had counted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from shizi.release.observations import Kind, Observation, Side, Tally, tally_of, total
from shizi.release.stored import decode


class Load(StrEnum):
    """How far a process is with a version."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One process's part of a release.

    Attributes:
        reporter: name of the process, another one each time it starts.
        release_id: of the release it is about.
        at_s: seconds since the epoch of time when it was taken.
        host: of the machine.
        epoch: of the state the process goes by; 0 where it does not route.
        tallies: by side and kind, as "canary/photo".
        loaded: by version, of a process that keeps engines; empty for all others.
        why: by version, what is wrong with one that failed.
        deaths: by version, how often its engine ended by itself.
        tripped: why this process sends nothing to the canary any more; empty while it does.
        judged: spot checks by the better side, "canary", "stable" or "same".
    """

    reporter: str
    release_id: str
    at_s: float
    host: str = ""
    epoch: int = 0
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    loaded: Mapping[str, Load] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    deaths: Mapping[str, int] = field(default_factory=dict)
    tripped: str = ""
    judged: Mapping[str, int] = field(default_factory=dict)

    def tally(self, side: Side, kind: Kind | None = None) -> Tally:
        """Give what was counted of a side, of one kind of picture or of all."""
        return total(self.tallies.get(name_of(side, k), Tally()) for k in kinds_of(kind))


def name_of(side: Side, kind: Kind) -> str:
    """Give the name a tally has in a snapshot."""
    return f"{side}/{kind}"


def kinds_of(kind: Kind | None) -> tuple[Kind, ...]:
    """Give one kind, or all where None."""
    return (kind,) if kind else tuple(Kind)


def add_up(snapshots: Iterable[Snapshot], side: Side, kind: Kind | None = None) -> Tally:
    """Add what all processes counted of a side."""
    return total(snapshot.tally(side, kind) for snapshot in snapshots)


def snapshot_to_json(snapshot: Snapshot) -> bytes:
    """Write a snapshot."""
    return msgspec.json.encode(snapshot)


def json_to_snapshot(content: bytes) -> Snapshot:
    """Read a snapshot.

    Raises:
        ReleaseInvalid: it is none, or torn.
    """
    return decode(content, Snapshot, "a process told no valid numbers")


class Recorder:
    """Counts the observations of one process; threads share it.

    Args:
        reporter: name of the process.
        host: of the machine.
    """

    def __init__(self, reporter: str, host: str = "") -> None:
        self._lock = threading.Lock()
        self._reporter, self._host = reporter, host
        self._release_id = ""
        self._tallies: dict[str, Tally] = {}
        self._judged: dict[str, int] = {}

    def follow(self, release_id: str) -> None:
        """Count for a release from here on; what belongs to another one is left out."""
        with self._lock:
            if release_id != self._release_id:
                self._release_id, self._tallies, self._judged = release_id, {}, {}

    def record(self, observation: Observation) -> None:
        """Count one reading; one of another release is dropped."""
        one = tally_of(observation)
        self._add(observation.release_id, name_of(observation.side, observation.kind), one)

    def record_corrections(self, release_id: str, side: Side, kind: Kind, lines: int) -> None:
        """Count lines that a user changed in an answer."""
        self._add(release_id, name_of(side, kind), Tally(corrected=lines))

    def record_verdict(self, release_id: str, better: str) -> None:
        """Count a spot check; `better` is "canary", "stable" or "same"."""
        with self._lock:
            if release_id == self._release_id:
                self._judged[better] = self._judged.get(better, 0) + 1

    def snapshot(self, at_s: float, epoch: int = 0, tripped: str = "") -> Snapshot:
        """Give all that was counted since the release began."""
        with self._lock:
            return Snapshot(
                reporter=self._reporter,
                release_id=self._release_id,
                at_s=at_s,
                host=self._host,
                epoch=epoch,
                tallies=dict(self._tallies),
                tripped=tripped,
                judged=dict(self._judged),
            )

    def _add(self, release_id: str, name: str, one: Tally) -> None:
        with self._lock:
            if release_id == self._release_id:
                self._tallies[name] = self._tallies.get(name, Tally()) + one
