"""The order a person reads the lines of a page in. Pure; the input's order does not matter.

Lines are gathered into bands from top to bottom; bands that share a gap from top to bottom form
a run. A run whose sides hold running text is read column by column; any other (a table, a form,
a receipt) row by row. Vertical lines that stand side by side are one block, read from the right.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from shizi.core.types import Direction, TextLine
from shizi.layout.geometry import Span, extents, gaps, hull

# A gap between columns is at least so many line heights wide.
_COLUMN_GAP = 0.9
# A column of text has at least so many lines.
_COLUMN_LINES = 3
# A line of running text is so many times wider than high...
_LINE_ASPECT = 6.0
# ...and fills this part of its column; this part of the column's ink is in such lines.
_COLUMN_FILL = 0.6
# Cells of a row have their middles this near, in text heights; of a table, this share has such a
# neighbour.
_LEVEL_SHARE = 0.25
_ALIGNED_SHARE = 0.5
# Two boxes stand in one row when they share this part of the lower one's height.
_ROW_SHARE = 0.5
# Vertical lines are neighbours up to this distance, in line widths.
_NEIGHBOR_WIDTHS = 2.0
_LONG = 3.0


@dataclass(frozen=True, slots=True)
class _Item:
    """Lines that are read together: one horizontal line, or a block of vertical ones."""

    x: Span
    y: Span
    lines: tuple[TextLine, ...]
    vertical: bool

    @property
    def size(self) -> float:
        """Height of its text."""
        return self.x.length / len(self.lines) if self.vertical else self.y.length


def order_lines(lines: Sequence[TextLine]) -> list[TextLine]:
    """Put lines into reading order.

    Args:
        lines: of one page, in any order.

    Returns:
        The same lines. Two calls with the same lines in different orders give the same list.
    """
    angle = _page_angle(lines)
    level = [line for line in lines if line.direction is not Direction.VERTICAL]
    tall = [line for line in lines if line.direction is Direction.VERTICAL]
    items = [_item([line], angle, vertical=False) for line in level]
    items += [_item(block, angle, vertical=True) for block in _blocks(tall, angle)]
    # Pages set in vertical lines go from right to left as a whole.
    from_right = len(tall) > len(level)
    if from_right:
        items = [_mirrored(item) for item in items]
    items.sort(key=_item_key)
    return [line for item in _ordered(items) for line in item.lines]


def rows_of(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Gather lines that stand side by side; rows from the top, each from the left.

    Args:
        lines: of one page or one region of it, in any order.
    """
    angle = _page_angle(lines)
    items = sorted((_item([line], angle, vertical=False) for line in lines), key=_item_key)
    return [[item.lines[0] for item in row] for row in _rows(items)]


def _page_angle(lines: Sequence[TextLine]) -> float:
    """Take the median lean of the long level lines, degrees clockwise."""
    angles = [
        line.box.angle_deg
        for line in lines
        if line.direction is not Direction.VERTICAL and line.box.width > _LONG * line.box.height
    ]
    return statistics.median(angles) if angles else 0.0


def _line_key(line: TextLine) -> tuple[object, ...]:
    """Tell any two different lines apart, so that sorting forgets the input's order."""
    return (line.box.points, line.text, line.confidence, line.direction, repr(line.characters))


def _item_key(item: _Item) -> tuple[object, ...]:
    return (item.y.middle, item.x.low, item.x.high, item.y.high, _line_key(item.lines[0]))


def _item(lines: Sequence[TextLine], angle: float, *, vertical: bool) -> _Item:
    reaches = [extents(line.box, angle) for line in lines]
    return _Item(hull(x for x, _ in reaches), hull(y for _, y in reaches), tuple(lines), vertical)


def _mirrored(item: _Item) -> _Item:
    return _Item(Span(-item.x.high, -item.x.low), item.y, item.lines, item.vertical)


def _blocks(lines: Sequence[TextLine], angle: float) -> list[list[TextLine]]:
    """Gather vertical lines that stand side by side; each block from the right."""
    reach = [extents(line.box, angle) for line in lines]
    waiting = sorted(range(len(lines)), key=lambda k: (-reach[k][0].middle, _line_key(lines[k])))
    blocks: list[list[int]] = []
    for k in waiting:
        joined = [block for block in blocks if any(_beside(reach[k], reach[m]) for m in block)]
        blocks = [block for block in blocks if block not in joined]
        blocks.append([*(member for block in joined for member in block), k])
    place = {k: at for at, k in enumerate(waiting)}
    return [[lines[k] for k in sorted(block, key=place.__getitem__)] for block in blocks]


def _beside(first: tuple[Span, Span], second: tuple[Span, Span]) -> bool:
    (x, y), (other_x, other_y) = first, second
    apart = max(x.low, other_x.low) - min(x.high, other_x.high)
    shared = y.overlap(other_y) / max(1e-6, min(y.length, other_y.length))
    return shared >= _ROW_SHARE and apart <= _NEIGHBOR_WIDTHS * min(x.length, other_x.length)


def _ordered(items: list[_Item]) -> list[_Item]:
    """Order items; they come sorted by `_item_key`."""
    done: list[_Item] = []
    for run in _runs(items):
        columns = _columns(run)
        if columns is None:
            done += [item for row in _rows(run) for item in row]
        else:
            for column in columns:
                done += _ordered(column)
    return done


