"""European and American options: values, greeks and implied volatility over columns.

Rates and volatilities are decimals a year, continuously compounded; years are calendar days / 365 unless the caller
says otherwise; prices are in the unit of the underlying. Columns broadcast. Every function refuses a bad row by number
(the first row is 1) and field, so that a bad quote never turns into a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.binomial import american_tree
from tsingma.kernels.black import black

Float64 = npt.NDArray[np.float64]
Column = npt.ArrayLike

IMPLIED_STEPS_MAX = 100
IMPLIED_VOLATILITY_MAX = 20.0
HKEX_TREE_STEPS = 100  # reproduces SEOCH put arrays of March 2019; 30, 50, 200 and 1000 do not


@dataclass(frozen=True, slots=True)
class Greeks:
    """Sensitivities per unit of the underlying: delta and gamma to the spot or forward, vega per 1.00 of volatility,

    theta per year of time passing, rho per 1.00 of rate (with the forward held fixed for options on forwards).
    """

    delta: Float64
    gamma: Float64
    vega: Float64
    theta: Float64
    rho: Float64


def black76(
    forward: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column
) -> Float64:
    """Return values of European options on a forward or future.

    Raises Rejected (out-of-range) naming row and field: price or strike not positive, years or volatility negative, or
    a number that is not finite. Source: Black 1976.
    """
    f, k, t, vol, r, sign = checked_columns(
        forward=forward, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call
    )
    return black(sign, f, k, vol * np.sqrt(t), np.exp(-r * t))


def black_scholes(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column, carry: Column = 0.0
) -> Float64:
    """Return values of European options on a spot that pays the yield ``carry``.

    Raises Rejected as ``black76``. Source: F. Black and M. Scholes 1973; R. Merton 1973.
    """
    s, k, t, vol, r, sign, q = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call, carry=carry
    )
    return black(sign, s * np.exp((r - q) * t), k, vol * np.sqrt(t), np.exp(-r * t))


def american_crr(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column,
    steps: int = HKEX_TREE_STEPS,
) -> Float64:  # fmt: skip
    """Return values of American options on a spot without dividends, on a tree of ``steps`` steps.

    Raises Rejected as ``black76``, and where the volatility is so low that the tree has no probabilities (a larger
    ``steps`` does not help; the caller prices such a contract by its intrinsic value or floors the volatility).
    """
    s, k, t, vol, r, sign = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call
    )
    step = t / steps
    refuse_rows((t > 0) & (vol * np.sqrt(step) <= np.abs(r) * step), "volatility", vol, "is too low for the tree")
    value = np.maximum(sign * (s - k), 0.0)
    alive = t > 0
    value[alive] = american_tree(sign[alive], s[alive], k[alive], t[alive], vol[alive], r[alive], steps)
    return value


def greeks(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column, carry: Column = 0.0
) -> Greeks:
    """Return the sensitivities of Black-Scholes-Merton; for an option on a future pass ``carry=rate``.

    Raises Rejected as ``black76``, and (out-of-range) where years or volatility is zero: there is no derivative there.
    """
    from scipy.special import ndtr

    s, k, t, vol, r, sign, q = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call, carry=carry
    )
    refuse_rows(t <= 0, "years", t, "is not positive")
    refuse_rows(vol <= 0, "volatility", vol, "is not positive")
    root = np.sqrt(t)
    upper = (np.log(s / k) + (r - q + 0.5 * vol * vol) * t) / (vol * root)
    lower = upper - vol * root
    density = np.exp(-0.5 * upper * upper) / np.sqrt(2.0 * np.pi)
    paid, discount = np.exp(-q * t), np.exp(-r * t)
    theta = (
        -s * paid * density * vol / (2.0 * root)
        + sign * q * s * paid * ndtr(sign * upper)
        - sign * r * k * discount * ndtr(sign * lower)
    )
    return Greeks(
        delta=sign * paid * ndtr(sign * upper),
        gamma=paid * density / (s * vol * root),
        vega=s * paid * density * root,
        theta=theta,
        rho=sign * k * t * discount * ndtr(sign * lower),
    )


def implied_volatility(
    price: Column, forward: Column, strike: Column, years: Column, rate: Column, is_call: Column
) -> Float64:
    """Return the volatility at which ``black76`` gives the price, to 1e-10 or to the precision of the price.

    Bisection over [0, 20] with safeguarded Newton steps. Raises Rejected (out-of-range) naming the row when the price
    is below the discounted intrinsic value or not below its upper bound, where no volatility exists.
    """
    p, f, k, t, r, sign = checked_columns(
        price=price, forward=forward, strike=strike, years=years, rate=rate, is_call=is_call
    )
    refuse_rows(t <= 0, "years", t, "is not positive")
    discount = np.exp(-r * t)
    floor = discount * np.maximum(sign * (f - k), 0.0)
    ceiling = discount * np.where(sign > 0, f, k)
    refuse_rows((p < floor) | (p >= ceiling), "price", p, "is outside the bounds that any volatility can give")
    low, high = np.zeros(p.size), np.full(p.size, IMPLIED_VOLATILITY_MAX)
    guess = np.full(p.size, 0.3)
    root = np.sqrt(t)
    for _ in range(IMPLIED_STEPS_MAX):
        value = black(sign, f, k, guess * root, discount)
        low, high = np.where(value <= p, guess, low), np.where(value <= p, high, guess)
        upper = np.log(f / k) / (guess * root) + 0.5 * guess * root
        vega = discount * f * root * np.exp(-0.5 * upper * upper) / np.sqrt(2.0 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = guess + (p - value) / vega
        inside = np.isfinite(newton) & (newton > low) & (newton < high)
        following = np.where(inside, newton, 0.5 * (low + high))
        if float(np.abs(following - guess).max(initial=0.0)) < 1e-13:
            break
        guess = following
    return guess


_POSITIVE = ("forward", "spot", "strike")
_NOT_NEGATIVE = ("years", "volatility", "price")


def checked_columns(*, is_call: Column, **columns: Column) -> list[Float64]:
    """Return the columns, broadcast, checked, in the order given, with the sign of the option at its place."""
    names = list(columns)
    place = names.index("rate") + 1
    arrays = np.broadcast_arrays(*[np.asarray(columns[name], np.float64) for name in names], np.asarray(is_call, bool))
    values = [np.ascontiguousarray(array, np.float64).ravel() for array in arrays[:-1]]
    for name, value in zip(names, values, strict=True):
        if _sound(name, value):
            continue
        refuse_rows(~np.isfinite(value), name, value, "is no finite number")
        if name in _POSITIVE:
            refuse_rows(value <= 0, name, value, "is not positive")
        if name in _NOT_NEGATIVE:
            refuse_rows(value < 0, name, value, "is negative")
    sign = np.where(arrays[-1].ravel(), 1.0, -1.0)
    return [*values[:place], sign, *values[place:]]


def _sound(name: str, value: Float64) -> bool:
    """Return whether no row breaks a rule: the least and the largest value say so in a quarter of the masks' time."""
    least, largest = float(value.min(initial=np.inf)), float(value.max(initial=-np.inf))  # nan where a value is
    high_enough = least > 0 if name in _POSITIVE else least >= 0 if name in _NOT_NEGATIVE else least > -np.inf
    return high_enough and largest < np.inf


def refuse_rows(bad: npt.NDArray[np.bool_], field: str, value: Float64, what: str) -> None:
    """Raise Rejected naming the first row for which ``bad`` holds, and how many more there are."""
    rows = np.flatnonzero(bad)
    if rows.size:
        row = int(rows[0])
        more = f" (and {rows.size - 1} more rows)" if rows.size > 1 else ""
        raise refuse(RejectionReason.OUT_OF_RANGE, f"row {row + 1}: {value[row]:g} {what}{more}", field=field)
