"""How often a key or an address may ask; counted within this process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shizi.core.errors import ConfigError

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to the limit that is nearest to its end.

    Attributes:
        limit: requests it allows in its window.
        remaining: requests that are left.
        reset_at_s: seconds since the epoch when there is room again.
        exceeded: whether this request is one too many.
    """

    limit: int
    remaining: int
    reset_at_s: float
    exceeded: bool


class Rates:
    """Counts requests against limits such as "60/minute"; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiter: MovingWindowRateLimiter | None = None
        self._parsed: dict[str, list[RateLimitItem]] = {}

    def check(self, limit: str) -> None:
        """Look whether a text is a limit, or several with commas; empty is none.

        Raises:
            ConfigError: it is no limit.
        """
        if limit:
            self._items(limit)

    def hit(self, who: str, limit: str) -> Standing:
        """Count a request.

        Args:
            who: asks.
            limit: that holds for it.

        Returns:
            How it stands to the limit that is nearest to its end.

        Raises:
            ConfigError: the limit is none.
        """
        items = self._items(limit)
        limiter = self._open()
        # Every limit is hit, whichever is exceeded: asking on does not pay.
        passed = [limiter.hit(item, who) for item in items]
        states = [
            Standing(item.amount, stats.remaining, stats.reset_time, exceeded=not ok)
            for item, ok in zip(items, passed, strict=True)
            for stats in [limiter.get_window_stats(item, who)]
        ]
        return min(states, key=lambda state: (not state.exceeded, state.remaining))

    def _items(self, text: str) -> list[RateLimitItem]:
        if text not in self._parsed:
            from limits import parse_many  # noqa: PLC0415 - 4 MB that only a limit pays for

            try:
                self._parsed[text] = parse_many(text)
            except ValueError as error:
                raise ConfigError(f"{text!r} is no limit such as 60/minute") from error
        return self._parsed[text]

    def _open(self) -> MovingWindowRateLimiter:
        with self._lock:
            if self._limiter is None:
                from limits.storage import MemoryStorage  # noqa: PLC0415
                from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

                self._limiter = MovingWindowRateLimiter(MemoryStorage())
            return self._limiter
