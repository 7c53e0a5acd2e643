"""Draws two versions side by side, by kind of picture, as SVG: a dot and its interval each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_ROW, _LEFT, _WIDTH, _RIGHT, _TOP = 34, 120, 260, 40, 46
_COLORS = {"stable": "#64748b", "canary": "#d97706"}
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure with its interval.

    Attributes:
        value: the figure.
        low: end of the interval.
        high: other end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of picture; None where there is nothing to draw."""

    label: str
    stable: Dot | None
    canary: Dot | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure over all kinds.

    Attributes:
        title: what it is, with its unit.
        rows: a kind each.
        percent: values are shares.
    """

    title: str
    rows: Sequence[Row]
    percent: bool = True


def draw(panels: Sequence[Panel], stable: str, canary: str) -> str:
    """Draw panels side by side.

    Args:
        panels: with the same rows each.
        stable: name of the version.
        canary: name of the other.
    """
    rows = max((len(panel.rows) for panel in panels), default=0)
    step = _LEFT + _WIDTH + _RIGHT
    width, height = step * max(1, len(panels)), _TOP + _ROW * rows + 64
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for n, panel in enumerate(panels):
        parts += [f'<g transform="translate({n * step} 0)">', *_panel(panel), "</g>"]
    for n, (side, name) in enumerate((("stable", stable), ("canary", canary))):
        x, y = _LEFT + n * 220, height - 16
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{_COLORS[side]}"/>')
        parts.append(f'<text x="{x + 12}" y="{y}">{escape(name)} ({side})</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel) -> list[str]:
    dots = [d for row in panel.rows for d in (row.stable, row.canary) if d]
    low, high = min((d.low for d in dots), default=0.0), max((d.high for d in dots), default=1.0)
    if high <= low:
        high = low + 0.01
    scale = _WIDTH / (high - low)
    parts = [f'<text x="{_LEFT}" y="22" font-weight="600">{escape(panel.title)}</text>']
    bottom = _TOP + _ROW * len(panel.rows)
    for n in range(_TICKS + 1):
        value = low + (high - low) * n / _TICKS
        x = _LEFT + _WIDTH * n / _TICKS
        said = f"{value * 100:.1f} %" if panel.percent else f"{value:.2f}"
        parts.append(f'<path d="M{x:.1f} {_TOP - 8}V{bottom}" stroke="#e2e8f0"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" font-size="11" '
            f'fill="#475569">{said}</text>'
        )
    for n, row in enumerate(panel.rows):
        y = _TOP + _ROW * n + 12
        parts.append(
            f'<text x="{_LEFT - 12}" y="{y + 5}" text-anchor="end">{escape(row.label)}</text>'
        )
        for dot, side, shift in ((row.stable, "stable", -5), (row.canary, "canary", 6)):
            if dot:
                parts += _whisker(dot, _COLORS[side], y + shift, low, scale)
    return parts


def _whisker(dot: Dot, color: str, y: float, low: float, scale: float) -> list[str]:
    left, middle, right = (_LEFT + (v - low) * scale for v in (dot.low, dot.value, dot.high))
    return [
        f'<path d="M{left:.1f} {y}H{right:.1f}" stroke="{color}" stroke-width="2"/>',
        f'<circle cx="{middle:.1f}" cy="{y}" r="4" fill="{color}"/>',
    ]
