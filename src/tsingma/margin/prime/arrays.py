"""Risk arrays: what one long contract loses in each of sixteen scenarios.

The model reproduces the arrays of HKEX's Risk Parameter File of March 2019 (22,252 of 22,304 values of all HSI and HHI
options to the file's rounding; the rest on a rounding boundary): price moves by thirds of the price scan range,
volatility by its scan range in absolute points, two extreme moves counted in part; one day passes. Positive is a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.pricing.options import american_crr, black76, black_scholes

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

SCENARIOS = 16
DAYS_A_YEAR = 365.0
_THIRD = 1.0 / 3.0
PRICE_MOVES = np.array([0, 0, 1, 1, -1, -1, 2, 2, -2, -2, 3, 3, -3, -3, 0, 0]) * _THIRD
EXTREME_SIGNS = np.array([0.0] * 14 + [1.0, -1.0])
VOLATILITY_SIGNS = np.array([1.0, -1.0] * 7 + [0.0, 0.0])
VALUE_MAX = 2.0**53
EXPONENT_MAX = 6
DAYS_MAX = 36_500


class SeriesKind(StrEnum):
    """What is traded."""

    FUTURE = "future"
    OPTION = "option"


class OptionStyle(StrEnum):
    """How an option is exercised and on what: decides the pricing model."""

    EUROPEAN_FUTURES = "european-futures"
    EUROPEAN_SPOT = "european-spot"
    AMERICAN_SPOT = "american-spot"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One series and the type B parameters of its array (prices in points, volatilities as decimals).

    ``psr`` is the price scan range in price units, ``vsr`` the volatility scan range in absolute volatility; ``line``
    is where the series stands in its file (0 when it is from none).
    """

    id: str
    kind: SeriesKind
    underlying_price: float
    psr: float
    multiplier: float
    extreme_multiplier: float
    extreme_cover: float
    risk_exponent: int
    style: OptionStyle | None = None
    right: str = ""
    strike: float = 0.0
    days_to_expiry: int = 0
    look_ahead_days: int = 1
    implied_vol: float = 0.0
    vsr: float = 0.0
    rate: float = 0.0
    settlement_price: float = 0.0
    line: int = 0


class ArraySettings(msgspec.Struct, frozen=True):
    """What the published material leaves open, as named choices.

    ``volatility_floor``: the lowest volatility a scenario uses (for series whose implied volatility is below the scan
    range; HKEX's treatment is not published).
    """

    volatility_floor: float = 0.01


def risk_arrays(series: Sequence[Series], settings: ArraySettings | None = None, *, file: str = "") -> Int64:
    """Return int64 [n, 16] in the currency of the contract: the loss of one long contract in each scenario.

    Values are rounded to the nearest 10 ** risk_exponent, halves away from zero. Raises Rejected with every series
    whose numbers are impossible: an expired contract, volatility not positive, a price that is missing or not positive.
    """
    faults = [fault for one in series for fault in _faults(one, file)]
    if faults:
        raise Rejected(*faults)
    if not series:
        return np.zeros((0, SCENARIOS), np.int64)
    settings = settings or ArraySettings()
    psr, extreme, cover, multiplier = (
        _column(series, name) for name in ("psr", "extreme_multiplier", "extreme_cover", "multiplier")
    )
    move = psr[:, None] * (PRICE_MOVES + EXTREME_SIGNS * extreme[:, None])
    gain = move.copy()
    options = np.flatnonzero([one.kind is SeriesKind.OPTION for one in series])
    if options.size:
        chosen = [series[place] for place in options.tolist()]
        gain[options] = _option_gains(chosen, move[options], settings)
    weight = np.where(EXTREME_SIGNS != 0.0, cover[:, None], 1.0)
    unit = 10.0 ** _column(series, "risk_exponent")[:, None]
    loss = -multiplier[:, None] * weight * gain / unit
    # Nearest unit, halves away from zero; a hair of slack so that an exact half computed in binary is one.
    rounded = np.sign(loss) * np.floor(np.abs(loss) * (1.0 + 4e-16) + 0.5) * unit
    too_large = np.flatnonzero(np.abs(rounded).max(axis=1) >= VALUE_MAX)
    if too_large.size:
        one = series[int(too_large[0])]
        raise Rejected(_fault(one, "multiplier", "the array does not fit 53 bits", file))
    return rounded.astype(np.int64)


