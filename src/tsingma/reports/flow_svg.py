"""Flows as inline SVG: bands of makers on the left, of buyers on the right, and what goes between them by width.

Bands say what grew (▲) and shrank (▼); ribbons that grew have a solid edge, that shrank a dashed one: no mark is by
colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from tsingma.reports.numbers import signed_percent
from tsingma.reports.svg import framed

HEIGHT = 460  # pixels that the larger of two totals fills, gaps aside
GAP, GROUP_GAP = 4, 26
STEADY, STEADY_RIBBON = 0.01, 0.05  # a change up to this part of a band, of a ribbon, is not marked
_LEFT, _RIGHT, _BAND = 29.0, 68.0, 2.0  # per cent of the width
_LEAST_LABEL, _TWO_LINES = 10.0, 28.0  # pixels of a band that has room for its name, and for its change below
_LEAST_EDGE = 2.0  # pixels of a ribbon that has an edge


class Band(msgspec.Struct, frozen=True):
    """One end of flows: its key, words, the group it stands in (a heading), and its colour class."""

    key: str
    label: str
    group: str
    colour: str


class Ribbon(msgspec.Struct, frozen=True):
    """What goes from one band to another: its size here, its size before, and the words shown on hover."""

    start: str
    end: str
    size: float
    before: float
    title: str


def flows(
    chart: str, title: str, description: str, left: Sequence[Band], right: Sequence[Band],
    ribbons: Sequence[Ribbon], largest: float, compare: bool,
) -> str:  # fmt: skip
    """Return one map; ``largest`` is the total that fills the height, ``compare`` marks changes against before.

    Raises ValueError for a ribbon to a band that is not there.
    """
    keys = {band.key for band in (*left, *right)}
    lost = next((one for one in ribbons if one.start not in keys or one.end not in keys), None)
    if lost is not None:
        raise ValueError(f"'{title}' has no band for a flow from '{lost.start}' to '{lost.end}'")
    scale = HEIGHT / max(largest, 1e-12)
    starts, foot = _stack(left, {band.key: _total(ribbons, band.key, start=True) for band in left}, scale)
    ends, end_foot = _stack(right, {band.key: _total(ribbons, band.key, start=False) for band in right}, scale)
    height = max(foot, end_foot)
    parts = [_ribbons(left, right, ribbons, starts, ends, scale, height, compare)]
    parts += [_band(band, ribbons, starts[band.key], scale, compare=compare, start=True) for band in left]
    parts += [_band(band, ribbons, ends[band.key], scale, compare=compare, start=False) for band in right]
    parts += _headings(left, starts, start=True) + _headings(right, ends, start=False)
    return framed(chart, title, description, round(height), [part for part in parts if part])


def mark(size: float, before: float, steady: float = STEADY) -> str:
    """Return ``▲ +12 %``, ``▼ −77 %`` or nothing for a change within ``steady``."""
    if before <= 0 or abs(size / before - 1.0) <= steady:
        return ""
    return f"{'▲' if size > before else '▼'} {signed_percent(size / before - 1.0)}"


def _total(ribbons: Sequence[Ribbon], key: str, *, start: bool) -> float:
    return sum(one.size for one in ribbons if key == (one.start if start else one.end))


def _stack(bands: Sequence[Band], sizes: dict[str, float], scale: float) -> tuple[dict[str, float], float]:
    """Return the top of each band in pixels, groups apart and under their headings, and the foot of the last."""
    tops: dict[str, float] = {}
    level, group = 0.0, None
    for band in bands:
        if band.group != group:
            level += GROUP_GAP if band.group else 0
            group = band.group
        tops[band.key] = level
        level += sizes[band.key] * scale + GAP
    return tops, level + GAP


def _ribbons(
    left: Sequence[Band], right: Sequence[Band], ribbons: Sequence[Ribbon], starts: dict[str, float],
    ends: dict[str, float], scale: float, height: float, compare: bool,
) -> str:  # fmt: skip
    colours = {band.key: band.colour for band in left}
    order = {band.key: place for place, band in enumerate((*left, *right))}
    out, into = dict(starts), dict(ends)
    shapes = []
    for one in sorted(ribbons, key=lambda each: (order[each.start], order[each.end])):
        wide = one.size * scale
        top, below = out[one.start], into[one.end]
        out[one.start], into[one.end] = top + wide, below + wide
        if wide <= 0:
            continue
        edge = mark(one.size, one.before, STEADY_RIBBON)[:1] if compare and wide >= _LEAST_EDGE else ""
        kind = {"▲": " grew", "▼": " shrank"}.get(edge, "")
        shapes.append(
            f'<path class="ribbon {colours[one.start]}{kind}" d="M0 {top:.2f} C500 {top:.2f} 500 {below:.2f} '
            f"1000 {below:.2f} V{below + wide:.2f} C500 {below + wide:.2f} 500 {top + wide:.2f} "
            f'0 {top + wide:.2f} Z"><title>{escape(one.title)}</title></path>'
        )
    return (
        f'<svg class="plot" x="{_LEFT + _BAND:g}%" y="0" width="{_RIGHT - _LEFT - _BAND:g}%" height="{height:.0f}" '
        f'viewBox="0 0 1000 {height:.0f}" preserveAspectRatio="none">{"".join(shapes)}</svg>'
    )


def _band(band: Band, ribbons: Sequence[Ribbon], top: float, scale: float, *, compare: bool, start: bool) -> str:
    mine = [one for one in ribbons if band.key == (one.start if start else one.end)]
    size, before = sum(one.size for one in mine), sum(one.before for one in mine)
    tall = size * scale
    sign = mark(size, before) if compare else ""
    place, words = _LEFT if start else _RIGHT, f"{band.label} {sign}".strip()
    shape = (
        f'<rect class="{band.colour if start else "node"}" x="{place:g}%" y="{top:.2f}" width="{_BAND:g}%" '
        f'height="{max(tall, 0.5):.2f}"><title>{escape(words)}</title></rect>'
    )
    if max(tall, before * scale) < _LEAST_LABEL:
        return shape
    side = f'x="{_LEFT - 1:g}%" text-anchor="end"' if start else f'x="{_RIGHT + _BAND + 1:g}%"'
    lines = [band.label, sign] if sign and tall >= _TWO_LINES else [words]
    level = top + tall / 2 + 4 - 7 * (len(lines) - 1)
    return shape + "".join(
        f'<text class="label small" {side} y="{level + 14 * place:.2f}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )


def _headings(bands: Sequence[Band], tops: dict[str, float], *, start: bool) -> list[str]:
    found, group = [], ""
    for band in bands:
        if band.group and band.group != group:
            side = f'x="{_LEFT + _BAND:g}%" text-anchor="end"' if start else f'x="{_RIGHT:g}%"'
            found.append(f'<text class="axis" {side} y="{tops[band.key] - 8:.2f}">{escape(band.group)}</text>')
            group = band.group
    return found
