"""American options on spot, futures and dividend-paying shares, over columns.

Rates, yields and volatilities are decimals a year, continuously compounded; years are calendar days / 365. Bad rows are
refused by number and field. An option on a future is one with ``carry`` equal to ``rate``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.american import ACCURATE, FAST, HIGHEST, STANDARD, Scheme, american_spectral
from tsingma.kernels.dividend_grid import GridColumns, american_dividends
from tsingma.pricing.options import checked_columns, refuse_rows

Float64 = npt.NDArray[np.float64]
Column = npt.ArrayLike

DEVIATION_MIN = 1e-6  # below this total deviation the path is certain
GRID_NODES, GRID_STEPS = 520, 260
__all__ = [
    "ACCURATE",
    "FAST",
    "HIGHEST",
    "STANDARD",
    "Scheme",
    "american",
    "american_cash_dividends",
    "american_ladder",
]


def american(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column,
    carry: Column = 0.0, scheme: Scheme = STANDARD,
) -> Float64:  # fmt: skip
    """Return values of American options on a spot that pays the yield ``carry``.

    Raises Rejected (out-of-range) naming row and field as ``black76``, and for a negative rate or yield, under
    which the exercise region has two sides. Source: Andersen, Lake and Offengenden 2016; accuracy by scheme in
    kernels.american.
    """
    s, k, t, vol, r, sign, q = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call, carry=carry
    )
    return _values(sign, s[:, None], k, t, vol, r, q, scheme)[:, 0]


def american_ladder(
    spots: npt.ArrayLike, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column,
    carry: Column = 0.0, scheme: Scheme = STANDARD,
) -> Float64:  # fmt: skip
    """Return values [n, s] of contracts [n] at a ladder of spots [s] or [n, s]: one boundary serves a whole row.

    Raises Rejected as :func:`american`.
    """
    ladder = np.atleast_2d(np.asarray(spots, np.float64))
    k, t, vol, r, sign, q = checked_columns(
        strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call, carry=carry
    )
    if ladder.shape[0] not in (1, k.size):
        message = f"{ladder.shape[0]} rows of spots for {k.size} contracts"
        raise refuse(RejectionReason.MALFORMED, message, field="spots")
    ladder = np.ascontiguousarray(np.broadcast_to(ladder, (k.size, ladder.shape[1])))
    refuse_rows(_rows_where(~(np.isfinite(ladder) & (ladder > 0))), "spots", ladder.min(axis=1), "is not positive")
    return _values(sign, ladder, k, t, vol, r, q, scheme)


def american_cash_dividends(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column,
    dividend_years: npt.ArrayLike, dividend_cash: npt.ArrayLike, *, nodes: int = GRID_NODES, steps: int = GRID_STEPS,
) -> Float64:  # fmt: skip
    """Return values [n] of American options on a share that pays cash dividends [n, d], at ``dividend_years`` from now.

    Spot model: the share falls by the dividend on its day. A dividend of zero, or at or after expiry, changes nothing.
    Raises Rejected as :func:`american`, and for dividends that are negative, due now, or not in order of time.
    """
    s, k, t, vol, r, sign = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call
    )
    when, cash = (np.atleast_2d(np.asarray(each, np.float64)) for each in (dividend_years, dividend_cash))
    if when.shape != cash.shape or when.shape[0] not in (1, s.size):
        message = f"shapes {when.shape} and {cash.shape} for {s.size} contracts"
        raise refuse(RejectionReason.MALFORMED, message, field="dividends")
    when, cash = (np.array(np.broadcast_to(each, (s.size, each.shape[1]))) for each in (when, cash))
    refuse_rows(_rows_where(~(cash >= 0)), "dividend_cash", cash.min(axis=1), "is negative")
    refuse_rows(_rows_where(~(when > 0)), "dividend_years", when.min(axis=1), "is not after now")
    refuse_rows(_rows_where(np.diff(when, axis=1) < 0), "dividend_years", when[:, 0], "starts dividends out of order")
    refuse_rows(r < 0, "rate", r, "is negative")
    refuse_rows(t <= 0, "years", t, "is not positive")
    refuse_rows(vol <= 0, "volatility", vol, "is not positive")
    late = when >= t[:, None]
    cash[late] = 0.0
    # Late and padded dividends pay nothing; they take places strictly inside the option's life, in order.
    when = _inside(when, late, t)
    columns = GridColumns(sign, s, k, t, vol, r, np.zeros_like(r), when, cash)
    return american_dividends(columns, nodes, steps)


def _rows_where(bad: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.asarray(bad.any(axis=1), np.bool_)


def _inside(when: Float64, late: npt.NDArray[np.bool_], years: Float64) -> Float64:
    """Return times with the late ones spread between the last real dividend and expiry."""
    placed = when.copy()
    for row in np.flatnonzero(late.any(axis=1)):
        real = int((~late[row]).sum())
        first = when[row, real - 1] if real else 0.0
        more = late.shape[1] - real
        placed[row, real:] = first + (years[row] - first) * (np.arange(more) + 1.0) / (more + 1.0)
    return placed


def _values(
    sign: Float64, spots: Float64, k: Float64, t: Float64, vol: Float64, r: Float64, q: Float64, scheme: Scheme
) -> Float64:
    refuse_rows(r < 0, "rate", r, "is negative")
    refuse_rows(q < 0, "carry", q, "is negative")
    certain = vol * np.sqrt(t) <= DEVIATION_MIN
    out = np.empty(spots.shape)
    out[certain] = _certain(*(each[certain] for each in (sign, spots, k, t, r, q)))
    rows = ~certain
    if rows.any():
        out[rows] = american_spectral(sign[rows], spots[rows], k[rows], t[rows], vol[rows], r[rows], q[rows], scheme)
    return out


def _certain(sign: Float64, spots: Float64, k: Float64, t: Float64, r: Float64, q: Float64) -> Float64:
    """Return the best exercise on a path without chance: now, at expiry, or where the two growths balance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.log((r * k)[:, None] / (q[:, None] * spots)) / (r - q)[:, None]
    turn = np.clip(np.nan_to_num(turn, nan=0.0, posinf=0.0, neginf=0.0), 0.0, t[:, None])
    best = np.zeros(spots.shape)
    for when in (np.zeros_like(turn), np.broadcast_to(t[:, None], turn.shape), turn):
        paid = sign[:, None] * (spots * np.exp(-q[:, None] * when) - k[:, None] * np.exp(-r[:, None] * when))
        best = np.maximum(best, paid)
    return best
