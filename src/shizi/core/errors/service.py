"""Why the work of a service was not begun or not ended."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError


class Busy(ShiziError):
    """All queues are full; nothing was started."""

    code = "busy"
    http_status = 503
    advice = "Try again after the time given."

    def __init__(self, retry_after_s: float) -> None:
        """Say after how many seconds another try makes sense."""
        super().__init__(f"busy; try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s

    @property
    def values(self) -> tuple[str | float, ...]:
        """The time."""
        return (self.retry_after_s,)


class Unavailable(Busy):
    """A process of the service is gone and not back yet."""

    code = "unavailable"
    advice = "Try again after the time given; if it stays so, see the log of the service."

    def __init__(self, retry_after_s: float) -> None:
        """Say after how many seconds another try makes sense."""
        super().__init__(retry_after_s)
        self.detail = "a process of the service ended and is being replaced"


class DeadlineExceeded(ShiziError):
    """The time given for the work ran out; the work was stopped."""

    code = "deadline"
    http_status = 504
    advice = "Send fewer or smaller pages, or allow more time."


class Canceled(ShiziError):
    """The caller gave the work up."""

    code = "canceled"
    http_status = 409
    advice = "Submit it again if it is still wanted."


class StartFailed(ShiziError):
    """A process of the service ended before it was ready; nothing runs."""

    code = "start_failed"
    advice = "The lines above say why; `shizi doctor` checks the installation."


class Unreachable(ShiziError):
    """A client cannot reach the service, or what answers is no Shizi."""

    code = "unreachable"
    http_status = 502
    advice = "Check the address, and that the service runs."
