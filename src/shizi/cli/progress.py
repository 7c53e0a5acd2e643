"""Tells on standard error how far long work is: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from shizi.cli.console import say
from shizi.jobs.batch.tally import Tally

_LINE_S = 60.0
_BAR = 24
_CLEAR = "\r\x1b[2K"


class Progress:
    """Shows a tally.

    Args:
        quiet: show nothing.
        out: where to.
        monotonic: seconds that nobody can set.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        out: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = out or sys.stderr
        self._quiet = quiet
        self._bar = self._out.isatty()
        self._monotonic = monotonic
        self._last_s = monotonic()
        self._shown = False

    def show(self, tally: Tally) -> None:
        """Tell how far it is, where it is time to."""
        if self._quiet:
            return
        if self._bar:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(_CLEAR + f"{_bar(tally)} {describe(tally)}"[:width])
            self._out.flush()
            self._shown = True
        elif self._monotonic() - self._last_s >= _LINE_S:
            self._last_s = self._monotonic()
            say(describe(tally))

    def say(self, message: str) -> None:
        """Tell something beside it."""
        self.clear()
        say(message)

    def clear(self) -> None:
        """Leave the line to others."""
        if self._shown:
            self._out.write(_CLEAR)
            self._out.flush()
            self._shown = False


def describe(tally: Tally) -> str:
    """Say in words how far it is."""
    known = f"{tally.files:,}" if tally.listed else f"{tally.files:,} found so far"
    parts = [f"{tally.done:,} of {known}"]
    if tally.failed:
        parts.append(f"{tally.failed:,} failed")
    parts.append(f"{tally.per_s:.1f} files/s")
    if tally.stopping:
        parts.append("stopping")
    elif tally.left_s is not None and tally.done < tally.files:
        parts.append(f"{duration(tally.left_s)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Write seconds as people do: 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def _bar(tally: Tally) -> str:
    share = tally.done / tally.files if tally.files and tally.listed else 0.0
    full = round(_BAR * share)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}"
