"""How well a reading agrees with what is really written. Pure.

Two ways to score: a line cut out at its true place (`score_line`), and a whole page with the
reader's own boxes (`score_page`), where each true line is compared with the text found on it and
text found on no line counts as wrong. Both compare after NFKC with white space removed.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from shizi.bench.reliability import Reliability
from shizi.core.errors import FileAccessError, InputError, MissingExtra
from shizi.core.types import Direction, Point, Quad, TextLine

# A found line belongs to a true one when its middle lies on it, or this part of its thickness off.
_NEAR = 0.25
# A found line covers a true one whose middle lies on it, or this little off.
_COVERS = 0.1


@dataclass(frozen=True, slots=True)
class TruthLine:
    """A line as it really is.

    Attributes:
        box: where it stands, pixels of the page.
        text: what it says.
        direction: horizontal or vertical.
        ignored: found text on it is neither right nor wrong.
    """

    box: Quad
    text: str
    direction: Direction = Direction.HORIZONTAL
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class TruthPage:
    """A labelled picture.

    Attributes:
        image: its file name, relative to the manifest.
        lines: what stands on it.
        groups: everything else the manifest says in words, such as variant and template.
    """

    image: str
    lines: tuple[TruthLine, ...]
    groups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts that can be added up; the rates come from the sums.

    Attributes:
        edits: insertions, deletions and replacements of characters.
        chars: true characters.
        exact: lines without an edit.
        lines: true lines.
        found: true lines on which some text was found.
        extra: found lines that lie on no true line.
        predicted: found lines in all.
        spaces_right: spaces at their true place.
        spaces_true: spaces that are there.
        spaces_found: spaces that were read.
        seconds: time taken.
        pages: pages counted.
        reliability: lines by their confidence.
    """

    edits: int = 0
    chars: int = 0
    exact: int = 0
    lines: int = 0
    found: int = 0
    extra: int = 0
    predicted: int = 0
    spaces_right: int = 0
    spaces_true: int = 0
    spaces_found: int = 0
    seconds: float = 0.0
    pages: int = 0
    reliability: Reliability = Reliability()  # noqa: RUF009 - frozen

    def __add__(self, other: Self) -> Self:
        """Add count by count."""
        names = [entry.name for entry in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def cer(self) -> float:
        """Edits over true characters; above 1 where much was invented."""
        return self.edits / max(1, self.chars)

    @property
    def exact_rate(self) -> float:
        """Share of lines without an edit."""
        return self.exact / max(1, self.lines)

    @property
    def recall(self) -> float:
        """Share of true lines on which text was found."""
        return self.found / max(1, self.lines)

    @property
    def precision(self) -> float:
        """Share of found lines that lie on a true one."""
        return 1 - self.extra / max(1, self.predicted)

    @property
    def space_f1(self) -> float:
        """Balance of spaces missed and invented; 1 where there are none at all."""
        total = self.spaces_true + self.spaces_found
        return 2 * self.spaces_right / total if total else 1.0


def read_manifest(folder: Path) -> list[TruthPage]:
    """Read `manifest.jsonl` of a folder of labelled pictures.

    Raises:
        FileAccessError: there is none.
        InputError: a line of it is damaged.
    """
    path = folder / "manifest.jsonl"
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read") from error
    pages = []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                pages.append(_truth_page(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(f"{path}, line {number}: no labelled picture") from error
    return pages


def _truth_page(entry: dict[str, Any]) -> TruthPage:
    """Lines without a place, and lines that say nothing, are not scored."""
    kept = [
        TruthLine(
            _quad(line["poly"]),
            str(line.get("text", "")),
            Direction(line.get("direction", "h")),
            bool(line.get("ignore")),
        )
        for line in entry["lines"]
        if line.get("poly") and (line.get("ignore") or str(line["text"]).strip())
    ]
    groups = {k: v for k, v in entry.items() if isinstance(v, str) and k != "image"}
    return TruthPage(str(entry["image"]), tuple(kept), groups)


def _quad(poly: Sequence[Sequence[float]]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in poly[:4])
    return Quad((a, b, c, d))


def normalized(text: str, *, casefold: bool = False) -> str:
    """Bring a text to the form it is compared in: NFKC, no white space, case folded if asked."""
    bare = "".join(unicodedata.normalize("NFKC", text).split())
    return bare.casefold() if casefold else bare


def edit_distance(first: str, second: str) -> int:
    """Count the insertions, deletions and replacements that turn one text into the other.

    Raises:
        MissingExtra: rapidfuzz is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein  # noqa: PLC0415  only the extra has it
    except ImportError as error:
        raise MissingExtra("bench") from error
    return int(Levenshtein.distance(first, second))


def score_line(
    truth: str, read: str, *, casefold: bool = False, confidence: float | None = None
) -> Tally:
    """Compare one line with its reading, spaces apart from everything else.

    Args:
        truth: what stands there.
        read: what was read.
        casefold: whether upper and lower case are the same.
        confidence: of the reading, in [0, 1]; None where it gave none.
    """
    want, have = normalized(truth, casefold=casefold), normalized(read, casefold=casefold)
    edits = edit_distance(want, have)
    true_spaces = _space_places(truth)
    read_spaces = _carried(_space_places(read), have, want)
    return Tally(
        edits=edits,
        chars=len(want),
        exact=int(edits == 0),
        lines=1,
        found=int(bool(have)),
        predicted=1,
        spaces_right=len(true_spaces & read_spaces),
        spaces_true=len(true_spaces),
        spaces_found=len(read_spaces),
        reliability=Reliability()
        if confidence is None
        else Reliability.of(confidence, right=edits == 0),
    )


def _space_places(text: str) -> set[int]:
    """Tell how many other characters stand before each space that parts two of them."""
    words = unicodedata.normalize("NFKC", text).split()
    places, count = set(), 0
    for word in words[:-1]:
        count += len(word)
        places.add(count)
    return places


def _carried(places: set[int], source: str, target: str) -> set[int]:
    """Carry places in one text to the corresponding ones in another, by their alignment."""
    if source == target or not places:
        return places
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415  only the extra has it

    carried = set()
    for step in Levenshtein.opcodes(source, target):
        for place in places:
            if step.src_start < place <= step.src_end:
                reach = step.dest_end - step.dest_start
                carried.add(step.dest_start + min(place - step.src_start, reach))
    return carried


def score_page(
    truth: TruthPage, lines: Sequence[TextLine], *, seconds: float = 0.0, casefold: bool = False
) -> Tally:
    """Compare a page with its reading.

    Args:
        truth: what stands there.
        lines: what was read; those without text only count as found lines.
        seconds: time the reading took.
        casefold: whether upper and lower case are the same.
    """
    read = [line for line in lines if line.text]
    on_line: list[list[tuple[float, str]]] = [[] for _ in truth.lines]
    extra: list[str] = []
    for line in read:
        at = _line_under(line.box, truth.lines)
        if at is None:
            extra.append(line.text)
        else:
            frame = _Axes.of(truth.lines[at].box)
            on_line[at].append((frame.along(line.box.center), line.text))
    tally = Tally(predicted=len(lines), extra=len(extra), seconds=seconds, pages=1)
    for true, hits in zip(truth.lines, on_line, strict=True):
        if not true.ignored:
            text = "".join(text for _, text in sorted(hits))
            tally += _score_found(true.text, text, found=bool(hits), casefold=casefold)
    invented = sum(len(normalized(text, casefold=casefold)) for text in extra)
    return tally + Tally(edits=invented)


def _score_found(truth: str, text: str, *, found: bool, casefold: bool) -> Tally:
    want, have = normalized(truth, casefold=casefold), normalized(text, casefold=casefold)
    edits = edit_distance(want, have)
    return Tally(edits=edits, chars=len(want), exact=int(edits == 0), lines=1, found=int(found))


@dataclass(frozen=True, slots=True)
class _Axes:
    """A quad's own axes: where it begins, unit vectors along and across, its two lengths."""

    origin: Point
    ahead: Point
    across: Point
    length: float
    thickness: float

    @classmethod
    def of(cls, quad: Quad) -> Self:
        (x0, y0), (x1, y1), _, (x3, y3) = quad.points
        ahead, across = (x1 - x0, y1 - y0), (x3 - x0, y3 - y0)
        length = (ahead[0] ** 2 + ahead[1] ** 2) ** 0.5 or 1.0
        thickness = (across[0] ** 2 + across[1] ** 2) ** 0.5 or 1.0
        return cls(
            (x0, y0),
            (ahead[0] / length, ahead[1] / length),
            (across[0] / thickness, across[1] / thickness),
            length,
            thickness,
        )

    def along(self, point: Point) -> float:
        """Project a point on the direction of the text."""
        dx, dy = point[0] - self.origin[0], point[1] - self.origin[1]
        return dx * self.ahead[0] + dy * self.ahead[1]

    def off_center(self, point: Point) -> float:
        """Tell how far a point lies from the line's middle, across the text."""
        dx, dy = point[0] - self.origin[0], point[1] - self.origin[1]
        return abs(dx * self.across[0] + dy * self.across[1] - self.thickness / 2)

    def holds(self, point: Point, slack: float) -> bool:
        """Tell whether a point lies inside, or outside by `slack` of the shorter side."""
        (ax, ay), (bx, by) = self.ahead, self.across
        determinant = ax * by - ay * bx
        if abs(determinant) < 1e-6:
            return False
        dx, dy = point[0] - self.origin[0], point[1] - self.origin[1]
        u = (dx * by - dy * bx) / determinant
        v = (ax * dy - ay * dx) / determinant
        near = slack * min(self.length, self.thickness)
        return -near <= u <= self.length + near and -near <= v <= self.thickness + near


def _line_under(box: Quad, lines: Sequence[TruthLine]) -> int | None:
    """Find the true line a found box belongs to, None where it lies on none."""
    axes = [_Axes.of(line.box) for line in lines]
    near = [k for k, frame in enumerate(axes) if frame.holds(box.center, _NEAR)]
    if near:
        return min(near, key=lambda k: axes[k].off_center(box.center))
    own = _Axes.of(box)
    return next((k for k, line in enumerate(lines) if own.holds(line.box.center, _COVERS)), None)
