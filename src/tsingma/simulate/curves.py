"""Simulated zero curves by day: level, slope and curvature that revert to their means, volatility in clusters.

Means and daily volatilities are round figures of the order of those of 2021 to 2025; the paths are invented.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from tsingma.basics.dates import to_day
from tsingma.market.curve_history import CurveSeries
from tsingma.messages.curve_file import tenor_years

TENORS = ("1M", "3M", "6M", "1Y", "2Y", "3Y", "5Y", "7Y", "10Y", "20Y", "30Y")
# curve: means of level, slope and curvature, and volatility of the level, basis points a day
SHAPES = {
    "CNY.FR007": (0.0235, -0.0045, 0.000, 2.0),
    "CNY.CGB": (0.0265, -0.0075, 0.001, 2.2),
    "CNH.HIBOR": (0.0260, -0.0040, 0.000, 3.5),
    "HKD.HIBOR": (0.0360, -0.0030, -0.002, 5.0),
    "USD.SOFR": (0.0380, 0.0020, -0.004, 5.5),
}
PULL = 0.01  # of the distance to the mean is made up a day
CLUSTER_PERSISTENCE, CLUSTER_REACTION = 0.97, 0.08
TAIL_DEGREES_OF_FREEDOM = 5
DECAY_YEARS = 2.5
COMMON = 0.5  # of each curve's variance comes from one shock to all
LOWEST = -0.02


def simulate_curves(seed: int, start: date, days: int) -> tuple[CurveSeries, ...]:
    """Return curves of ``days`` weekdays from ``start``; the same seed gives the same rates."""
    chance = np.random.default_rng(seed)
    dates = [start + timedelta(days=offset) for offset in range(2 * days + 7)]
    weekdays = np.array([to_day(day) for day in dates if day.weekday() < 5][:days], np.int32)
    years = np.array([tenor_years(tenor) for tenor in TENORS])
    loading = (1.0 - np.exp(-years / DECAY_YEARS)) / (years / DECAY_YEARS)
    loadings = np.stack([np.ones_like(years), loading, loading - np.exp(-years / DECAY_YEARS)])
    unit = np.sqrt((TAIL_DEGREES_OF_FREEDOM - 2) / TAIL_DEGREES_OF_FREEDOM)
    shared = chance.standard_t(TAIL_DEGREES_OF_FREEDOM, (days, 3)) * unit
    found = []
    for name, (level, slope, bend, volatility) in sorted(SHAPES.items()):
        own = chance.standard_t(TAIL_DEGREES_OF_FREEDOM, (days, 3)) * unit
        shocks = np.sqrt(COMMON) * shared + np.sqrt(1.0 - COMMON) * own
        mean, daily = np.array([level, slope, bend]), volatility * 1e-4 * np.array([1.0, 1.2, 1.6])
        state, heat, rates = mean.copy(), 1.0, np.empty((days, years.size))
        for day in range(days):
            state = state + PULL * (mean - state) + daily * np.sqrt(heat) * shocks[day]
            spread = float((shocks[day] ** 2).mean()) * heat
            heat = (1 - CLUSTER_PERSISTENCE) + (CLUSTER_PERSISTENCE - CLUSTER_REACTION) * heat
            heat += CLUSTER_REACTION * min(spread, 25.0)
            rates[day] = np.maximum(state @ loadings, LOWEST)
        found.append(CurveSeries(name, weekdays.copy(), years.copy(), np.round(rates, 8)))
    return tuple(found)
