"""Profits of holdings in scenarios: every option is priced anew at the moved price, volatility and time.

Moves are returns over a holding period and, for options, what happened to the factor's volatility over the same days;
both come from the same stretch of history, so a fall that brought volatility with it does so again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.holdings import CONTRACTS, OPTIONS, Holding, Product
from tsingma.pricing.options import black76

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

TRADING_DAYS = 252.0
CALENDAR_DAYS = 365.0
LINES_AT_ONCE = 32  # columns of 1,000 scenarios that stay in a cache: half the time of 128
PRICE_FLOOR = 1e-9  # a fall of everything leaves an underlying almost worthless, never negative


class Moves(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Scenarios of some factors over ``horizon_days`` trading days.

    ``returns`` and ``volatility_ratio`` float64 [scenarios] by factor; ``volatility`` the factor's volatility a year
    now; ``money`` what the currency in which a factor pays is then worth over what it is worth now (absent: pegged);
    ``contracts`` what a face of one HKD of a contract gains, at the moved exchange rate.
    """

    horizon_days: int
    returns: Mapping[str, Float64]
    volatility_ratio: Mapping[str, Float64]
    volatility: Mapping[str, float]
    money: Mapping[str, Float64] = {}
    contracts: Mapping[str, Float64] = {}


def profits(holdings: Sequence[Holding], moves: Moves) -> Int64:
    """Return the summed profit of holdings in whole HKD, int64 [scenarios], each line rounded to the nearest.

    Raises Rejected (missing) for a factor without moves.
    """
    if not holdings:
        raise refuse(RejectionReason.MISSING, "there is no holding to revalue", field="holdings")
    for holding in holdings:
        if holding.factor not in (moves.contracts if holding.product in CONTRACTS else moves.returns):
            message = f"there are no scenarios for '{holding.factor}'"
            raise refuse(RejectionReason.MISSING, message, field="factor", line=holding.line)
    options = [holding for holding in holdings if holding.product in OPTIONS]
    others = [holding for holding in holdings if holding.product not in OPTIONS]
    parts = []
    for lines, units_of in ((others, _linear_units), (options, _option_units)):
        for start in range(0, len(lines), LINES_AT_ONCE):
            part = lines[start : start + LINES_AT_ONCE]
            notional = np.array([[holding.notional] for holding in part], np.float64)
            parts.append(np.rint(notional * units_of(part, moves)).astype(np.int64).sum(axis=0))
    total: Int64 = parts[0] if len(parts) == 1 else np.sum(parts, axis=0)
    return total


def _linear_units(lines: Sequence[Holding], moves: Moves) -> Float64:
    return np.stack([unit_profit(one, moves) for one in lines])


def unit_profit(holding: Holding, moves: Moves) -> Float64:
    """Return the profit of a notional of one, float64 [scenarios]; what pays in another currency at the moved rate."""
    if holding.product in CONTRACTS:
        return moves.contracts[holding.factor]
    returns = moves.returns[holding.factor]
    if holding.product not in OPTIONS:
        return returns * moves.money[holding.factor] if holding.factor in moves.money else returns
    units: Float64 = _option_units([holding], moves)[0]
    return units


def _option_units(options: Sequence[Holding], moves: Moves) -> Float64:
    """Return the profit of a notional of one of each option, float64 [options, scenarios], all priced in one go."""
    price = np.maximum(1.0 + np.stack([moves.returns[one.factor] for one in options]), PRICE_FLOOR)
    ratio = np.stack([moves.volatility_ratio[one.factor] for one in options])

    def column(values: list[float]) -> Float64:
        return np.array(values, np.float64)[:, None]

    years = column([one.days / CALENDAR_DAYS for one in options])
    then = np.maximum(years - moves.horizon_days / TRADING_DAYS, 0.0)
    strike = column([one.strike_e4 / 10_000 for one in options])
    now = column([moves.volatility[one.factor] for one in options])
    call = np.array([[one.product is Product.CALL] for one in options])
    before = black76(1.0, strike, years, now, 0.0, call).reshape(-1, 1)
    return black76(price, strike, then, now * ratio, 0.0, call).reshape(price.shape) - before