def _runs(items: list[_Item]) -> list[list[_Item]]:
    """Cut items into runs from top to bottom, each with or without a gap all the way down."""
    runs: list[list[_Item]] = []
    for band in _bands(items):
        if runs and _goes_on(runs[-1], band):
            runs[-1] = [*runs[-1], *band]
        else:
            runs.append(band)
    return [sorted(run, key=_item_key) for run in runs]


def _goes_on(run: list[_Item], band: list[_Item]) -> bool:
    if _column_gaps([*run, *band]):
        return True
    return not _column_gaps(run) and not _column_gaps(band)


def _bands(items: list[_Item]) -> list[list[_Item]]:
    """Cut items where a level line through the page would touch none of them."""
    bands: list[list[_Item]] = []
    reach = 0.0
    # Boxes of neighbouring lines touch; each is taken a little thinner than it is.
    spans = {id(item): _thinned(item) for item in items}
    for item in sorted(items, key=lambda item: (spans[id(item)].low, _item_key(item))):
        span = spans[id(item)]
        if bands and span.low < reach:
            bands[-1].append(item)
            reach = max(reach, span.high)
        else:
            bands.append([item])
            reach = span.high
    return bands


def _thinned(item: _Item) -> Span:
    by = 0.15 * min(item.size, item.y.length)
    return Span(item.y.low + by, item.y.high - by)


def _column_gaps(items: list[_Item]) -> list[Span]:
    height = statistics.median(item.size for item in items)
    return gaps((item.x for item in items), _COLUMN_GAP * height)


def _columns(items: list[_Item]) -> list[list[_Item]] | None:
    """Split a run at its gaps where they part columns of text; None where they do not."""
    slices: list[list[_Item]] = [[]]
    edges = [gap.middle for gap in _column_gaps(items)]
    for item in sorted(items, key=lambda item: (item.x.middle, _item_key(item))):
        while len(slices) <= len(edges) and item.x.middle >= edges[len(slices) - 1]:
            slices.append([])
        slices[-1].append(item)
    columns = [slices[0]]
    for k, part in enumerate(slices[1:], start=1):
        rest = [item for later in slices[k:] for item in later]
        if _part_columns(columns[-1], part) or _part_columns(columns[-1], rest):
            columns.append(part)
        else:
            columns[-1] = columns[-1] + part
    return [sorted(column, key=_item_key) for column in columns] if len(columns) > 1 else None


def _part_columns(left: list[_Item], right: list[_Item]) -> bool:
    """Tell two columns of text from the cells of a table.

    Columns hold running text on both sides, or wide lines that go on without regard to the other
    side's, while the cells of a row stand on one level.
    """
    if _is_running_text(left) and _is_running_text(right):
        return True
    aspect = max(_usual_aspect(left), _usual_aspect(right))
    if min(len(left), len(right)) < _COLUMN_LINES or aspect < _LINE_ASPECT:
        return False
    return max(_aligned_share(left, right), _aligned_share(right, left)) < _ALIGNED_SHARE


def _is_running_text(items: list[_Item]) -> bool:
    """Tell running text: several lines, of which most of the ink is wide and fills the column."""
    if any(item.vertical and len(item.lines) >= _COLUMN_LINES for item in items):
        return True
    if len(items) < _COLUMN_LINES:
        return False
    width = hull(item.x for item in items).length
    long = [
        item.x.length
        for item in items
        if item.x.length >= max(_LINE_ASPECT * item.y.length, _COLUMN_FILL * width)
    ]
    return sum(long) >= _COLUMN_FILL * sum(item.x.length for item in items)


def _usual_aspect(items: list[_Item]) -> float:
    return statistics.median(item.x.length / max(1.0, item.y.length) for item in items)


def _aligned_share(items: list[_Item], others: list[_Item]) -> float:
    """Give the share of items that have one of the others on their level."""
    aligned = [item for item in items if any(_level(item, other) for other in others)]
    return len(aligned) / len(items)


def _level(first: _Item, second: _Item) -> bool:
    return abs(first.y.middle - second.y.middle) < _LEVEL_SHARE * min(first.size, second.size)


def _rows(items: list[_Item]) -> list[list[_Item]]:
    """Gather items, sorted by `_item_key`, into rows; each row from the left."""
    if not items:
        return []
    usual = statistics.median(item.size for item in items)
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda item: (_first_line(item, usual).middle, _item_key(item))):
        span = _first_line(item, usual)
        if rows and _in_row(span, [_first_line(member, usual) for member in rows[-1]]):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: (item.x.low, _item_key(item))) for row in rows]


def _first_line(item: _Item, usual: float) -> Span:
    """A block is read together with what stands beside its head."""
    return Span(item.y.low, min(item.y.high, item.y.low + usual)) if item.vertical else item.y


def _in_row(span: Span, members: list[Span]) -> bool:
    """Compare with the middle member: a slanting row must not swallow the next one."""
    middle = statistics.fmean(member.middle for member in members)
    height = statistics.fmean(member.length for member in members)
    row = Span(middle - height / 2, middle + height / 2)
    return span.overlap(row) >= _ROW_SHARE * min(span.length, height)
