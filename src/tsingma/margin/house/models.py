"""What each house calls by its own model for what an account holds there, in whole HKD.

HKSCC: filtered historical shortfall, weighted with a stressed one, not below a floor (VaR Platform guide v1.4).
HKCC and SEOCH: the largest loss of sixteen scenarios (PRiME); price scan range = the higher of a minimum and a multiple
of EWMA volatility (rate-setting as far as published). OTC Clear, and bonds, gold and currencies at HKCC: revalued
history (:mod:`tsingma.margin.house.historical`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.house.holdings import FX, INDEX, OPTIONS, Holding, House, Product
from tsingma.margin.house.revaluation import Moves, profits
from tsingma.margin.joint.allocation import tail_loss
from tsingma.margin.measures import tail_count
from tsingma.margin.prime.arrays import OptionStyle, Series, SeriesKind, risk_arrays
from tsingma.pricing.options import black76

Int64 = npt.NDArray[np.int64]
UNIT = 1_000_000.0  # arrays are made for a notional of a million, so that rounding to a dollar does not matter


class ScanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """PRiME scan ranges as named inputs; deviations and buffer as reported for HKCC and SEOCH rate-setting."""

    deviations: float = 3.0
    buffer: float = 1.10
    minimum_index: float = 0.03
    minimum_stock: float = 0.05
    minimum_currency: float = 0.01
    volatility_index: float = 0.07
    volatility_stock: float = 0.10
    extreme_multiplier: float = 3.0
    extreme_cover: float = 0.30


class HouseModels(msgspec.Struct, frozen=True, kw_only=True):
    """How houses margin: holding periods in trading days, tail levels, and the settings of each model."""

    holding_days: dict[House, int] = msgspec.field(
        default_factory=lambda: {House.HKSCC: 2, House.HKCC: 1, House.SEOCH: 1, House.OTC_CLEAR: 5}
    )
    hvar_level: str = "0.006"  # HKSCC, published: 99.4 %
    svar_level: str = "0.02"  # HKSCC, published: 98 %
    scenarios: str = ""  # filtered, plain or larger for revalued history; empty: as the dated row says
    scan: ScanSettings = ScanSettings()
    filter: FilterSettings = FilterSettings(look_back_days=250, stress_days=150, hedge_instrument=INDEX)


def securities_margin(holdings: Sequence[Holding], hvar: Moves, svar: Moves, models: HouseModels) -> int:
    """Return the HKSCC figure: weighted shortfalls, not below the floor rate on the larger side."""
    weight = models.filter.hvar_weight_e10
    tails = [
        tail_loss(profit, count) * share // count
        for profit, level, share in (
            (profits(holdings, hvar), models.hvar_level, weight),
            (profits(holdings, svar), models.svar_level, models.filter.svar_weight_e10),
        )
        for count in (tail_count(level, profit.size),)
    ]
    long = sum(max(holding.notional, 0) for holding in holdings)
    short = sum(max(-holding.notional, 0) for holding in holdings)
    floor = max(long, short) * models.filter.floor_rate_e10
    return -(-max(sum(tails), floor) // 10**10)


def _prices(holdings: Sequence[Holding], volatility: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return what an option of each strike, expiry and volatility is worth on a price of one, float64 [n]."""
    strike = np.array([one.strike_e4 / 10_000 for one in holdings], np.float64)
    years = np.array([one.days / 365.0 for one in holdings], np.float64)
    call = np.array([one.product is Product.CALL for one in holdings])
    return black76(1.0, strike, years, np.array(volatility, np.float64), 0.0, call)


def _series(holding: Holding, volatility: float, scan: ScanSettings, price: float) -> Series:
    """Return the series of a holding for a notional of a million at a volatility a year."""
    daily = volatility / 252.0**0.5
    low = {INDEX: scan.minimum_index, FX: scan.minimum_currency}.get(holding.factor, scan.minimum_stock)
    is_index = holding.factor in (INDEX, FX)
    option = holding.product in OPTIONS
    strike = holding.strike_e4 / 10_000
    return Series(
        id=f"{holding.house} {holding.factor} {holding.product}",
        kind=SeriesKind.OPTION if option else SeriesKind.FUTURE,
        style=(OptionStyle.EUROPEAN_FUTURES if is_index else OptionStyle.EUROPEAN_SPOT) if option else None,
        right=("C" if holding.product is Product.CALL else "P") if option else "",
        underlying_price=1.0,
        strike=strike,
        psr=max(low, scan.deviations * daily * scan.buffer),
        vsr=scan.volatility_index if is_index else scan.volatility_stock,
        multiplier=UNIT,
        extreme_multiplier=scan.extreme_multiplier,
        extreme_cover=scan.extreme_cover,
        risk_exponent=0,
        days_to_expiry=holding.days,
        implied_vol=volatility,
        settlement_price=price,
        line=holding.line,
    )


def scan_margins(holdings: Sequence[Holding], arrays: Int64) -> int:
    """Return the PRiME figure of holdings at one house: per factor the largest loss of sixteen, summed.

    ``arrays`` int64 [n, 16], one row a holding, for a notional of a million (:func:`scan_arrays`).
    """
    total = 0
    for factor in sorted({holding.factor for holding in holdings}):
        rows = [place for place, holding in enumerate(holdings) if holding.factor == factor]
        notional = np.array([holdings[place].notional for place in rows], np.float64)
        losses = notional @ arrays[rows].astype(np.float64) / UNIT
        total += max(int(np.ceil(losses.max() - 1e-6)), 0)
    return total


def scan_arrays(holdings: Sequence[Holding], volatility: Sequence[float], scan: ScanSettings) -> Int64:
    """Return the arrays of holdings at their factors' volatilities, int64 [n, 16] for a notional of a million."""
    priced = zip(holdings, volatility, _prices(holdings, volatility).tolist(), strict=True)
    return risk_arrays([_series(one, each, scan, price) for one, each, price in priced])
