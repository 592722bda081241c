"""Stress runs as lines of a terminal: one table of all scenarios, then the worst of them in parts."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.reports.numbers import short
from tsingma.reports.stress_figures import HouseRow, StressFigures


def summary(label: str, figures: Sequence[StressFigures]) -> list[str]:
    """Return the lines; raises nothing for an empty sequence: it says so."""
    if not figures:
        return ["no scenario was run"]
    lines = [f"Scenarios through the house - {label}, {figures[0].day}; HKD", ""]
    lines.append(
        f"{'scenario':<26}{'index':>7}{'over margin':>13}{'5-95 %':>19}{'called':>9}{'fail':>6}{'fund used':>11}"
        f"{'uncovered':>11}{'to find':>9}"
    )
    for one in figures:
        alone = one.regimes[0]
        band = f"{short(one.over_margin_low)} - {short(one.over_margin_high)}"
        find = sum(need.gains + need.securities for need in one.liquidity if need.currency == "HKD")
        lines.append(
            f"{one.id:<26}{one.index_return:>+7.1%}{short(alone.over_margin):>13}{band:>19}{short(one.called):>9}"
            f"{one.defaults:>6}{short(alone.fund_used):>11}{short(alone.uncovered):>11}{short(find):>9}"
        )
    worst = max(
        figures, key=lambda one: (one.regimes[0].uncovered, one.regimes[0].fund_used, one.regimes[0].over_margin)
    )
    return [*lines, "", *_one(worst)]


def _one(one: StressFigures) -> list[str]:
    lines = [f"{one.title}: {one.plausibility}", *_rate_lines(one)]
    lines += [_house_line(house) for house in one.houses]
    for house in one.houses:
        used = ", ".join(f"{layer.kind} {short(layer.used)}" for layer in house.layers if layer.used)
        if used:
            lines.append(f"  {house.house} waterfall: {used}")
    for row in one.participants[:5]:
        fate = f"fails in round {row.default_round}" if row.default_round else "pays"
        lines.append(f"  {row.participant:<10}must bring {short(row.needed):>8}, has {short(row.liquid):>8}: {fate}")
    alone, joint = one.regimes
    lines.append(
        f"  margin alone {short(alone.margin)}: {alone.defaults} fail, fund {short(alone.fund_used)}; "
        f"joint {short(joint.margin)}: {joint.defaults} fail, fund {short(joint.fund_used)}"
    )
    return lines


def _rate_lines(one: StressFigures) -> list[str]:
    return [
        f"  {row.currency:<10}curves parallel {row.parallel:+.0f}, short {row.short:+.0f}, long {row.long:+.0f} bp"
        for row in one.rates
    ]


def _house_line(house: HouseRow) -> str:
    return (
        f"  {house.house:<10}losses {short(house.losses):>8}, over margin {short(house.over_margin):>8} on "
        f"{house.accounts_over} accounts, fund {short(house.fund)} used {house.fund_use:.0%}"
    )
