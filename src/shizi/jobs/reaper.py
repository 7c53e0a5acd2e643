"""Finds leases whose holders are gone, by watching them.

A reaper trusts no clock but its own monotonic one: a lease is over when its holder gave no sign of
life while the reaper watched for long enough. A reaper that starts anew watches anew. Any number
of them may watch the same ledger; only one of them can take a lease away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from shizi.jobs.ledger import Ledger
from shizi.jobs.values import Lease, Pulse


class Reaper:
    """Watches the leases of a ledger.

    Args:
        ledger: whose.
        lease_s: seconds without a sign of life after which a holder is taken for gone; at least
            three times as long as a holder lets pass between two.
        monotonic: seconds that nobody can set.
    """

    def __init__(
        self, ledger: Ledger, lease_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._lease_s = lease_s
        self._monotonic = monotonic
        self._seen: dict[Pulse, float] = {}

    def round(self) -> list[Lease]:
        """Look at all leases once; gives those that were taken away.

        Raises:
            LedgerFailed: the ledger cannot be reached; the watching goes on at the next round.
        """
        now = self._monotonic()
        pulses = self._ledger.pulses()
        self._seen = {pulse: self._seen.get(pulse, now) for pulse in pulses}
        over = [pulse for pulse, since in self._seen.items() if now - since >= self._lease_s]
        return [pulse.lease for pulse in over if self._ledger.revoke(pulse)]
