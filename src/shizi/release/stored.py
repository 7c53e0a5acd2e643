"""What is stored of releases is read the same way everywhere: as JSON, every value checked."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shizi.core.errors import ReleaseInvalid

T = TypeVar("T")


def decode(content: bytes, kind: type[T], wrong: str) -> T:
    """Read a value.

    Args:
        content: JSON.
        kind: of the value.
        wrong: what to say where it is none, the reason comes behind.

    Raises:
        ReleaseInvalid: it is torn, of another kind, or a part lies outside its range.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReleaseInvalid(f"{wrong}: {error}") from error
