"""Pictures read by both versions, kept for people to judge: only where an owner asked for it.

This is the one place of releases that keeps pictures and text. They lie in a folder only the owner
can enter, the oldest go when there are too many, and a pair that was judged is deleted.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from shizi.core.errors import ReleaseInvalid
from shizi.core.files import replace_file
from shizi.core.types import PageResult
from shizi.release.document import Document
from shizi.release.observations import Kind, Side
from shizi.release.readings import kind_of
from shizi.release.stored import decode

MOST_PAIRS = 100
MOST_BYTES = 5_000_000
SAME = "same"
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Pair:
    """What both versions read in one picture.

    Attributes:
        pair_id: names it.
        release_id: of the release.
        stable: text the stable version read.
        canary: text the canary read.
        kind: of the picture.
    """

    pair_id: str
    release_id: str
    stable: str
    canary: str
    kind: Kind

    @property
    def canary_first(self) -> bool:
        """Whether the canary's text is shown first: by chance, so that nobody knows it."""
        return blake2b(self.pair_id.encode(), digest_size=1).digest()[0] % 2 == 0

    @property
    def texts(self) -> tuple[str, str]:
        """Both texts in the order they are shown."""
        return (self.canary, self.stable) if self.canary_first else (self.stable, self.canary)

    def better(self, place: str) -> str:
        """Give the side of a verdict "first", "second" or "same"."""
        if place == SAME:
            return SAME
        canary = (place == "first") == self.canary_first
        return (Side.CANARY if canary else Side.STABLE).value


class PairBox:
    """A folder of pairs; processes of one machine share it.

    Args:
        folder: made where it is missing.
        most: pairs that are kept.
    """

    def __init__(self, folder: Path, most: int = MOST_PAIRS) -> None:
        self._folder, self._most = folder, most

    def keep(
        self,
        document: Document,
        source: bytes,
        stable: Sequence[PageResult],
        canary: Sequence[PageResult],
    ) -> None:
        """Keep a picture that both read differently; what both read alike needs no judge."""
        one, other = ("\n".join(page.text for page in pages) for pages in (stable, canary))
        if one == other or len(source) > MOST_BYTES:
            return
        pair = Pair(secrets.token_hex(8), document.release_id, one, other, kind_of(stable))
        # A disk that is full costs a pair, never the reading.
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path(pair.pair_id, ".picture"), source, durable=False)
            content = msgspec.json.encode(pair)
            replace_file(self._path(pair.pair_id, ".json"), content, durable=False)
            self._make_room()

    def pairs(self, release_id: str) -> list[Pair]:
        """Give the pairs of a release that nobody has judged yet, the oldest first."""
        found = (self.find(path.stem) for path in self._by_age())
        return [pair for pair in found if pair and pair.release_id == release_id]

    def find(self, pair_id: str) -> Pair | None:
        """Give one pair; None where there is none."""
        if not _ID.fullmatch(pair_id):
            return None
        try:
            return decode(self._path(pair_id, ".json").read_bytes(), Pair, "a pair is damaged")
        except (OSError, ReleaseInvalid):
            return None

    def picture(self, pair_id: str) -> bytes | None:
        """Give the picture of a pair; None where there is none."""
        if not _ID.fullmatch(pair_id):
            return None
        try:
            return self._path(pair_id, ".picture").read_bytes()
        except OSError:
            return None

    def remove(self, pair_id: str) -> bool:
        """Forget a pair; False where it was gone already, so that it is judged once."""
        self._path(pair_id, ".picture").unlink(missing_ok=True)
        try:
            self._path(pair_id, ".json").unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, pair_id: str, ending: str) -> Path:
        return self._folder / (pair_id + ending)

    def _by_age(self) -> list[Path]:
        aged = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                aged.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(aged)]

    def _make_room(self) -> None:
        for path in self._by_age()[: -self._most]:
            self.remove(path.stem)
