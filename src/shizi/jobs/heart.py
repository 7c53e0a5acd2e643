"""Signs of life for a lease while its chunk is worked on."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from shizi.core.errors import LeaseLost, LedgerFailed
from shizi.jobs.ledger import Ledger
from shizi.jobs.values import Lease

_log = logging.getLogger(__name__)


class Heart:
    """Beats in a thread of its own for a block of `with`.

    A ledger that cannot be reached is no reason to stop: the beats go on, and it is the ledger
    that says whether they came too late.

    Args:
        ledger: the lease is of.
        lease: that is held.
        beat_s: seconds between two signs of life.
    """

    def __init__(self, ledger: Ledger, lease: Lease, beat_s: float) -> None:
        self._ledger = ledger
        self._lease = lease
        self._beat_s = beat_s
        self._over = threading.Event()
        self._lost: LeaseLost | None = None
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; a beat that is on its way may still arrive."""
        self._over.set()

    def check(self) -> None:
        """Say whether the lease is still held, as far as is known.

        Raises:
            LeaseLost: it is not.
        """
        if self._lost is not None:
            raise self._lost

    def _beat(self) -> None:
        while not self._over.wait(self._beat_s):
            try:
                self._ledger.beat(self._lease)
            except LeaseLost as error:
                self._lost = error
                return
            except LedgerFailed as error:
                _log.warning("no sign of life could be given: %s", error.detail)
