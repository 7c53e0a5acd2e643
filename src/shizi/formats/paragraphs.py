"""Lines into paragraphs, from where they stand and how they begin and end.

The page in the browser does the same, in `paragraphs.js`; a change belongs into both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shizi.core.types import Direction, PageResult, TextLine

#: Of a line's height, between lines of one paragraph.
_GAP: Final = 0.9
#: Heights of lines of one paragraph differ by less.
_SIZE: Final = 1.45
#: Heights that a full line may end before the right edge.
_REACH: Final = 2.2
#: Heights that lines of one paragraph may begin apart.
_INDENT: Final = 1.2
#: Heights that its first line may be moved in.
_FIRST_INDENT: Final = 4.0

_WIDE: Final = (
    "[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u3000-\u303f\u201c\u201d\u2018\u2019…—"
    "\U00020000-\U0003ffff]"
)
_ENDS_WIDE: Final = re.compile(rf"{_WIDE}\Z")
_BEGINS_WIDE: Final = re.compile(_WIDE)
_BULLET: Final = re.compile(
    r"\s*(?:[-•·●■◆○*]|[(（]?(?:[0-9]{1,3}|[一二三四五六七八九十]{1,3})[)）.、．]|[①-⑳])\s*[^0-9]"
)
_HYPHENATED: Final = re.compile(r"[a-z]-\Z")


@dataclass(frozen=True, slots=True)
class _Extent:
    """Where a line stands, as if it were horizontal."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def size(self) -> float:
        return self.bottom - self.top


def paragraphs(page: PageResult) -> list[list[TextLine]]:
    """Group neighboring lines of a page; every line is in one group, in order."""
    groups: list[list[TextLine]] = []
    for line in page.lines:
        if groups and _goes_on(groups[-1], line):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def join_lines(lines: Iterable[TextLine]) -> str:
    """Give the text of a paragraph as it would have been written without breaks."""
    whole = ""
    for line in lines:
        following = line.text.strip()
        if not whole or not following:
            whole += following
        elif _HYPHENATED.search(whole) and following[0].islower():
            whole = whole[:-1] + following
        else:
            closed = _ENDS_WIDE.search(whole) or _BEGINS_WIDE.match(following)
            whole += ("" if closed else " ") + following
    return whole


def _goes_on(group: Sequence[TextLine], line: TextLine) -> bool:
    if group[-1].direction is not line.direction or _BULLET.match(line.text):
        return False
    extents = [_extent(other) for other in group]
    return _is_below(extents[-1], _extent(line)) and _is_full(extents, _extent(line))


def _is_below(above: _Extent, below: _Extent) -> bool:
    """Tell whether a line is the next of its column: as high, not far down, not moved in."""
    height = min(above.size, below.size)
    return (
        max(above.size, below.size) <= height * _SIZE
        and below.top > above.top
        and abs(below.top - above.bottom) <= height * _GAP
        and below.left - above.left < height * _INDENT
    )


def _is_full(extents: Sequence[_Extent], below: _Extent) -> bool:
    """Tell whether the last line reaches the right edge; only the first may be moved in."""
    above = extents[-1]
    right = max(below.right, *(extent.right for extent in extents))
    outdent = _FIRST_INDENT if len(extents) == 1 else _INDENT
    return (
        above.right >= right - above.size * _REACH
        and above.left - below.left < above.size * outdent
    )


def _extent(line: TextLine) -> _Extent:
    """Turn vertical lines on their side: their columns run from right to left."""
    left, top, right, bottom = line.box.bounds
    if line.direction is Direction.VERTICAL:
        return _Extent(left=top, right=bottom, top=-right, bottom=-left)
    return _Extent(left, right, top, bottom)
