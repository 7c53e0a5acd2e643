"""The keys that open the service: a file with the hash of each, re-read when it changes.

A line is `name sha256hex [limit]`: the name of whoever holds the key, the SHA-256 of the key, and
where it differs from that of the settings, how often it may be used, such as `600/minute`. Keys are
long and drawn by chance, so that a plain hash keeps them.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shizi.core.errors import ConfigError, FileAccessError, OptionError
from shizi.core.files import replace_file

_log = logging.getLogger(__name__)

_PREFIX = "shizi_"
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without itself.

    Attributes:
        name: of whoever holds it.
        sha256: of the key, hexadecimal.
        limit: how often it may be used; empty for the limit of the settings.
    """

    name: str
    sha256: str
    limit: str = ""

    def line(self) -> str:
        """Give its line in the file."""
        return " ".join(part for part in (self.name, self.sha256, self.limit) if part)


def draw_key(name: str, limit: str = "") -> tuple[str, Key]:
    """Draw a new key.

    Returns:
        The key itself, which is kept nowhere, and what is kept of it.

    Raises:
        OptionError: the name holds something else than letters, digits and ._@-.
    """
    if not _NAME.fullmatch(name):
        raise OptionError(f"{name!r} is no name of a key: letters, digits and ._@-, 64 at most")
    text = _PREFIX + secrets.token_urlsafe(32)
    return text, Key(name, hash_key(text), limit)


def hash_key(text: str) -> str:
    """Give what is kept of a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def read_keys(file: Path) -> list[Key]:
    """Read the keys of a file.

    Raises:
        ConfigError: it cannot be read or has a malformed line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text in UTF-8"
        raise ConfigError(f"server.keys: {file} cannot be read: {reason}") from error
    return [
        _parse(line, number, file)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def write_keys(file: Path, keys: Sequence[Key]) -> None:
    """Replace the keys of a file, at once and readable by its owner alone.

    Raises:
        FileAccessError: it cannot be written.
    """
    content = "".join(key.line() + "\n" for key in keys)
    try:
        replace_file(file, content.encode())
    except OSError as error:
        raise FileAccessError(f"{file} cannot be written: {error.strerror}") from error


def _parse(line: str, number: int, file: Path) -> Key:
    parts = line.split()
    right = len(parts) in (2, 3) and _NAME.fullmatch(parts[0]) and _HASH.fullmatch(parts[1].lower())
    if not right:
        raise ConfigError(f"server.keys: {file}, line {number} is not `name sha256hex [limit]`")
    return Key(parts[0], parts[1].lower(), parts[2] if len(parts) == 3 else "")


class KeyRing:
    """The keys of a file as it stands; threads share it.

    Args:
        file: of the keys.
        check_limit: raises ConfigError where the limit of a key is none.

    Raises:
        ConfigError: the file cannot be read or is malformed when the ring is made. Later the keys
            last read stay, and the log says so: a slip of the hand neither opens nor closes it.
    """

    def __init__(self, file: Path, check_limit: Callable[[str], None]) -> None:
        self._file = file
        self._check_limit = check_limit
        self._lock = threading.Lock()
        self._stamp = _stamp(file)
        self._keys = self._read()

    def find(self, text: str) -> Key | None:
        """Give the key that was presented; every known one is compared, in constant time."""
        presented = hash_key(text)
        found = None
        for key in self._current():
            if hmac.compare_digest(key.sha256, presented):
                found = key
        return found

    def _read(self) -> list[Key]:
        keys = read_keys(self._file)
        for key in keys:
            self._check_limit(key.limit)
        return keys

    def _current(self) -> list[Key]:
        with self._lock:
            stamp = _stamp(self._file)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._keys = self._read()
                except ConfigError as error:
                    _log.error("the keys last read stay in use: %s", error.detail)
            return self._keys


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """Tell one state of a file from another."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
