"""Charts as inline SVG: rows of bars and dots in per cent of the width, so that text keeps its size on any screen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from tsingma.reports.style import COMPONENT_COLOURS, OPEN_COLOUR

ROW = 26  # pixels from one row to the next
BAR = 14
_LABEL, _PLOT = 27, 55  # per cent of the width: words on the left, plot, then the figure on the right
_LABEL_LENGTH_MAX = 18


class Segment(msgspec.Struct, frozen=True):
    """One piece of a stacked bar: size >= 0, colour class of the style sheet, and the words shown on hover."""

    size: int
    colour: str
    title: str


class BarRow(msgspec.Struct, frozen=True):
    """A labelled stacked bar with its figure; ``marker`` draws a tick at a size on the same scale."""

    label: str
    segments: tuple[Segment, ...]
    value: str
    marker: int | None = None


class Step(msgspec.Struct, frozen=True):
    """One row of a waterfall: the bar runs from ``start`` to ``end``; colour class and figure as for bars."""

    label: str
    start: int
    end: int
    colour: str
    value: str


class DotRow(msgspec.Struct, frozen=True):
    """One name of a dot plot: left panel two dots, right panel one dot; all shares of 1."""

    label: str
    first: float
    second: float
    outcome: float
    flagged: bool


def bars(chart: str, title: str, description: str, rows: Sequence[BarRow]) -> str:
    """Return stacked horizontal bars on one common scale that starts at 0; ``chart`` is a unique id."""
    largest = max([1, *(max(sum(s.size for s in row.segments), row.marker or 0) for row in rows)])
    parts = []
    for index, row in enumerate(rows):
        top = index * ROW
        inner, start = [], 0
        for segment in row.segments:
            if segment.size > 0:
                inner.append(_rect(start, start + segment.size, largest, segment.colour, segment.title))
                start += segment.size
        if row.marker is not None:
            place = _share(row.marker, largest)
            inner.append(f'<line class="tick" x1="{place}" x2="{place}" y1="-3" y2="{BAR + 3}"/>')
        parts.append(_line(top, row.label, "".join(inner), row.value))
    return framed(chart, title, description, len(rows) * ROW, parts)


def waterfall(chart: str, title: str, description: str, steps: Sequence[Step]) -> str:
    """Return floating bars that lead from the first figure to the last; all edges are >= 0."""
    largest = max([1, *(max(step.start, step.end) for step in steps)])
    parts = []
    for index, step in enumerate(steps):
        low, high = sorted((step.start, step.end))
        inner = _rect(low, high, largest, step.colour, f"{step.label}: {step.value}") if high > low else ""
        edge = _share(step.end, largest)
        if index + 1 < len(steps):
            inner += f'<line class="guide" x1="{edge}" x2="{edge}" y1="{BAR}" y2="{ROW}"/>'
        parts.append(_line(index * ROW, step.label, inner, step.value))
    return framed(chart, title, description, len(steps) * ROW, parts)


def dots(
    chart: str, title: str, description: str, rows: Sequence[DotRow], headings: tuple[str, str], target: float
) -> str:
    """Return two dot panels: rates from 0, and outcomes around ``target`` with a line at it."""
    top_rate = max([0.01, *(max(row.first, row.second) for row in rows)])
    low = min([target - 0.01, *(row.outcome for row in rows)])
    span = max(1.0 - low, 1e-9)
    height = len(rows) * ROW
    place = f"{100 * (target - low) / span:.3f}%"
    parts = [
        f'<text class="axis" x="27%" y="14">{escape(headings[0])}</text>',
        f'<text class="axis" x="66%" y="14">{escape(headings[1])}</text>',
        f'<svg class="plot" x="66%" y="{ROW}" width="32%" height="{height}">'
        f'<line class="target" x1="{place}" x2="{place}" y1="0" y2="{height}"/></svg>',
    ]
    for index, row in enumerate(rows):
        top = (index + 1) * ROW
        words = f"{row.label}: {row.first:.2%} long, {row.second:.2%} short, outcome {row.outcome:.2%}"
        first, second = f"{100 * row.first / top_rate:.3f}%", f"{100 * row.second / top_rate:.3f}%"
        outcome = f"{100 * (row.outcome - low) / span:.3f}%"
        mark = "dot low" if row.flagged else "dot"
        parts.append(
            f"<g><title>{escape(words)}</title>{_label(top, row.label)}"
            f'<svg class="plot" x="27%" y="{top}" width="33%" height="{ROW}">'
            f'<line class="rail" x1="0" x2="100%" y1="13" y2="13"/>'
            f'<line class="link" x1="{first}" x2="{second}" y1="13" y2="13"/>'
            f'<circle class="dot" cx="{first}" cy="13" r="5"/>'
            f'<circle class="ring" cx="{second}" cy="13" r="4.2"/></svg>'
            f'<svg class="plot" x="66%" y="{top}" width="32%" height="{ROW}">'
            f'<line class="rail" x1="0" x2="100%" y1="13" y2="13"/>'
            f'<circle class="{mark}" cx="{outcome}" cy="13" r="5"/></svg></g>'
        )
    return framed(chart, title, description, height + ROW, parts)


class PathLine(msgspec.Struct, frozen=True):
    """A line through a figure a column (>= 0), with its colour class and what it is."""

    values: tuple[int, ...]
    colour: str
    label: str


def paths(
    chart: str, title: str, description: str, columns: Sequence[tuple[int | None, str]], lines: Sequence[PathLine]
) -> str:
    """Return lines over columns from left to right; a column is a size (None or below 0: not drawn) and its words.

    A column above the first line is flagged. Raises ValueError when a line has not a figure a column.
    """
    if any(len(line.values) != len(columns) for line in lines):
        raise ValueError(f"a line of '{title}' has not one figure for each of {len(columns)} columns")
    largest = max([1, *(size or 0 for size, _ in columns), *(value for line in lines for value in line.values)])
    width = 1_000 / max(len(columns), 1)
    parts = []
    for place, (size, words) in enumerate(columns):
        if size is not None and size > 0:
            height = 300 * size / largest
            colour = OPEN_COLOUR if lines and size > lines[0].values[place] else COMPONENT_COLOURS[6]
            parts.append(
                f'<rect class="{colour}" x="{place * width:.2f}" y="{300 - height:.2f}" width="{0.8 * width:.2f}" '
                f'height="{height:.2f}"><title>{escape(words)}</title></rect>'
            )
    for line in lines:
        points = " ".join(
            f"{(place + 0.4) * width:.2f},{300 - 300 * value / largest:.2f}" for place, value in enumerate(line.values)
        )
        parts.append(
            f'<polyline class="path path-{line.colour}" points="{points}">'
            f"<title>{escape(line.label)}</title></polyline>"
        )
    inner = (
        f'<svg class="plot" x="0" y="0" width="100%" height="300" viewBox="0 0 1000 300" preserveAspectRatio="none">'
        f'<line class="rail" x1="0" x2="1000" y1="300" y2="300"/>{"".join(parts)}</svg>'
    )
    return framed(chart, title, description, 304, [inner])


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Return the key of (colour class, words) as a list."""
    items = "".join(f'<li><span class="swatch {colour}"></span>{escape(words)}</li>' for colour, words in entries)
    return f'<ul class="legend">{items}</ul>'


