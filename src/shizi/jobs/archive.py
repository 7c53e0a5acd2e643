"""ZIP archives that strangers send: looked through before anything is unpacked.

Refused are archives that are encrypted, damaged or have links, paths that lead out of them, names
twice, entries that overlap, methods that take much memory, or far more content than bytes. What is
unpacked is counted: an archive that lies about its sizes is stopped where it exceeds them.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from shizi.core.errors import BadArchive, TooLarge, UnsupportedFormat

#: How a ZIP archive begins; an empty one has no entry and begins with its end.
MAGIC = (b"PK\x03\x04", b"PK\x05\x06")

_CHUNK_BYTES = 64 * 1024
_END = b"PK\x05\x06"
_END_BYTES = 22
_WIDE_LOCATOR = b"PK\x06\x07"
_WIDE_LOCATOR_BYTES = 20
_MOST_COMMENT_BYTES = 65_535
# A record of the directory takes 46 bytes and the name; nobody's names are longer on average.
_RECORD_BYTES = 1_024
_ENTRY_BYTES = 30
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_UTF8 = 0x800
_MADE_ON_UNIX = 3
# Pictures are packed already; only of white bitmaps becomes so much more, and not so many.
_MOST_RATIO = 200
_FREE_BYTES = 100_000_000
_MOST_NAME = 300
# What desktops leave in archives beside what was packed.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_OFFICE = "[Content_Types].xml"
_LITTER_FOLDER = "__MACOSX"


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes:
        max_files: counted in its directory.
        max_bytes: unpacked, all of it.
        max_file_bytes: unpacked, one file.
    """

    max_files: int
    max_bytes: int
    max_file_bytes: int


class Entry:
    """A file of an archive.

    Attributes:
        name: its path in the archive, with slashes, as people read it.
        size: bytes, as the directory says.
    """

    def __init__(self, name: str, size: int, open_it: Callable[[], IO[bytes]]) -> None:
        self.name = name
        self.size = size
        self._open = open_it

    def chunks(self) -> Iterator[bytes]:
        """Unpack it, piece by piece.

        Raises:
            BadArchive: it is damaged, or larger than the directory says.
        """
        left = self.size
        try:
            with self._open() as content:
                while data := content.read(_CHUNK_BYTES):
                    left -= len(data)
                    if left < 0:
                        raise BadArchive("a file of the archive is larger than it says")
                    yield data
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise BadArchive("a file of the archive is damaged") from error
        if left:
            raise BadArchive("a file of the archive is smaller than it says")


def is_archive(path: Path) -> bool:
    """Tell whether a file begins like a ZIP archive."""
    with path.open("rb") as file:
        return file.read(4) in MAGIC


def walk_archive(path: Path, limits: ArchiveLimits) -> Iterator[Entry]:
    """Look an archive through, then give its files one after another.

    Folders and what desktops leave behind are left out.

    Args:
        path: of the archive, on a disk of ours.
        limits: what it may hold.

    Raises:
        BadArchive: it is damaged, encrypted or made to harm; nothing was unpacked.
        TooLarge: it holds more than it may.
    """
    _check_end(path, limits.max_files)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise BadArchive("the archive is damaged") from error
    with archive:
        entries = archive.infolist()
        _check_entries(entries, path.stat().st_size, limits)
        for info in entries:
            name = _name(info)
            if not info.is_dir() and not _is_litter(name):
                yield Entry(name, info.file_size, partial(archive.open, info))


def _check_end(path: Path, max_files: int) -> None:
    """Look at the end of an archive before its directory is taken into memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _MOST_COMMENT_BYTES - _WIDE_LOCATOR_BYTES))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise BadArchive("the archive is cut short")
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if tail[max(0, at - _WIDE_LOCATOR_BYTES) : at].startswith(_WIDE_LOCATOR):
        raise BadArchive("the archive is of the wide form (ZIP64); pack fewer files into one")
    if count > max_files:
        raise TooLarge("max_files", max_files, count)
    if directory_bytes > _RECORD_BYTES * (count + 1):
        raise BadArchive("the directory of the archive is far too large")


def _check_entries(entries: list[zipfile.ZipInfo], packed: int, limits: ArchiveLimits) -> None:
    if len(entries) > limits.max_files:
        raise TooLarge("max_files", limits.max_files, len(entries))
    names = [_name(info) for info in entries]
    if len(set(names)) < len(names):
        raise BadArchive("the archive has two files of one name")
    if _OFFICE in names:
        raise UnsupportedFormat("one of the files is an Office document")
    for info, name in zip(entries, names, strict=True):
        _check_entry(info, name, limits)
    total = sum(info.file_size for info in entries)
    if total > limits.max_bytes:
        raise TooLarge("max_unpacked_bytes", limits.max_bytes, total)
    if total > _FREE_BYTES and total > _MOST_RATIO * packed:
        raise BadArchive("the archive unpacks to far more than it is")
    _check_places(entries, packed)


def _check_entry(info: zipfile.ZipInfo, name: str, limits: ArchiveLimits) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise BadArchive("the archive is encrypted")
    mode = info.external_attr >> 16 if info.create_system == _MADE_ON_UNIX else 0
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        raise BadArchive("the archive has a link or a device in it")
    if info.compress_type not in _METHODS:
        raise BadArchive("the archive is packed in a way that is not taken; use deflate")
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or name[1:2] == ":" or not name.strip():
        raise BadArchive("the archive has a path that leads out of it")
    if len(name) > _MOST_NAME:
        raise BadArchive(f"the archive has a path of more than {_MOST_NAME} characters")
    if info.file_size > limits.max_file_bytes:
        raise TooLarge("max_bytes", limits.max_file_bytes, info.file_size)


def _check_places(entries: Iterable[zipfile.ZipInfo], packed: int) -> None:
    """Refuse entries that share bytes: each would be unpacked anew."""
    end = 0
    for info in sorted(entries, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise BadArchive("files of the archive overlap")
        end = info.header_offset + _ENTRY_BYTES + info.compress_size
    if end > packed:
        raise BadArchive("the archive is cut short")


def _name(info: zipfile.ZipInfo) -> str:
    """Give a name as it was meant: old programs write the code page of their machine."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == _LITTER_FOLDER or parts[-1] in _LITTER
