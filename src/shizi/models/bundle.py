"""Unpacks a model that came as one file; what it holds is not trusted before its digests fit.

A bundle is a tar, a tar.gz or a zip of `manifest.json` and the files that it signs, flat or in one
folder. Anything else an archive can hold has no place in it: it is refused, not left out.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from shizi.core.errors import BadBundle, FileAccessError

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_CHUNK = 1 << 20
# Headers of an archive, longest names included, take no more.
_HEADER_BYTES = 1 << 18
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """What a bundle may hold.

    Attributes:
        files: in it.
        bytes: of all files, unpacked.
        ratio: of unpacked to packed bytes; weights hardly shrink.
    """

    files: int = 16
    bytes: int = 1 << 30
    ratio: int = 50


_LIMITS = BundleLimits()


def unpack(archive: Path, folder: Path, limits: BundleLimits = _LIMITS) -> None:
    """Write the files of a bundle into an empty folder.

    Args:
        archive: tar, tar.gz or zip, told by its content.
        folder: exists; after an error it holds a part of the files.
        limits: past them nothing more is unpacked.

    Raises:
        FileAccessError: the archive cannot be read.
        BadBundle: it is none, is damaged, or holds what no model has.
    """
    names = _Names(limits.files)
    try:
        most = min(limits.bytes, limits.ratio * max(archive.stat().st_size, _CHUNK))
        with archive.open("rb") as file:
            magic = file.read(len(_ZIP))
            file.seek(0)
            members = _zip_members(file) if magic == _ZIP else _tar_members(file, magic)
            for path, content in members:
                name = names.take(path)
                with (folder / name).open("xb") as target:
                    most -= _copy(content, target, most)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadBundle(f"{archive.name} is no archive, or a damaged one") from error
    except (NotImplementedError, RuntimeError, gzip.BadGzipFile) as error:
        raise BadBundle(f"{archive.name} cannot be unpacked") from error
    except OSError as error:
        raise FileAccessError(f"{archive} cannot be read: {error.strerror}") from error


class _Names:
    """Takes paths of an archive as names of files, each once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: set[str] = set()
        self._parent: PurePosixPath | None = None

    def take(self, path: str) -> str:
        """Give the name of a file.

        Raises:
            BadBundle: the path leads out of the folder, is there twice, or is one too many.
        """
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path or ":" in path:
            raise BadBundle(f"the archive holds a path that leads elsewhere: {path[:80]!r}")
        if self._parent is None:
            self._parent = pure.parent
        if not pure.name or len(pure.parts) > 2 or pure.parent != self._parent:
            raise BadBundle("the archive holds more than the files of one folder")
        # On some disks names that differ in case alone are one file.
        if pure.name.casefold() in self._taken:
            raise BadBundle(f"the archive holds {pure.name[:80]!r} twice")
        self._taken.add(pure.name.casefold())
        if len(self._taken) > self._most:
            raise BadBundle(f"the archive holds more than {self._most} files")
        return pure.name


def _copy(source: IO[bytes], target: BinaryIO, most: int) -> int:
    """Copy a file and give its size."""
    size = 0
    while data := source.read(_CHUNK):
        size += len(data)
        if size > most:
            raise BadBundle("the archive holds more than a model has, or is packed to do harm")
        target.write(data)
    return size


def _zip_members(file: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir() and kind in (0, stat.S_IFDIR):
                continue
            if kind not in (0, stat.S_IFREG) or member.flag_bits & _ENCRYPTED:
                raise BadBundle("the archive holds a link, or something encrypted")
            with archive.open(member) as content:
                yield member.filename, content


def _tar_members(file: BinaryIO, magic: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    packed = magic.startswith(_GZIP)
    stream = _Granted(cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file)
    # As a stream: members come in their order, and nothing is looked up by a place it names.
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        while True:
            stream.grant(_HEADER_BYTES)
            member = archive.next()
            if member is None:
                return
            if member.isdir():
                continue
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or member.issparse():
                raise BadBundle("the archive holds a link or a device")
            stream.grant(member.size + _HEADER_BYTES)
            yield member.name, content


class _Granted(io.RawIOBase):
    """A stream that gives no more than was granted: headers too can be made to fill the memory."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._left = _HEADER_BYTES

    def grant(self, size: int) -> None:
        """Let this many more bytes be read."""
        self._left = size

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read."""
        data = self._source.read(size if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise BadBundle("the archive has headers that no model needs")
        return data
