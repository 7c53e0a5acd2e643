"""What goes wrong with jobs and the ledger that holds them."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError
from shizi.core.errors.service import Busy


class LedgerFailed(Busy):
    """The ledger of jobs cannot be reached or written; what it holds stays as it is."""

    code = "ledger_failed"
    advice = "See that its database runs and its disk has room; the work goes on where it stopped."

    def __init__(self, detail: str, retry_after_s: float = 5.0) -> None:
        """Say what failed, and after how many seconds another try makes sense."""
        super().__init__(retry_after_s)
        self.detail = detail

    @property
    def values(self) -> tuple[str, float]:
        """What failed, and the time."""
        return self.detail, self.retry_after_s


class JobNotFound(ShiziError):
    """There is no job of this id, or none any more."""

    code = "job_not_found"
    http_status = 404
    advice = "Check the id; jobs are forgotten some time after they have ended."

    def __init__(self, job_id: str) -> None:
        """Name the job."""
        super().__init__(f"there is no job {job_id!r}")
        self.job_id = job_id

    @property
    def values(self) -> tuple[str]:
        """The job."""
        return (self.job_id,)


class JobUnfinished(ShiziError):
    """The job has not ended yet, and what was asked for is whole only then."""

    code = "job_unfinished"
    http_status = 409
    advice = "Ask for its state until it has ended, or fetch what is there page by page."


class KeyReused(ShiziError):
    """An idempotency key came again with something else to do."""

    code = "key_reused"
    http_status = 422
    advice = "Use a new key for every new submission, and the old one only to repeat the same."


class LeaseLost(ShiziError):
    """Work was taken from whoever did it, or its job ended; nothing more of it is written."""

    code = "lease_lost"
    http_status = 409
    advice = "Drop the work; whoever has it now does it."
