"""Closed-form approximations of American options: quick, and up to a few cents off on a strike of 100.

They are here to compare with what other systems quote; :func:`tsingma.pricing.american.american` prices the option
itself. Sources: G. Barone-Adesi and R. Whaley, Journal of Finance 42(2), 1987; P. Bjerksund and G. Stensland,
Scandinavian Journal of Management 9, 1993, as in E. Haug, The Complete Guide to Option Pricing Formulas, 1998.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.pricing.options import black_scholes, checked_columns, refuse_rows

Float64 = npt.NDArray[np.float64]
Column = npt.ArrayLike

NEWTON_STEPS = 60


def barone_adesi_whaley(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column, carry: Column = 0.0
) -> Float64:
    """Return the quadratic approximation; raises Rejected as ``american``, and where years or volatility is zero."""
    from scipy.special import ndtr

    s, k, t, vol, r, sign, q = _columns(spot, strike, years, volatility, rate, is_call, carry)
    european = black_scholes(s, k, t, vol, r, sign > 0, q)
    var, deviation = vol * vol, vol * np.sqrt(t)
    discount, paid = np.exp(-r * t), np.exp(-q * t)
    n1 = 2.0 * (r - q) / var - 1.0
    safe = np.maximum(r, 1e-12)
    ratio = np.where(r > 1e-9, 2.0 * safe / (var * -np.expm1(-safe * t)), 2.0 / (var * t))
    root = 0.5 * (-n1 + sign * np.sqrt(n1 * n1 + 4.0 * ratio))
    bound = k.copy()
    for _ in range(NEWTON_STEPS):
        d1 = (np.log(bound / k) + (r - q + 0.5 * var) * t) / deviation
        tail = ndtr(sign * d1)
        there = sign * (bound * paid * tail - k * discount * ndtr(sign * (d1 - deviation)))
        gap = sign * (bound - k) - there - sign * (1.0 - paid * tail) * bound / root
        density = 0.3989422804014327 * np.exp(-0.5 * d1 * d1)
        slope = sign * (1.0 - paid * tail) * (1.0 - 1.0 / root) + paid * density / (deviation * root)
        bound = np.maximum(bound - gap / slope, 1e-8 * k)
    d1 = (np.log(bound / k) + (r - q + 0.5 * var) * t) / deviation
    scale = sign * bound / root * (1.0 - paid * ndtr(sign * d1))
    with np.errstate(over="ignore", invalid="ignore"):
        early = european + scale * (s / bound) ** root
    exercised = sign * (s - bound) >= 0
    never = np.where(sign > 0, q, r) <= 0  # no yield to win, or no interest: exercise is never early
    return np.where(never, european, np.where(exercised, sign * (s - k), early))


def bjerksund_stensland(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column, carry: Column = 0.0
) -> Float64:
    """Return the flat-boundary approximation of 1993; raises Rejected as :func:`barone_adesi_whaley`."""
    s0, k0, t, vol, r0, sign, q0 = _columns(spot, strike, years, volatility, rate, is_call, carry)
    call = sign > 0
    s, k = np.where(call, s0, k0), np.where(call, k0, s0)
    r, q = np.where(call, r0, q0), np.where(call, q0, r0)
    european = black_scholes(s, k, t, vol, r, True, q)
    intrinsic = np.maximum(s - k, 0.0)
    b, var = r - q, vol * vol
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        beta = 0.5 - b / var + np.sqrt((b / var - 0.5) ** 2 + 2.0 * r / var)
        far = beta / (beta - 1.0) * k
        near = np.maximum(k, r / q * k)
        bound = near + (far - near) * -np.expm1(-(b * t + 2.0 * vol * np.sqrt(t)) * near / (far - near))
        gain = (bound - k) * (s / bound) ** beta
        value = (
            gain * (1.0 - _phi(s, t, beta, bound, bound, r, b, var, with_power=False))
            + _phi(s, t, np.ones_like(s), bound, bound, r, b, var)
            - _phi(s, t, np.ones_like(s), k, bound, r, b, var)
            - k * _phi(s, t, np.zeros_like(s), bound, bound, r, b, var)
            + k * _phi(s, t, np.zeros_like(s), k, bound, r, b, var)
        )
    value = np.where(s >= bound, s - k, value)
    # The formula itself, also where it is below the European value: that is how far off it can be.
    return np.where(q <= 0, european, np.maximum(np.where(np.isfinite(value), value, european), intrinsic))


def _phi(
    s: Float64, t: Float64, gamma: Float64, h: Float64, bound: Float64, r: Float64, b: Float64, var: Float64, *,
    with_power: bool = True,
) -> Float64:  # fmt: skip
    """Return the paper's phi; without its power of spot when that is written elsewhere, lest it overflow."""
    from scipy.special import ndtr

    deviation = np.sqrt(var * t)
    d = -(np.log(s / h) + (b + (gamma - 0.5) * var) * t) / deviation
    kappa = 2.0 * b / var + 2.0 * gamma - 1.0
    growth = np.exp((-r + gamma * b + 0.5 * gamma * (gamma - 1.0) * var) * t)
    reflected = np.exp(kappa * np.log(bound / s)) * ndtr(d - 2.0 * np.log(bound / s) / deviation)
    found: Float64 = growth * (ndtr(d) - np.nan_to_num(reflected))
    return found * s**gamma if with_power else found


def _columns(
    spot: Column, strike: Column, years: Column, volatility: Column, rate: Column, is_call: Column, carry: Column
) -> list[Float64]:
    columns = checked_columns(
        spot=spot, strike=strike, years=years, volatility=volatility, rate=rate, is_call=is_call, carry=carry
    )
    _, _, t, vol, r, _, q = columns
    refuse_rows(t <= 0, "years", t, "is not positive")
    refuse_rows(vol <= 0, "volatility", vol, "is not positive")
    refuse_rows(r < 0, "rate", r, "is negative")
    refuse_rows(q < 0, "carry", q, "is negative")
    return columns
