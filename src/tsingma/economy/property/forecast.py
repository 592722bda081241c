"""Forecasts scored on what came after the column: models that never saw it, beside no change at all."""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.economy.calibration import HoldOut, score
from tsingma.economy.ensemble import Ensemble
from tsingma.economy.observations import EconomicData
from tsingma.economy.path import HOME_PRICE, HOME_SALES, HSI
from tsingma.economy.property.error_correction import quarterly_forecast
from tsingma.economy.property.run import run
from tsingma.economy.renminbi.shares import estimate_inertia, logit
from tsingma.economy.scenario import shipped_scenarios

COLUMN_DAY = date(2026, 6, 30)
LAST_QUARTER = date(2026, 3, 1)
RESERVES_2025Q4 = 1.95  # percent; IMF COFER 2025Q4, published after the series held here ends


def score_hold_outs(data: EconomicData) -> tuple[HoldOut, ...]:
    """Return the scores: index at the end of July and on 20 August, agreements of July, RVD of 2026Q2, reserves 2025Q4.

    Medians of the baseline from 30 June 2026; error correction on quarters to 2026Q1; the logit's own inertia.
    """
    ensemble = run(shipped_scenarios()["homes-baseline"])
    found = [
        score(
            f"HSI on {day}",
            observed=data.hsi.at(day),
            forecast=_median_on(ensemble, HSI, day),
            last_known=data.hsi.at(COLUMN_DAY),
        )
        for day in (date(2026, 7, 31), date(2026, 8, 20))
    ]
    found.append(
        score(
            "agreements of July 2026",
            observed=data.home_sales.at(date(2026, 7, 1)),
            forecast=_median_on(ensemble, HOME_SALES, date(2026, 7, 31)),
            last_known=data.home_sales.at(date(2026, 6, 1)),
        )
    )
    known = data.home_price.between(date(1979, 1, 1), LAST_QUARTER)
    found.append(
        score(
            "RVD index of 2026Q2",
            observed=data.home_price.at(date(2026, 6, 1)),
            forecast=quarterly_forecast(known, data.home_rent, data.hsi.between(date(1986, 12, 31), COLUMN_DAY)),
            last_known=known.at(LAST_QUARTER),
        )
    )
    found.append(_reserves(data))
    return tuple(found)


def rise_probability(day: date) -> float:
    """Return the baseline's probability that home prices on a month end of the run stand above those of the start."""
    ensemble = run(shipped_scenarios()["homes-baseline"])
    prices = ensemble.of(HOME_PRICE)
    return float(np.mean(prices[:, ensemble.dates.index(day)] > prices[:, 0]))


def _median_on(ensemble: Ensemble, name: str, day: date) -> float:
    """Return the median on a day, between month ends in logs by days."""
    days = [(one - ensemble.dates[0]).days for one in ensemble.dates]
    middle = np.log(np.median(ensemble.of(name), axis=0))
    return float(np.exp(np.interp((day - ensemble.dates[0]).days, days, middle)))


def _reserves(data: EconomicData) -> HoldOut:
    """Return the score of three quarters of the reserves share from its own inertia, estimated to 2025Q1."""
    shares = data.reserves.values / 100.0
    slope, _, constant, _ = estimate_inertia(shares)
    ahead = float(logit(shares[-1:])[0])
    for _ in range(3):
        ahead = constant + slope * ahead
    return score(
        "renminbi share of reserves 2025Q4, percent",
        observed=RESERVES_2025Q4,
        forecast=100.0 / (1.0 + float(np.exp(-ahead))),
        last_known=100.0 * float(shares[-1]),
    )
