"""Compares the two versions of a release by kind of picture: a text in Markdown, and a plot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from shizi.release.bounds import mean_and_error, wilson
from shizi.release.desk import Status
from shizi.release.document import Document, Phase
from shizi.release.guards import Reading
from shizi.release.observations import Kind, Side, Tally
from shizi.release.plot import Dot, Panel, Row, draw
from shizi.release.snapshots import Snapshot, add_up
from shizi.release.store import Entry

_Z = 1.96
_NONE = "–"
_LABELS = {
    None: "all",
    Kind.CLEAN: "clean print",
    Kind.SCAN: "scan",
    Kind.PHOTO: "phone photo",
    Kind.HANDWRITING: "like handwriting",
    Kind.SIGN: "sign",
}


def write_report(status: Status, snapshots: Sequence[Snapshot]) -> str:
    """Write the report of a release; numbers alone, never text.

    Args:
        status: of the release.
        snapshots: of all its processes.
    """
    document = status.document
    parts = [
        f"# Release {document.release_id}",
        f"`{document.canary}` beside `{document.stable}`: **{_verdict(document)}**. "
        f"{document.reason}.",
        "Intervals are of 95 %. The kind of a picture is guessed from its light and its lines, the "
        "same for both versions.",
        "## By kind of picture",
        _table(_HEAD, _rows(snapshots)),
        "## On the same pictures",
        "What the canary read unseen, beside what the stable version answered.",
        _table(_TWIN_HEAD, _twin_rows(snapshots)),
        "## Guards",
        _table(_GUARD_HEAD, map(_guard_row, status.memo.readings)),
        "## What happened",
        _table(_LOG_HEAD, map(_log_row, status.entries)),
    ]
    return "\n\n".join(parts) + "\n"


def draw_report(document: Document, snapshots: Sequence[Snapshot]) -> str:
    """Draw the same as SVG."""
    tallies = {
        kind: (_answered(snapshots, kind), _given(snapshots, kind)) for kind in (None, *Kind)
    }
    seen = {kind: pair for kind, pair in tallies.items() if any(t.requests for t in pair)}

    def panel(title: str, dot: Callable[[Tally], Dot | None], *, percent: bool) -> Panel:
        rows = [Row(_LABELS[k], dot(stable), dot(canary)) for k, (stable, canary) in seen.items()]
        return Panel(title, rows, percent)

    panels = [
        panel("failures", lambda t: _rate(t.faults, t.requests), percent=True),
        panel("answers without a line", lambda t: _rate(t.empty, t.ok), percent=True),
        panel("confidence of lines, mean", _confidence, percent=True),
        panel("seconds, median", _median, percent=False),
    ]
    return draw(panels, document.stable, document.canary)


_HEAD = (
    "picture",
    "version",
    "requests",
    "failures",
    "without a line",
    "garbled",
    "confidence",
    "corrected lines",
    "median s",
    "95 % s",
)
_TWIN_HEAD = ("picture", "pictures", "agreement", "confidence, canary", "confidence, stable")
_GUARD_HEAD = ("guard", "figure", "bound", "samples", "", "")
_LOG_HEAD = ("epoch", "when (UTC)", "phase", "share", "who", "why")


def _verdict(document: Document) -> str:
    if document.phase is Phase.PROMOTED:
        return "promoted"
    if document.phase is Phase.ROLLED_BACK:
        return "rolled back"
    return f"in phase {document.phase}, share {document.ratio_bp / 100:g} %"


def _answered(snapshots: Sequence[Snapshot], kind: Kind | None) -> Tally:
    return add_up(snapshots, Side.STABLE, kind)


def _given(snapshots: Sequence[Snapshot], kind: Kind | None) -> Tally:
    return add_up(snapshots, Side.CANARY, kind) + add_up(snapshots, Side.SHADOW, kind)


def _rows(snapshots: Sequence[Snapshot]) -> Iterator[Sequence[str]]:
    for kind in (None, *Kind):
        for name, tally in (
            ("stable", _answered(snapshots, kind)),
            ("canary", _given(snapshots, kind)),
        ):
            if tally.requests:
                yield _row(_LABELS[kind], name, tally)


def _row(label: str, name: str, tally: Tally) -> Sequence[str]:
    return (
        label,
        name,
        str(tally.requests),
        _percent(_rate(tally.faults, tally.requests)),
        _percent(_rate(tally.empty, tally.ok)),
        _percent(_rate(tally.garbled, tally.ok)),
        _percent(_confidence(tally)),
        _percent(_rate(min(tally.corrected, tally.lines), tally.lines)),
        _number(tally.quantile_s(0.5)),
        _number(tally.quantile_s(0.95)),
    )


def _twin_rows(snapshots: Sequence[Snapshot]) -> Iterator[Sequence[str]]:
    for kind in (None, *Kind):
        shadow, twin = (add_up(snapshots, side, kind) for side in (Side.SHADOW, Side.TWIN))
        if shadow.compared:
            mean, error = mean_and_error(
                shadow.agreement, shadow.agreement_squares, shadow.compared
            )
            yield (
                _LABELS[kind],
                str(shadow.compared),
                _percent(_about(mean, error)),
                _percent(_confidence(shadow)),
                _percent(_confidence(twin)),
            )


def _guard_row(reading: Reading) -> Sequence[str]:
    state = "broken" if reading.broken else "crossed" if reading.crossed else "holds"
    value, bound = _number(reading.value), f"{reading.bound:g}"
    return (reading.guard, value, bound, str(reading.samples), state, reading.detail)


def _log_row(entry: Entry) -> Sequence[str]:
    phase = f"{entry.phase} ({entry.held})" if entry.held else entry.phase.value
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.at_s))
    share = f"{entry.ratio_bp / 100:g} %"
    return (str(entry.epoch), when, phase, share, entry.actor, entry.reason)


def _rate(hits: int, samples: int) -> Dot | None:
    if not samples:
        return None
    low, high = wilson(hits, samples, _Z)
    return Dot(hits / samples, low, high)


def _confidence(tally: Tally) -> Dot | None:
    if not tally.read:
        return None
    return _about(*mean_and_error(tally.confidence, tally.confidence_squares, tally.read))


def _about(mean: float, error: float) -> Dot:
    half = min(1.0, _Z * error)
    return Dot(mean, max(0.0, mean - half), min(1.0, mean + half))


def _median(tally: Tally) -> Dot | None:
    """Give the median with the interval of its ranks."""
    half = _Z * 0.5 / max(1, tally.ok) ** 0.5
    middle, low, high = (
        tally.quantile_s(share) for share in (0.5, max(0.0, 0.5 - half), min(1.0, 0.5 + half))
    )
    if middle is None or low is None or high is None:
        return None
    return Dot(middle, low, high)


def _percent(dot: Dot | None) -> str:
    if dot is None:
        return _NONE
    return f"{dot.value * 100:.1f} % ({dot.low * 100:.1f}–{dot.high * 100:.1f})"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3g}"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | map[Sequence[str]]) -> str:
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"
