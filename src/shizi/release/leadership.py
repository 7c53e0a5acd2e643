"""One leader at a time: who holds the lock decides, all others wait for it to fall free."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from shizi.core.errors import ReleaseStoreGone


class Leadership(Protocol):
    """A lock that a process takes and keeps by asking again and again.

    It cannot keep a leader that was stopped for a minute from waking up and believing itself one.
    The epoch does: its write is refused where another leader has written meanwhile.
    """

    def hold(self) -> bool:
        """Take the lock, or keep it; False while another process has it.

        Raises:
            ReleaseStoreGone: the place of the lock cannot be reached.
        """
        ...

    def release(self) -> None:
        """Let it go."""
        ...


class FileLeadership:
    """A lock on a file of this machine; the kernel frees it when its holder ends, however it does.

    Args:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "leader.lock"
        self._descriptor: int | None = None

    def hold(self) -> bool:
        """Take the lock, or keep it; False while another process has it."""
        if self._descriptor is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ReleaseStoreGone(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class SoleLeadership:
    """Of a process that is alone with its store."""

    def hold(self) -> bool:
        """Say that it leads."""
        return True

    def release(self) -> None:
        """Do nothing."""
