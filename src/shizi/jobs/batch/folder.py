"""The folder a batch writes to: results, failures, and what it needs to go on."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from shizi.core.errors import FileAccessError, OptionError
from shizi.formats import FORMATS
from shizi.jobs.batch.files import to_path
from shizi.jobs.ledger import Ledger
from shizi.jobs.values import JobState

_OWN = ".shizi"
FAILURES = "failures.tsv"
_HEADER = "file\tcode\tdetail\tattempts\n"
_AT_ONCE = 1000


class OutFolder:
    """A folder that one batch writes to at a time.

    Args:
        path: of the folder; made where there is none.

    Raises:
        FileAccessError: it cannot be made or written.
        OptionError: another batch writes to it now.

    Attributes:
        path: of the folder.
        parts: folder that unfinished results lie in.
        ledger: path of the ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        own = self.path / _OWN
        self.parts = own / "parts"
        self.ledger = own / "ledger.db"
        try:
            own.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(own / "lock", os.O_RDWR | os.O_CREAT, 0o666)
            self._take_lock()
            # What lies here was left by workers that died.
            shutil.rmtree(self.parts, ignore_errors=True)
            self.parts.mkdir(exist_ok=True)
        except OSError as error:
            raise FileAccessError(f"{path} cannot be written: {error.strerror}") from error

    def _take_lock(self) -> None:
        try:
            # The kernel lets it go with the process, however that ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise OptionError(f"another batch writes to {self.path} now") from error

    def forget(self) -> None:
        """Begin anew: everything is read again."""
        for path in self.ledger.parent.glob(self.ledger.name + "*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another batch in."""
        shutil.rmtree(self.parts, ignore_errors=True)
        os.close(self._lock)

    def target(self, name: str, form: str) -> str:
        """Give the file that a result goes to: the input's whole name, then the format's ending.

        Two pictures that differ in their endings alone so have two results.
        """
        return os.path.join(self.path, f"{to_path(name)}.{FORMATS[form].ending}")

    def write_failures(self, ledger: Ledger, job_id: str) -> Path | None:
        """List what could not be read, one a line; without any, there is no such file.

        Returns:
            The file, None where nothing failed.
        """
        file = self.path / FAILURES
        rows = []
        after = -1
        while found := ledger.items(job_id, after=after, limit=_AT_ONCE, state=JobState.FAILED):
            after = found[-1].number
            rows += [
                (item.source.name, item.code, item.detail, str(item.attempts)) for item in found
            ]
        if not rows:
            file.unlink(missing_ok=True)
            return None
        part = self.parts / FAILURES
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as out:
            out.write(_HEADER)
            out.writelines("\t".join(map(_cell, row)) + "\n" for row in sorted(rows))
        part.replace(file)
        return file


def _cell(text: str) -> str:
    """Write a value so that it neither ends its cell nor its line."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
