"""Who answers a request: decided by its unit alone, so that nobody is moved back and forth."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from shizi.release.document import Document, Phase
from shizi.release.observations import Side
from shizi.release.plan import BASIS_POINTS

_END_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes; decided once, when it comes in, and kept to its end.

    Attributes:
        version: that answers it.
        side: of the release.
        release_id: names the release; empty where there never was one.
        epoch: of the state it was decided by; 0 where there was none.
        forced: the share did not decide, a tester's wish or a list did.
    """

    version: str
    side: Side = Side.STABLE
    release_id: str = ""
    epoch: int = 0
    forced: bool = False


def unit_of(
    *, explicit: str = "", api_key: str = "", session: str = "", content: bytes = b""
) -> str:
    """Give what a request is routed by: the first of these that there is.

    Two requests of one unit meet the same version. An address is no unit: a company has one, and a
    phone has many.

    Args:
        explicit: the header `X-Route-Key`.
        api_key: name of the key, never the key.
        session: cookie of the page.
        content: the picture; the same one is read by the same version.
    """
    if explicit:
        return f"route:{explicit}"
    if api_key:
        return f"key:{api_key}"
    if session:
        return f"session:{session}"
    return f"picture:{_digest(content)}"


def _digest(content: bytes) -> str:
    """Tell pictures apart by their length and their ends, in a tenth of a millisecond."""
    ends = content[:_END_BYTES] + content[-_END_BYTES:]
    return blake2b(b"%d:%b" % (len(content), ends), digest_size=16).hexdigest()


def place_of(salt: str, unit: str) -> int:
    """Give the place of a unit among 10,000, evenly spread and another one for every salt.

    Args:
        salt: name of the release; its length is part of what is hashed, so that no two pairs meet.
        unit: see `unit_of`.
    """
    content = f"{len(salt)}:{salt}{unit}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(content, digest_size=8).digest()) % BASIS_POINTS


def route(document: Document, unit: str, wish: Side | None = None) -> Route:
    """Choose the version for a unit.

    Args:
        document: state of the release.
        unit: see `unit_of`.
        wish: of a tester; granted where the version he wants may answer.
    """
    side, forced = _side(document, unit, wish)
    version = document.canary if side is Side.CANARY else document.stable
    return Route(version, side, document.release_id, document.epoch, forced)


def _side(document: Document, unit: str, wish: Side | None) -> tuple[Side, bool]:
    if document.phase is Phase.PROMOTED:
        return Side.CANARY, False
    if not document.serves_canary:
        return Side.STABLE, False
    if wish is not None:
        return wish, True
    if unit in document.excluded:
        return Side.STABLE, True
    if unit in document.testers:
        return Side.CANARY, True
    inside = place_of(document.release_id, unit) < document.ratio_bp
    return (Side.CANARY if inside else Side.STABLE), False
