"""Gives memory back once no request has come for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flask import Flask

from shizi.engine.memory import release_memory

#: As long as an engine waits before it does the same.
REST_S = 5.0


class Rest:
    """Waits until requests have stopped, then gives memory back, once.

    What a body of some megabytes leaves behind is kept for the next one while requests come; at
    rest it would be kept for nobody.

    Args:
        after_s: seconds without a request after which memory is given back; it takes up to half
            as long again.
        give_back: does it.
    """

    def __init__(
        self, after_s: float = REST_S, give_back: Callable[[], None] = release_memory
    ) -> None:
        self._after_s = after_s
        self._give_back = give_back
        self._last_s = time.monotonic()

    def work(self) -> None:
        """Take note that a request was answered."""
        self._last_s = time.monotonic()

    def run(self) -> None:
        """Watch for ever."""
        given_after_s = None
        while True:
            time.sleep(self._after_s / 2)
            last_s = self._last_s
            if last_s != given_after_s and time.monotonic() - last_s >= self._after_s:
                given_after_s = last_s
                self._give_back()


def install_rest(app: Flask) -> None:
    """Let an application give memory back when nobody asks it anything."""
    rest = Rest()
    app.teardown_request(lambda _: rest.work())
    threading.Thread(target=rest.run, name="rest", daemon=True).start()
