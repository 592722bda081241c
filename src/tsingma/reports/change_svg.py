"""Rows of changes as inline SVG: parts on both sides of nil, ranges, and where something stood before and after."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from tsingma.reports.svg import BAR, ROW, framed

_LABEL, _PLOT = 33, 52  # per cent of the width; the figure stands on the right


class Part(msgspec.Struct, frozen=True):
    """One piece of a change, below or above nil: colour class and the words shown on hover."""

    size: float
    colour: str
    title: str


class ChangeRow(msgspec.Struct, frozen=True):
    """Pieces of one change with their sum, which is drawn as a tick where there is more than one piece."""

    label: str
    parts: tuple[Part, ...]
    total: float
    value: str


class RangeRow(msgspec.Struct, frozen=True):
    """A range with its median and a point; what is None is not drawn."""

    label: str
    low: float | None
    median: float | None
    high: float | None
    point: float
    value: str


class MoveRow(msgspec.Struct, frozen=True):
    """Where something stood before (ring) and after (dot)."""

    label: str
    before: float
    after: float
    value: str


def changes(chart: str, title: str, description: str, rows: Sequence[ChangeRow]) -> str:
    """Return bars on both sides of nil on one scale: what adds to the right, what takes away to the left."""
    low = min([0.0, *(sum(min(part.size, 0.0) for part in row.parts) for row in rows)])
    high = max([0.0, *(sum(max(part.size, 0.0) for part in row.parts) for row in rows)])
    scale = _Scale(low, high)
    parts = []
    for place, row in enumerate(rows):
        inner, down, up = [], 0.0, 0.0
        for part in row.parts:
            start, end = (up, up + part.size) if part.size >= 0 else (down + part.size, down)
            up, down = (end, down) if part.size >= 0 else (up, start)
            inner.append(
                f'<rect class="{part.colour}" x="{scale.at(start)}" width="{scale.wide(end - start)}" height="{BAR}">'
                f"<title>{escape(part.title)}</title></rect>"
            )
        nil = scale.at(0.0)
        inner.append(f'<line class="nil" x1="{nil}" x2="{nil}" y1="-6" y2="{BAR + 6}"/>')
        if len(row.parts) > 1:
            edge = scale.at(row.total)
            inner.append(f'<line class="tick" x1="{edge}" x2="{edge}" y1="-3" y2="{BAR + 3}"/>')
        parts.append(_line(place * ROW, row.label, "".join(inner), row.value))
    return framed(chart, title, description, len(rows) * ROW, parts)


def ranges(chart: str, title: str, description: str, rows: Sequence[RangeRow]) -> str:
    """Return ranges on one scale that holds nil: a line from low to high, a tick at the median, a dot at the point."""
    known = [value for row in rows for value in (row.low, row.high, row.point) if value is not None]
    scale = _Scale(min([0.0, *known]), max([0.0, *known]))
    parts = []
    for place, row in enumerate(rows):
        nil = scale.at(0.0)
        inner = f'<line class="nil" x1="{nil}" x2="{nil}" y1="-6" y2="{BAR + 6}"/>'
        if row.low is not None and row.high is not None and row.median is not None:
            inner += f'<line class="span" x1="{scale.at(row.low)}" x2="{scale.at(row.high)}" y1="7" y2="7"/>'
            inner += f'<line class="tick" x1="{scale.at(row.median)}" x2="{scale.at(row.median)}" y1="1" y2="13"/>'
        inner += f'<circle class="ring" cx="{scale.at(row.point)}" cy="7" r="4.2"/>'
        parts.append(_line(place * ROW, row.label, inner, row.value))
    return framed(chart, title, description, len(rows) * ROW, parts)


def moves(chart: str, title: str, description: str, rows: Sequence[MoveRow]) -> str:
    """Return where each row stood before (ring) and stands after (dot), from nil on one scale."""
    scale = _Scale(0.0, max([1e-9, *(max(row.before, row.after) for row in rows)]))
    parts = []
    for place, row in enumerate(rows):
        before, after = scale.at(row.before), scale.at(row.after)
        inner = (
            f'<line class="rail" x1="0" x2="100%" y1="7" y2="7"/>'
            f'<line class="link" x1="{before}" x2="{after}" y1="7" y2="7"/>'
            f'<circle class="ring" cx="{before}" cy="7" r="4.2"/><circle class="dot" cx="{after}" cy="7" r="4.2"/>'
        )
        parts.append(_line(place * ROW, row.label, inner, row.value))
    return framed(chart, title, description, len(rows) * ROW, parts)


class _Scale:
    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.span = max(high - low, 1e-12)

    def at(self, value: float) -> str:
        return f"{100 * (value - self.low) / self.span:.3f}%"

    def wide(self, size: float) -> str:
        return f"{100 * size / self.span:.3f}%"


def _line(top: int, label: str, inner: str, value: str) -> str:
    return (
        f'<text class="label" x="0" y="{top + 17}">{escape(label)}</text>'
        f'<svg class="plot" x="{_LABEL}%" y="{top + 6}" width="{_PLOT}%" height="{BAR}">{inner}</svg>'
        f'<text class="figure" x="100%" y="{top + 17}">{escape(value)}</text>'
    )
