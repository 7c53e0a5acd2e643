"""Standard input as a file that is read."""

from __future__ import annotations

import sys

from shizi.core.errors import InputError, TooLarge
from shizi.core.options import Limits


def read_standard_input(limits: Limits) -> bytes:
    """Read standard input to its end, but never more than the limit.

    Raises:
        TooLarge: there is more.
        InputError: there is nothing.
    """
    data = sys.stdin.buffer.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise TooLarge("max_bytes", limits.max_bytes, len(data))
    if not data:
        raise InputError("standard input is empty")
    return data
