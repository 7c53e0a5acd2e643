"""From what the processes tell to what the leader sees: who lives, who follows, the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shizi.release.document import Document
from shizi.release.evidence import Counts, Facts
from shizi.release.observations import Side
from shizi.release.snapshots import Load, Snapshot, add_up

SILENT_S = 10.0
"""A process that has told nothing new for so long does not live."""


@dataclass(frozen=True, slots=True)
class Heard:
    """When a process was last heard of.

    Attributes:
        told_at_s: its own time on what it told; hosts' clocks may differ, so it is only compared
            with what the same process told before.
        heard_at_s: when that was new, on the leader's clock.
    """

    told_at_s: float
    heard_at_s: float


Roll = dict[str, Heard]
"""By the name of the process."""


def call_roll(roll: Roll, snapshots: Iterable[Snapshot], now_s: float) -> Roll:
    """Note who told something new.

    Args:
        roll: of the look before; empty for a leader's first.
        snapshots: latest of every process.
        now_s: on the leader's clock.
    """
    called = dict(roll)
    for snapshot in snapshots:
        before = roll.get(snapshot.reporter)
        if before is None:
            # It may have died long ago: it lives when it tells something new.
            called[snapshot.reporter] = Heard(snapshot.at_s, float("-inf"))
        elif before.told_at_s != snapshot.at_s:
            called[snapshot.reporter] = Heard(snapshot.at_s, now_s)
    return called


def gather(
    document: Document, snapshots: Sequence[Snapshot], roll: Roll, now_s: float, *, verified: bool
) -> Facts:
    """Put together what is known of a release.

    Args:
        document: its state.
        snapshots: latest of every process, the dead ones included.
        roll: who was heard when.
        now_s: on the leader's clock.
        verified: whether the canary read what it must.
    """
    alive = [s for s in snapshots if now_s - roll[s.reporter].heard_at_s <= SILENT_S]
    waiting = _waiting(document, alive)
    loads = [s.loaded.get(document.canary, Load.LOADING) for s in alive if s.loaded]
    failed = next((s for s in alive if s.loaded.get(document.canary) is Load.FAILED), None)
    return Facts(
        counts=_counts(snapshots),
        ready=bool(loads) and all(load is Load.READY for load in loads),
        verified=verified,
        failed=failed.why.get(document.canary, "it cannot be loaded") if failed else "",
        tripped=next((s.tripped for s in alive if s.tripped), ""),
        live=not waiting,
        waiting=waiting,
    )


def _waiting(document: Document, alive: Sequence[Snapshot]) -> str:
    """Say why numbers cannot be trusted now; empty where they can."""
    routing = [snapshot for snapshot in alive if snapshot.epoch]
    if not routing:
        return "no process that routes requests tells its numbers"
    late = [snapshot for snapshot in routing if snapshot.epoch != document.epoch]
    if late:
        return f"{len(late)} of {len(routing)} processes have another state than the present one"
    return ""


def _counts(snapshots: Sequence[Snapshot]) -> Counts:
    judged = [snapshot.judged for snapshot in snapshots]
    counts = Counts(
        stable=add_up(snapshots, Side.STABLE),
        canary=add_up(snapshots, Side.CANARY),
        shadow=add_up(snapshots, Side.SHADOW),
        twin=add_up(snapshots, Side.TWIN),
    )
    return replace(
        counts,
        judged_canary=sum(j.get("canary", 0) for j in judged),
        judged_stable=sum(j.get("stable", 0) for j in judged),
        judged_same=sum(j.get("same", 0) for j in judged),
    )
