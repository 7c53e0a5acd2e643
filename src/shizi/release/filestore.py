"""The state of releases in a folder of this machine.

state.json             the document, replaced whole
changes.jsonl          the log, a line a change
lock                   held while both are written
releases/NAME/         what the processes and the leader tell of one release
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shizi.core.errors import ReleaseInvalid, ReleaseStoreGone
from shizi.core.files import append_line, locked, replace_file
from shizi.release.document import Document, document_to_json, json_to_document
from shizi.release.snapshots import Snapshot, json_to_snapshot, snapshot_to_json
from shizi.release.store import Entry, check_step, entry_of, entry_to_json, json_to_entry

_STATE = "state.json"
_LOG = "changes.jsonl"
_LOCK = "lock"
_MEMO = "leader.json"
_REPORT = ".report.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


class FileStore:
    """A folder; processes of one machine share it. Only the owner can read it.

    Args:
        folder: made where it is missing, with the first write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Document | None:
        """Give the state; None where there never was a release."""
        with _translated(self._folder):
            content = _content(self._folder / _STATE)
        return None if content is None else json_to_document(content)

    def swap(self, expected_epoch: int, document: Document) -> None:
        """Replace the state, and add a line to the log.

        The state comes first, and has all that its line has: a line that was lost because the
        process ended between the two is added by whoever writes next.
        """
        with _translated(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder / _LOCK):
                current = self.read()
                check_step(expected_epoch, current.epoch if current else 0, document)
                if current:
                    self._heal(current)
                replace_file(self._folder / _STATE, document_to_json(document))
                append_line(self._folder / _LOG, entry_to_json(entry_of(document)))

    def restore(self, document: Document) -> None:
        """Put a state back; one that is as new or newer stays."""
        with _translated(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder / _LOCK):
                current = self.read()
                if current is None or current.epoch < document.epoch:
                    replace_file(self._folder / _STATE, document_to_json(document))
                    self._heal(document)

    def wait(self, timeout_s: float) -> None:
        """Wait for so long: files are compared by content, as nothing tells of a swapped link."""
        time.sleep(timeout_s)

    def entries(self, release_id: str | None = None) -> Sequence[Entry]:
        """Give the log, the oldest line first; a line that was cut short is left out."""
        with _translated(self._folder):
            found = list(self._lines())
            current = self.read()
        if current and (not found or found[-1].epoch < current.epoch):
            found.append(entry_of(current))
        return [entry for entry in found if release_id in (None, entry.release_id)]

    def publish(self, snapshot: Snapshot) -> None:
        """Replace what a process told before."""
        # It comes again in a second: not worth a wait for the disk.
        path = self._place(snapshot.release_id) / (_checked(snapshot.reporter) + _REPORT)
        self._write(path, snapshot_to_json(snapshot), durable=False)

    def snapshots(self, release_id: str) -> Sequence[Snapshot]:
        """Give the latest of every process that took part in a release."""
        with _translated(self._folder):
            paths = sorted(self._place(release_id).glob("*" + _REPORT))
            contents = [content for path in paths if (content := _content(path)) is not None]
        found = []
        for content in contents:
            # Written without a sync: after a power cut it may be empty.
            with contextlib.suppress(ReleaseInvalid):
                found.append(json_to_snapshot(content))
        return found

    def write_memo(self, release_id: str, content: bytes) -> None:
        """Keep the leader's own notes on a release."""
        self._write(self._place(release_id) / _MEMO, content, durable=True)

    def read_memo(self, release_id: str) -> bytes:
        """Give these notes; empty for none."""
        with _translated(self._folder):
            return _content(self._place(release_id) / _MEMO) or b""

    def _write(self, path: Path, content: bytes, *, durable: bool) -> None:
        with _translated(self._folder):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, content, durable=durable)

    def _place(self, release_id: str) -> Path:
        return self._folder / "releases" / _checked(release_id)

    def _heal(self, current: Document) -> None:
        last = max((entry.epoch for entry in self._lines()), default=0)
        if last < current.epoch:
            append_line(self._folder / _LOG, entry_to_json(entry_of(current)))

    def _lines(self) -> Iterator[Entry]:
        for line in (_content(self._folder / _LOG) or b"").splitlines():
            with contextlib.suppress(ReleaseInvalid):
                yield json_to_entry(line)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _checked(name: str) -> str:
    """Refuse a name that would lead out of the folder."""
    if not _NAME.fullmatch(name):
        raise ReleaseInvalid(f"{name!r} is no name: letters, digits and ._@- , 128 at most")
    return name


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReleaseStoreGone(f"{folder}: {error.strerror or error}") from error