def _option_gains(series: Sequence[Series], move: Float64, settings: ArraySettings) -> Float64:
    """Return the change of an option's price in points, [n, 16]: model value of the scenario less settlement price."""
    price = _column(series, "underlying_price")[:, None] + move
    volatility = _column(series, "implied_vol")[:, None] + VOLATILITY_SIGNS * _column(series, "vsr")[:, None]
    volatility = np.maximum(volatility, settings.volatility_floor)
    years = np.maximum(_column(series, "days_to_expiry") - _column(series, "look_ahead_days"), 0.0) / DAYS_A_YEAR
    value = np.zeros_like(move)
    for style in OptionStyle:
        rows = np.flatnonzero([one.style is style for one in series])
        if rows.size:
            value[rows] = _model(
                style, [series[row] for row in rows.tolist()], price[rows], volatility[rows], years[rows]
            )
    return value - _column(series, "settlement_price")[:, None]


def _model(
    style: OptionStyle, series: Sequence[Series], price: Float64, volatility: Float64, years: Float64
) -> Float64:
    """Return model values [n, 16]; a fall through zero leaves the underlying almost worthless, never negative."""
    price = np.maximum(price, 1e-9)
    is_call = np.array([one.right == "C" for one in series])[:, None]
    columns = (price, _column(series, "strike")[:, None], years[:, None], volatility, _column(series, "rate")[:, None])
    if style is OptionStyle.EUROPEAN_FUTURES:
        return black76(*columns, is_call).reshape(price.shape)
    european = black_scholes(*columns, is_call).reshape(price.shape)
    if style is OptionStyle.EUROPEAN_SPOT:
        return european
    # Early exercise of a call without dividends is never worth it; the file's calls match the closed form.
    puts = np.flatnonzero(~is_call[:, 0])
    if puts.size:
        spot, strike, time, deviation, rate = (np.broadcast_to(column, price.shape)[puts] for column in columns)
        american = american_crr(spot, strike, time, deviation, rate, np.zeros(spot.shape, np.bool_))
        european[puts] = american.reshape(spot.shape)
    return european


def _column(series: Sequence[Series], name: str) -> Float64:
    return np.array([getattr(one, name) for one in series], np.float64)


def _faults(one: Series, file: str) -> list[Rejection]:
    """Return what is impossible about one series."""
    numbers = {name: getattr(one, name) for name in ("underlying_price", "psr", "multiplier", "strike", "implied_vol",
               "vsr", "rate", "settlement_price", "extreme_multiplier", "extreme_cover")}  # fmt: skip
    bad = [
        _fault(one, name, f"{value} is no finite number", file)
        for name, value in numbers.items()
        if not np.isfinite(value)
    ]
    if bad:
        return bad
    expiry = "the contract has expired" if one.days_to_expiry <= 0 else f"that is beyond {DAYS_MAX}"
    rules = [
        (one.psr > 0, "psr", f"{one.psr:g} is not positive"),
        (one.multiplier > 0, "multiplier", f"{one.multiplier:g} is not positive"),
        (one.underlying_price > 0, "underlying_price", f"{one.underlying_price:g} is not positive"),
        (one.extreme_multiplier >= 1, "extreme_multiplier", f"{one.extreme_multiplier:g} is below 1"),
        (0 < one.extreme_cover <= 1, "extreme_cover", f"{one.extreme_cover:g} is not in (0, 1]"),
        (0 <= one.risk_exponent <= EXPONENT_MAX, "risk_exponent", f"{one.risk_exponent} is not 0 to {EXPONENT_MAX}"),
    ]
    if one.kind is SeriesKind.OPTION:
        rules += [
            (one.style is not None, "style", "an option needs a style"),
            (one.right in ("C", "P"), "right", f"'{one.right}' is neither C nor P"),
            (one.strike > 0, "strike", f"{one.strike:g} is not positive"),
            (0 < one.implied_vol < 20, "implied_vol", f"{one.implied_vol:g} is no volatility (0 to 20, 0.2 is 20 %)"),
            (0 <= one.vsr < 20, "vsr", f"{one.vsr:g} is no volatility scan range"),
            (one.settlement_price >= 0, "settlement_price", f"{one.settlement_price:g} is negative"),
            (0 < one.days_to_expiry <= DAYS_MAX, "days_to_expiry", f"{one.days_to_expiry} days: {expiry}"),
            (0 <= one.look_ahead_days <= one.days_to_expiry, "look_ahead_days", f"{one.look_ahead_days} days is not "
             f"between 0 and the {one.days_to_expiry} days to expiry"),
            (abs(one.rate) < 1, "rate", f"{one.rate:g} is no rate a year as a decimal"),
        ]  # fmt: skip
    return [_fault(one, field, message, file) for holds, field, message in rules if not holds]


def _fault(one: Series, field: str, message: str, file: str) -> Rejection:
    return Rejection(
        reason=RejectionReason.OUT_OF_RANGE, file=file, line=one.line, field=field, subject=f"series {one.id}",
        message=message,
    )  # fmt: skip
