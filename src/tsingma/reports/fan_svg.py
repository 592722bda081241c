"""Fan charts and the arms of a K as inline SVG: bands of quantiles by date, lines over them, figures at the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from html import escape

import msgspec

from tsingma.reports.svg import framed

_LEFT, _PLOT = 15.0, 65.0  # per cent of the width; the figures of the end stand on the right
_TOP, _FOOT, _LINE = 12, 26, 15
TICKS = 4


class Fan(msgspec.Struct, frozen=True):
    """What one fan shows: dates, quantiles [levels][dates] that rise with their level, a path and points."""

    dates: tuple[date, ...]
    levels: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    path: tuple[float, ...]
    points: tuple[tuple[date, float], ...] = ()


class Arm(msgspec.Struct, frozen=True):
    """One arm: from the common start to its end, with its words and whether it is the upper one (solid)."""

    start: float
    end: float
    label: str
    upper: bool


def fan(chart: str, title: str, description: str, shown: Fan, text: Callable[[float], str], height: int = 240) -> str:
    """Return a fan chart: pairs of levels as bands, the middle one as a line, the path dashed, points as rings.

    Raises ValueError for a level without a number for each date, or for an even number of levels.
    """
    if len(shown.levels) % 2 == 0 or any(len(row) != len(shown.dates) for row in shown.values):
        raise ValueError(f"'{title}' needs an odd number of levels and {len(shown.dates)} numbers for each")
    low = min(*map(min, shown.values), *shown.path, *(value for _, value in shown.points))
    high = max(*map(max, shown.values), *shown.path, *(value for _, value in shown.points))
    axis = _Axis.over(low, high, height)
    first, last = shown.dates[0].toordinal(), shown.dates[-1].toordinal()

    def across(day: date) -> float:
        return (day.toordinal() - first) / max(last - first, 1)

    middle = len(shown.levels) // 2
    shapes = [
        _area([across(day) for day in shown.dates], shown.values[k], shown.values[-1 - k], axis, f"band band-{k}")
        for k in range(middle)
    ]
    shapes.append(_line([across(day) for day in shown.dates], shown.values[middle], axis, "path middle"))
    shapes.append(_line([across(day) for day in shown.dates], shown.path, axis, "path one-path"))
    points = "".join(
        f'<circle class="ring" cx="{100 * across(day):.2f}%" cy="{axis.at(value):.2f}" r="4">'
        f"<title>{day.isoformat()}: {escape(text(value))}</title></circle>"
        for day, value in shown.points
    )
    ends = [(axis.at(shown.values[k][-1]), f"{shown.levels[k]:.0%} {text(shown.values[k][-1])}")
            for k in (len(shown.levels) - 1, middle, 0)]  # fmt: skip
    if ends[0][1].partition(" ")[2] == ends[2][1].partition(" ")[2]:
        ends = ends[1:2]
    parts = [_frame(axis, text), _plot(axis, shapes, points), *_ends(ends, axis), *_days(shown.dates, across, height)]
    return framed(chart, title, description, height, parts)


def arms(
    chart: str, title: str, description: str, shown: Sequence[Arm], ends: tuple[str, str],
    limits: tuple[float, float], text: Callable[[float], str], height: int = 220,
) -> str:  # fmt: skip
    """Return two or more lines from one start to their ends; ``limits`` is what the scale must hold."""
    axis = _Axis.over(*limits, height)
    shapes = [
        _line([0.0, 1.0], (arm.start, arm.end), axis, f"path {'upper-arm' if arm.upper else 'lower-arm'}")
        for arm in shown
    ]
    marks = "".join(
        f'<circle class="{"dot" if arm.upper else "ring"}" cx="100%" cy="{axis.at(arm.end):.2f}" r="4.5">'
        f"<title>{escape(arm.label)}: {escape(text(arm.end))}</title></circle>"
        for arm in shown
    )
    words = [(axis.at(arm.end), f"{arm.label} {text(arm.end)}") for arm in shown]
    foot = [
        f'<text class="axis" x="{_LEFT:g}%" y="{height - 6}">{escape(ends[0])}</text>',
        f'<text class="axis" x="{_LEFT + _PLOT - 10:g}%" y="{height - 6}" text-anchor="end">{escape(ends[1])}</text>',
    ]
    parts = [_frame(axis, text, _PLOT - 10), _plot(axis, shapes, marks, _PLOT - 10), *_ends(words, axis, 12), *foot]
    return framed(chart, title, description, height, parts)


class _Axis(msgspec.Struct, frozen=True):
    low: float
    high: float
    ticks: tuple[float, ...]
    height: int

    @staticmethod
    def over(low: float, high: float, height: int) -> _Axis:
        """Return an axis with round ticks that holds both numbers; a single number gets room on both sides."""
        if high - low <= 1e-9 * max(abs(high), abs(low), 1e-9):
            room = abs(high) * 0.05 or 1.0
            low, high = low - room, high + room
        rough = (high - low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(one * power for one in (1.0, 2.0, 2.5, 5.0, 10.0) if one * power >= rough)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = tuple(place * step for place in range(first, last + 1))
        return _Axis(low=ticks[0], high=ticks[-1], ticks=ticks, height=height)

    def at(self, value: float) -> float:
        """Return the pixel of a value from the top of the chart."""
        inner = self.height - _TOP - _FOOT
        return _TOP + inner * (self.high - value) / (self.high - self.low)


def _frame(axis: _Axis, text: Callable[[float], str], wide: float = _PLOT) -> str:
    return "".join(
        f'<line class="rail" x1="{_LEFT:g}%" x2="{_LEFT + wide:g}%" y1="{axis.at(tick):.2f}" y2="{axis.at(tick):.2f}"/>'
        f'<text class="axis" x="{_LEFT - 1.5:g}%" y="{axis.at(tick) + 4:.2f}" text-anchor="end">'
        f"{escape(text(tick))}</text>"
        for tick in axis.ticks
    )


def _plot(axis: _Axis, shapes: Sequence[str], marks: str, wide: float = _PLOT) -> str:
    place = f'x="{_LEFT:g}%" y="0" width="{wide:g}%" height="{axis.height}"'
    return (
        f'<svg class="plot" {place} viewBox="0 0 1000 {axis.height}" preserveAspectRatio="none">{"".join(shapes)}</svg>'
        f'<svg class="plot" {place}>{marks}</svg>'
    )


def _area(across: Sequence[float], low: Sequence[float], high: Sequence[float], axis: _Axis, kind: str) -> str:
    there = [f"{1000 * x:.1f},{axis.at(y):.2f}" for x, y in zip(across, high, strict=True)]
    back = [f"{1000 * x:.1f},{axis.at(y):.2f}" for x, y in zip(across, low, strict=True)]
    return f'<polygon class="{kind}" points="{" ".join((*there, *reversed(back)))}"/>'


def _line(across: Sequence[float], values: Sequence[float], axis: _Axis, kind: str) -> str:
    points = " ".join(f"{1000 * x:.1f},{axis.at(y):.2f}" for x, y in zip(across, values, strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def _ends(words: Sequence[tuple[float, str]], axis: _Axis, inwards: float = 0.0) -> list[str]:
    """Return words at the right edge, moved apart where they would lie over each other, and kept above the dates."""
    ordered = sorted(words)
    levels: list[float] = []
    for level, _ in ordered:
        levels.append(max(level, levels[-1] + _LINE) if levels else level)
    lowest = float(axis.height - _FOOT)
    for place in range(len(levels) - 1, -1, -1):
        levels[place] = min(levels[place], lowest)
        lowest = levels[place] - _LINE
    edge = _LEFT + _PLOT + 1.5 - inwards + (2 if inwards else 0)
    return [
        f'<text class="label small" x="{edge:g}%" y="{level + 4:.2f}">{escape(label)}</text>'
        for level, (_, label) in zip(levels, ordered, strict=True)
    ]


def _days(dates: Sequence[date], across: Callable[[date], float], height: int) -> list[str]:
    last = len(dates) - 1
    chosen = sorted({0, round(last / 3), round(2 * last / 3), last})
    return [
        f'<text class="axis" x="{_LEFT + _PLOT * across(dates[place]):.2f}%" y="{height - 6}" '
        f'text-anchor="{"start" if place == 0 else "end" if place == last else "middle"}">{dates[place]:%Y-%m}</text>'
        for place in chosen
    ]
