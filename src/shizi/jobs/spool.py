"""The spool: files that were handed in and wait to be read, in a folder of bounded size.

A deposit is written under a name drawn by chance and becomes visible as a whole:

    spool/3f….part/000000     while it is written
    spool/3f…/000000          once it is complete; its ref is "3f…/000000"
    spool/3f…/job             the id of the job it was handed in for

What files are called by their owners is kept in the ledger alone and names nothing on the disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from shizi.core.errors import FileAccessError, OutOfSpace
from shizi.jobs.values import Source

T = TypeVar("T")

_UNFINISHED = ".part"
_OWNER_FILE = "job"
_NAME = re.compile(r"[0-9a-f]{32}")
_REF = re.compile(r"[0-9a-f]{32}/[0-9]{6,}")
# So much of the disk is left free: whoever keeps the ledger needs some to end its jobs.
_LEAST_FREE_BYTES = 64 << 20
_LEAST_FREE_SHARE = 20
# Room is claimed in pieces, so that not every write looks at the whole folder.
_PIECE_BYTES = 4 << 20
# A deposit nobody finished or claimed for so long is what a crash has left.
ABANDONED_S = 3600.0


class Spool:
    """The folder; threads and processes may share it.

    Args:
        folder: made where it is missing; only its owner may enter it.
        most_bytes: of all files in it.
        clock: seconds since the epoch, as the disk counts them.

    Raises:
        FileAccessError: the folder cannot be made.
    """

    def __init__(
        self, folder: Path, most_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        # By name: what complete deposits take, and those that are written by this process.
        self._known: dict[str, int] = {}
        self._open: dict[str, int] = {}
        try:
            # Parents that are missing are nobody else's business either.
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _failed(folder, error) from error

    def deposit(self) -> Deposit:
        """Begin a deposit; it is one block of `with`, and gone where the block fails.

        Raises:
            OutOfSpace: there is no room for anything.
        """
        name = uuid.uuid4().hex
        self._claim(name, 1, 0)
        return Deposit(self, name, self._folder)

    def read(self, ref: str) -> bytes:
        """Read a file.

        Raises:
            FileAccessError: there is none, or it cannot be read.
        """
        if not _REF.fullmatch(ref):
            raise FileAccessError(f"{ref[:80]!r} names no file of the spool")
        path = self._folder / ref
        try:
            return path.read_bytes()
        except OSError as error:
            raise _failed(path, error) from error

    def assign(self, name: str, job_id: str) -> None:
        """Note which job a deposit was made for.

        Raises:
            FileAccessError: it cannot be written.
        """
        path = self._folder / name / _OWNER_FILE
        try:
            path.write_text(job_id, encoding="ascii")
        except OSError as error:
            raise _failed(path, error) from error

    def owner(self, name: str) -> str:
        """Give the id of the job a deposit was made for; empty where none was noted."""
        try:
            return (self._folder / name / _OWNER_FILE).read_text(encoding="ascii")
        except OSError:
            return ""

    def remove(self, name: str) -> None:
        """Remove a deposit; one that is gone already is no error."""
        for path in (self._folder / name, self._folder / (name + _UNFINISHED)):
            shutil.rmtree(path, ignore_errors=True)

    def deposits(self) -> list[str]:
        """Name the complete deposits."""
        return sorted(name for name in self._names() if _NAME.fullmatch(name))

    def abandoned(self, used: Collection[str]) -> list[str]:
        """Name the deposits that a crash has left: old, and neither complete nor of a job.

        Args:
            used: names of deposits that a job needs.
        """
        return [
            name.removesuffix(_UNFINISHED)
            for name in self._names()
            if name.removesuffix(_UNFINISHED) not in used
            and name.removesuffix(_UNFINISHED) not in self._open
            and self._age_s(name) > ABANDONED_S
        ]

    def used_bytes(self) -> int:
        """Count what all files take; complete deposits never change and are measured once."""
        with self._lock:
            return self._measure()

    def _measure(self) -> int:
        """Count what all files take; the lock is held."""
        present = set(self._names())
        self._known = {name: size for name, size in self._known.items() if name in present}
        measured = sum(self._open.values())
        for name in present:
            plain = name.removesuffix(_UNFINISHED)
            if plain in self._open:
                continue
            size = self._known[name] if name in self._known else _size(self._folder / name)
            if plain == name:
                self._known[name] = size
            measured += size
        return measured

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                return [entry.name for entry in entries if entry.is_dir()]
        except OSError:
            return []

    def _age_s(self, name: str) -> float:
        try:
            return self._clock() - (self._folder / name).stat().st_mtime
        except OSError:
            return 0.0

    def _claim(self, name: str, least: int, wish: int) -> int:
        """Take room for bytes that are about to be written.

        Args:
            name: of the deposit.
            least: bytes that are needed.
            wish: bytes that are taken where there is room for them.

        Returns:
            The bytes taken.

        Raises:
            OutOfSpace: there is no room for the least.
        """
        with self._lock:
            room = self._most_bytes - self._measure()
            granted = min(wish, room)
            if room < least:
                raise OutOfSpace(f"files that wait may take {self._most_bytes:,} bytes together")
            self._open[name] = self._open.get(name, 0) + granted
        disk = shutil.disk_usage(self._folder)
        if disk.free - least < min(_LEAST_FREE_BYTES, disk.total // _LEAST_FREE_SHARE):
            raise OutOfSpace("the disk is full")
        return granted

    def _close(self, name: str) -> None:
        with self._lock:
            self._open.pop(name, None)


class Deposit:
    """Files of one upload while they are written; made by `Spool.deposit`.

    Attributes:
        name: of the deposit.
    """

    def __init__(self, spool: Spool, name: str, folder: Path) -> None:
        self.name = name
        self._spool = spool
        self._folder = folder
        self._draft = folder / (name + _UNFINISHED)
        self._sources: list[Source] = []
        self._claimed = 0
        self._current: Draft | None = None

    def __enter__(self) -> Deposit:
        """Make its folder."""
        try:
            self._draft.mkdir(mode=0o700)
        except OSError as error:
            self._spool._close(self.name)
            raise _failed(self._draft, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not completed."""
        if self._current is not None:
            self._current.abort()
        self._spool._close(self.name)
        if kind is not None:
            self._spool.remove(self.name)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files so far."""
        return tuple(self._sources)

    def begin(self, name: str) -> Draft:
        """Begin a file; the one before it was closed.

        Args:
            name: as its owner calls it.
        """
        number = len(self._sources)
        self._sources.append(Source(ref=f"{self.name}/{number:06d}", name=name))
        self._current = Draft(self, self._draft / f"{number:06d}", number)
        return self._current

    def path(self, number: int) -> Path:
        """Give the place of a file that was written."""
        return self._draft / f"{number:06d}"

    def drop(self, number: int) -> None:
        """Remove a file, such as an archive whose files were taken out; its number stays free."""
        self.path(number).unlink(missing_ok=True)
        self._sources[number] = Source(ref="")

    def complete(self) -> tuple[Source, ...]:
        """Put all files to the disk and make them visible.

        Returns:
            The files in the order they were begun.

        Raises:
            FileAccessError: the disk failed.
        """
        try:
            _sync(self._draft)
            self._draft.rename(self._folder / self.name)
            _sync(self._folder)
        except OSError as error:
            raise _failed(self._draft, error) from error
        return tuple(source for source in self._sources if source.ref)

    def _take(self, size: int) -> None:
        if size > self._claimed:
            self._claimed += self._spool._claim(self.name, size, max(size, _PIECE_BYTES))
        self._claimed -= size

    def _finished(self, number: int, size: int, digest: str) -> None:
        source = self._sources[number]
        self._sources[number] = Source(source.ref, source.name, digest, size)


class Draft:
    """One file while it is written; made by `Deposit.begin`."""

    def __init__(self, deposit: Deposit, path: Path, number: int) -> None:
        self.number = number
        self._deposit = deposit
        self._path = path
        self._size = 0
        self._digest = hashlib.sha256()
        self._file = self._attempt(lambda: path.open("xb"))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes.

        Raises:
            OutOfSpace: there is no room for them.
            FileAccessError: the disk failed.
        """
        self._deposit._take(len(data))
        self._attempt(lambda: self._file.write(data))
        self._digest.update(data)
        self._size += len(data)

    def close(self) -> None:
        """End the file.

        Raises:
            OutOfSpace: there is no room for its last bytes.
            FileAccessError: the disk failed.
        """
        self._attempt(self._file.close)
        self._deposit._finished(self.number, self._size, self._digest.hexdigest())

    def abort(self) -> None:
        """Let it go; its deposit is not completed."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _attempt(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except OSError as error:
            raise _failed(self._path, error) from error


def _failed(path: Path, error: OSError) -> FileAccessError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace("the disk is full")
    return FileAccessError(f"{path} cannot be used: {error.strerror}")


def _size(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(e.stat().st_size for e in entries if e.name != _OWNER_FILE)
    except OSError:
        return 0


def _sync(folder: Path) -> None:
    """Put everything on the folder's file system to its disk, however many files it is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if hasattr(libc, "syncfs") and libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
