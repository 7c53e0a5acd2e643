"""Finds what a batch reads: folders to their bottom, patterns, single files; never all at once.

Files are named by texts, here and where they are read and written: until Python 3.14 `Path` interns
each part of a name, in a table that grows under a million of them; early releases of 3.12 even keep
the names themselves (cpython #121780).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shizi.core.errors import FileAccessError, OptionError
from shizi.jobs.values import Source

#: Files of a folder that are read; those named one by one, or by a pattern, are read whatever
#: they are called.
ENDINGS = frozenset(
    ".avif .bmp .dib .gif .heic .heif .jfif .jpe .jpeg .jpg .pdf .png .tif .tiff .webp".split()
)
_ODD = "\\x"


@dataclass(frozen=True, slots=True)
class Root:
    """One of the things a user named.

    Attributes:
        folder: that its files lie below.
        pattern: of the files; empty for all of the folder that have a known ending.
    """

    folder: str
    pattern: str = ""


def to_text(path: str) -> str:
    """Write a path so that every program can store it: bytes that are no text are written out."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _ODD + os.fsencode(path).hex()
    return path


def to_path(text: str) -> str:
    """Give the path that `to_text` wrote."""
    return os.fsdecode(bytes.fromhex(text[len(_ODD) :])) if text.startswith(_ODD) else text


def find_roots(inputs: Sequence[str]) -> list[Root]:
    """Tell what each input is.

    Raises:
        FileAccessError: one is neither a folder nor a file nor a pattern.
    """
    roots = []
    for name in inputs:
        # Not resolved: a link stays what its owner calls it.
        path = os.path.abspath(name)
        if os.path.isdir(path):
            roots.append(Root(path))
        elif os.path.exists(path):
            roots.append(Root(os.path.dirname(path), glob.escape(path)))
        elif glob.has_magic(name):
            roots.append(Root(_fixed_part(path), path))
        else:
            raise FileAccessError(f"there is no file or folder {name}")
    return roots


def _fixed_part(pattern: str) -> str:
    """Give the folder before the first sign that stands for others."""
    parts = Path(pattern).parts
    fixed = next((k for k, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return str(Path(*parts[:fixed]))


def _is_below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder's own or lies in it; both are absolute and resolved."""
    return os.path.commonpath([path, folder]) == folder


class Listing:
    """The files below some roots, found as they are asked for.

    Args:
        roots: that were named.
        out: folder that results go to; within a root it is not entered.
        warn: told of folders that cannot be entered.

    Raises:
        OptionError: results would lie among the inputs of a folder, and be taken for some.

    Attributes:
        skipped: files that were left alone because of their endings.
        unentered: folders that could not be entered.
    """

    def __init__(self, roots: Sequence[Root], out: Path, warn: Callable[[str], None]) -> None:
        self.skipped = 0
        self.unentered = 0
        self._roots = roots
        self._out = os.path.realpath(out)
        self._warn = warn
        self._base = os.path.commonpath([root.folder for root in roots])
        folders = {root: os.path.realpath(root.folder) for root in roots}
        if any(not root.pattern and folder == self._out for root, folder in folders.items()):
            raise OptionError(f"{out} is read: name another folder for the results")
        self._around_out = {
            root
            for root, folder in folders.items()
            if folder != self._out and _is_below(self._out, folder)
        }

    def __iter__(self) -> Iterator[Source]:
        """Give each file as a source: its path, its name below what all roots share, its stamp."""
        for root in self._roots:
            paths = self._matching(root) if root.pattern else self._below(root)
            for path in paths:
                try:
                    status = os.stat(path)
                except OSError:
                    # Gone since it was listed, or a link to nothing: reading it tells.
                    yield self._source(path, "", 0)
                else:
                    stamp = f"{status.st_size}-{status.st_mtime_ns}"
                    yield self._source(path, stamp, status.st_size)

    def _source(self, path: str, stamp: str, size: int) -> Source:
        name = os.path.relpath(path, self._base)
        return Source(to_text(path), to_text(name), stamp, size)

    def _matching(self, root: Root) -> Iterator[str]:
        # Patterns as shells have them, which those of `Path` are not.
        for path in glob.iglob(root.pattern, recursive=True):
            if not os.path.isdir(path) and not self._is_result(path, root):
                yield path

    def _is_result(self, path: str, root: Root) -> bool:
        """Tell what lies in the folder of results, where that lies within the root."""
        return root in self._around_out and _is_below(os.path.realpath(path), self._out)

    def _below(self, root: Root) -> Iterator[str]:
        folders = [root.folder]
        while folders:
            folder = folders.pop()
            try:
                entries = os.scandir(folder)
            except OSError as error:
                self.unentered += 1
                self._warn(f"{folder} cannot be entered: {error.strerror}")
                continue
            with entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        hidden = entry.name.startswith(".")
                        if not hidden and not self._is_result(entry.path, root):
                            folders.append(entry.path)
                    elif os.path.splitext(entry.name)[1].lower() in ENDINGS:
                        yield entry.path
                    else:
                        self.skipped += 1