def framed(chart: str, title: str, description: str, height: int, parts: Sequence[str]) -> str:
    """Return parts as one chart with its text alternatives; ``chart`` is a unique id, ``height`` in pixels."""
    body = "\n".join(parts)
    return (
        f'<svg class="chart" role="img" aria-labelledby="{chart}-title {chart}-text" width="100%" height="{height}">\n'
        f'<title id="{chart}-title">{escape(title)}</title>\n<desc id="{chart}-text">{escape(description)}</desc>\n'
        f"{body}\n</svg>"
    )


def _line(top: int, label: str, inner: str, value: str) -> str:
    return (
        f'{_label(top, label)}<svg class="plot" x="{_LABEL}%" y="{top + 6}" width="{_PLOT}%" height="{BAR}">'
        f'<rect class="rail-bar" width="100%" height="{BAR}"/>{inner}</svg>'
        f'<text class="figure" x="100%" y="{top + 17}">{escape(value)}</text>'
    )


def _label(top: int, label: str) -> str:
    shown = label if len(label) <= _LABEL_LENGTH_MAX else f"{label[: _LABEL_LENGTH_MAX - 1]}…"
    return f'<text class="label" x="0" y="{top + 17}">{escape(shown)}</text>'


def _rect(start: int, end: int, largest: int, colour: str, title: str) -> str:
    return (
        f'<rect class="{colour}" x="{_share(start, largest)}" width="{_share(end - start, largest)}" height="{BAR}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _share(size: int, largest: int) -> str:
    return f"{100 * size / largest:.3f}%"
