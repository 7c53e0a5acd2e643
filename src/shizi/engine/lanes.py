"""Who goes first where work waits: two lanes with a fair share each, earliest deadline first."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shizi.core.deadline import Deadline
from shizi.core.options import Lane

T = TypeVar("T")

#: What a lane gets of the work while both have some. Bulk work is never starved.
WEIGHTS = {Lane.INTERACTIVE: 7.0, Lane.BULK: 1.0}


@dataclass(frozen=True, slots=True, order=True)
class Waiting(Generic[T]):
    """One piece of work in a queue; pieces are ordered by deadline, then by arrival.

    Attributes:
        deadline: it is dropped once this has passed.
        number: of its arrival.
        item: the work itself.
        cost: what it takes, in a unit of the owner's.
        kind: only pieces of one kind are done together.
        lane: whose turn it is.
        since_s: when it came, on the owner's clock.
    """

    deadline: Deadline
    number: int
    item: T = field(compare=False)
    cost: int = field(compare=False)
    kind: int = field(compare=False)
    lane: Lane = field(compare=False)
    since_s: float = field(compare=False)


class LaneQueue(Generic[T]):
    """Work in its order. It has no lock, no clock and no bound: its owner has.

    Between the lanes it is fair by weight: the lane that has had less for its weight goes first
    (weighted fair queueing, Demers, Keshav and Shenker 1989). A lane that was empty starts level
    with the other one, so that it cannot save up its turns.

    Attributes:
        cost: of everything that waits.
    """

    def __init__(self) -> None:
        self._lanes: dict[Lane, list[Waiting[T]]] = {lane: [] for lane in WEIGHTS}
        self._served = dict.fromkeys(WEIGHTS, 0.0)
        self._arrivals = 0
        self.cost = 0

    def __len__(self) -> int:
        """Count the pieces that wait."""
        return sum(map(len, self._lanes.values()))

    def __iter__(self) -> Iterator[Waiting[T]]:
        """Walk everything that waits, in no order that matters."""
        for lane in self._lanes.values():
            yield from lane

    def push(
        self, item: T, *, deadline: Deadline, lane: Lane, now_s: float, cost: int = 1, kind: int = 0
    ) -> Waiting[T]:
        """Add a piece of work."""
        if not self._lanes[lane]:
            busy = [self._served[other] for other in WEIGHTS if self._lanes[other]]
            self._served[lane] = max([self._served[lane], *busy[:1]])
        waiting = Waiting(deadline, self._arrivals, item, cost, kind, lane, now_s)
        self._arrivals += 1
        bisect.insort(self._lanes[lane], waiting)
        self.cost += cost
        return waiting

    def pop(self) -> Waiting[T]:
        """Take the piece whose turn it is.

        Raises:
            IndexError: nothing waits.
        """
        lane = self._turn()
        return self._take(lane, 0)

    def pop_alike(self, kind: int, cost: int) -> Waiting[T] | None:
        """Take the next piece of a kind, whichever lane it waits in.

        Args:
            kind: that it must have.
            cost: the most it may take.

        Returns:
            It, or None where none of this kind is that small.
        """
        found = [
            (lane, k)
            for lane, pieces in self._lanes.items()
            if (k := _first(pieces, lambda w: w.kind == kind and w.cost <= cost)) is not None
        ]
        if not found:
            return None
        lane, k = min(found, key=lambda place: self._lanes[place[0]][place[1]])
        return self._take(lane, k)

    def remove(self, waiting: Waiting[T]) -> bool:
        """Take a piece out that is no longer wanted; False where it is not here any more."""
        pieces = self._lanes[waiting.lane]
        k = bisect.bisect_left(pieces, waiting)
        if k == len(pieces) or pieces[k] is not waiting:
            return False
        del pieces[k]
        self.cost -= waiting.cost
        return True

    def pop_expired(self, now_s: float) -> list[Waiting[T]]:
        """Take out what can no longer be done in time."""
        expired = []
        for pieces in self._lanes.values():
            # The earliest deadline stands first.
            k = bisect.bisect_right(pieces, now_s, key=lambda w: w.deadline.at_s)
            expired += pieces[:k]
            del pieces[:k]
        self.cost -= sum(waiting.cost for waiting in expired)
        return expired

    def _turn(self) -> Lane:
        return min(
            (lane for lane in WEIGHTS if self._lanes[lane]),
            key=lambda lane: self._served[lane],
            default=Lane.INTERACTIVE,
        )

    def _take(self, lane: Lane, k: int) -> Waiting[T]:
        waiting = self._lanes[lane].pop(k)
        self._served[lane] += waiting.cost / WEIGHTS[lane]
        self.cost -= waiting.cost
        return waiting


def _first(pieces: list[Waiting[T]], wanted: Callable[[Waiting[T]], bool]) -> int | None:
    return next((k for k, waiting in enumerate(pieces) if wanted(waiting)), None)
