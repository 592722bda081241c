"""A fan chart as inline SVG: bands of probability around the median, in per cent of the width."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tsingma.economy.ensemble import Fan

PLOT_HEIGHT = 200
_TOP, _LEFT = 20, 10  # pixels above the plot; per cent left of it for the figures
BANDS = ((0.05, 0.95, "r4"), (0.25, 0.75, "r2"))
MEDIAN_COLOUR = "c0"


def fan_chart(chart: str, title: str, description: str, fan: Fan, figures: Sequence[str]) -> str:
    """Return one fan over its days to scale; ``chart`` is a unique id, ``figures`` the highest and lowest in words.

    Raises ValueError when the fan has not the levels of the bands and the median.
    """
    missing = {level for low, high, _ in BANDS for level in (low, high)} | {0.5}
    if not missing <= set(fan.levels):
        raise ValueError(f"fan '{fan.indicator}' lacks levels {sorted(missing - set(fan.levels))}")
    rows = {level: fan.values[fan.levels.index(level)] for level in missing}
    low, high = min(rows[BANDS[0][0]]), max(rows[BANDS[0][1]])
    span = (high - low) or 1.0
    first = fan.dates[0]
    days = max((fan.dates[-1] - first).days, 1)

    def points(values: Sequence[float]) -> list[str]:
        return [
            f"{1_000 * (day - first).days / days:.1f},{PLOT_HEIGHT * (1 - (value - low) / span):.1f}"
            for day, value in zip(fan.dates, values, strict=True)
        ]

    shapes = []
    for below, above, colour in BANDS:
        outline = points(rows[above]) + points(rows[below])[::-1]
        words = f"{below:.0%} to {above:.0%}"
        shapes.append(f'<polygon class="{colour}" points="{" ".join(outline)}"><title>{words}</title></polygon>')
    shapes.append(
        f'<polyline class="path path-{MEDIAN_COLOUR}" points="{" ".join(points(rows[0.5]))}">'
        "<title>50%</title></polyline>"
    )
    base = _TOP + PLOT_HEIGHT
    return (
        f'<svg class="chart" role="img" aria-labelledby="{chart}-title {chart}-text" width="100%" '
        f'height="{base + 24}">\n'
        f'<title id="{chart}-title">{escape(title)}</title>\n<desc id="{chart}-text">{escape(description)}</desc>\n'
        f'<text class="axis" x="0" y="{_TOP + 4}">{escape(figures[0])}</text>'
        f'<text class="axis" x="0" y="{base}">{escape(figures[1])}</text>\n'
        f'<svg class="plot" x="{_LEFT}%" y="{_TOP}" width="{100 - _LEFT}%" height="{PLOT_HEIGHT}" '
        f'viewBox="0 0 1000 {PLOT_HEIGHT}" preserveAspectRatio="none">{"".join(shapes)}</svg>\n'
        f'<text class="axis" x="{_LEFT}%" y="{base + 18}">{first}</text>'
        f'<text class="figure" x="100%" y="{base + 18}">{fan.dates[-1]}</text>\n</svg>'
    )
