"""The collocation pricer sixteen contracts abreast; import it only when it is needed."""

from __future__ import annotations

import math

import numba
import numpy as np

from tsingma.kernels.american import NEWTON_STEPS, RATE_FLOOR, Constants, Float64, Scheme
from tsingma.kernels.vector_math import fast_exp, fast_ndtr, full_width

LANES = 16
_ROOT_2PI = 0.3989422804014327


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _first_guess(r, q, vol, t, top, x, h):  # type: ignore[no-untyped-def]
    """Fill ln(B/X)^2 at the nodes from the quadratic approximation."""
    full_width()
    b, lb = top.copy(), np.empty(LANES)
    n = x.size - 1
    for i in range(n - 1, -1, -1):
        for _ in range(NEWTON_STEPS):
            for c in range(LANES):
                lb[c] = math.log(b[c])
            for c in range(LANES):
                tau = t[c] * x[i] * x[i]
                var = vol[c] * vol[c]
                dev = vol[c] * math.sqrt(tau)
                n1 = 2.0 * (r[c] - q[c]) / var - 1.0
                disc, paid = fast_exp(-r[c] * tau), fast_exp(-q[c] * tau)
                gone = r[c] * tau if r[c] * tau < 1e-5 else 1.0 - disc
                root = 0.5 * (-n1 - math.sqrt(n1 * n1 + 8.0 * r[c] / (var * gone)))
                d1 = (lb[c] + (r[c] - q[c] + 0.5 * var) * tau) / dev
                tail = fast_ndtr(-d1)
                euro = disc * fast_ndtr(dev - d1) - b[c] * paid * tail
                gap = 1.0 - b[c] - euro + (1.0 - paid * tail) * b[c] / root
                slope = (
                    -1.0
                    + paid * tail
                    + (1.0 - paid * tail) / root
                    + paid * _ROOT_2PI * fast_exp(-0.5 * d1 * d1) / (dev * root)
                )
                b[c] = min(max(b[c] - gap / slope, 0.2 * b[c]), 1.0)
        for c in range(LANES):
            b[c] = min(b[c], top[c] * (1.0 - 1e-12))
            h[i, c] = math.log(b[c] / top[c]) ** 2
    for c in range(LANES):
        h[n, c] = 0.0


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _sweeps(r, q, vol, t, ltop, h, sweeps, x, fraction, weight, read, by_rate, by_carry):  # type: ignore[no-untyped-def]
    """Iterate the fixed point; everything that does not change between sweeps is computed once."""
    full_width()
    n, points = x.size - 1, fraction.size
    new, root = np.empty((n, LANES)), np.empty(LANES)
    spread, inverse = np.empty(LANES), np.empty(LANES)
    for c in range(LANES):
        spread[c] = vol[c] * math.sqrt(t[c])
        inverse[c] = 1.0 / spread[c]
    num, den, g = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for i in range(n):
        for j in range(points):
            for c in range(LANES):
                u = t[c] * x[i] * x[i] * (1.0 - fraction[j])
                by_rate[i, j, c] = weight[j] * fast_exp(r[c] * u)
                by_carry[i, j, c] = weight[j] * fast_exp(q[c] * u)
    for _ in range(sweeps):
        for i in range(n):
            for c in range(LANES):
                num[c] = 0.0
                den[c] = 0.0
                root[c] = math.sqrt(h[i, c])
            for j in range(points):
                for c in range(LANES):
                    g[c] = 0.0
                for e in range(n + 1):
                    w = read[i, j, e]
                    for c in range(LANES):
                        g[c] += w * h[e, c]
                step = x[i] * x[i] * fraction[j]
                length, shrink = math.sqrt(step), 1.0 / math.sqrt(step)
                for c in range(LANES):
                    dev = spread[c] * length
                    gap = math.sqrt(max(g[c], 0.0)) - root[c] + (r[c] - q[c]) * t[c] * step
                    z = gap * inverse[c] * shrink
                    num[c] += by_rate[i, j, c] * fast_ndtr(z - 0.5 * dev)
                    den[c] += by_carry[i, j, c] * fast_ndtr(z + 0.5 * dev)
            for c in range(LANES):
                tau = t[c] * x[i] * x[i]
                dev = spread[c] * x[i]
                d = (ltop[c] - root[c] + (r[c] - q[c]) * tau) / dev
                num[c] = fast_ndtr(d - 0.5 * dev) + r[c] * tau * num[c]
                den[c] = fast_ndtr(d + 0.5 * dev) + q[c] * tau * den[c]
            for c in range(LANES):
                lb = min(math.log(num[c] / den[c]) - (r[c] - q[c]) * t[c] * x[i] * x[i] - ltop[c], -1e-12)
                new[i, c] = lb * lb
        for i in range(n):
            for c in range(LANES):
                h[i, c] = new[i, c]


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _prices(spot, r, q, vol, t, ltop, h, fraction, weight, read, then, by_rate, by_carry, out):  # type: ignore[no-untyped-def]
    """Fill put values on strike 1 at spots [s, lanes]: European value and premium, not below exercise."""
    full_width()
    n, points = h.shape[0] - 1, fraction.size
    num, den, place = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    spread, inverse = np.empty(LANES), np.empty(LANES)
    for c in range(LANES):
        spread[c] = vol[c] * math.sqrt(t[c])
        inverse[c] = 1.0 / spread[c]
    for j in range(points):
        for c in range(LANES):
            then[j, c] = 0.0
        for e in range(n + 1):
            w = read[j, e]
            for c in range(LANES):
                then[j, c] += w * h[e, c]
        for c in range(LANES):
            past = t[c] * fraction[j]
            then[j, c] = math.sqrt(max(then[j, c], 0.0)) + (r[c] - q[c]) * past
            by_rate[j, c] = weight[j] * fast_exp(-r[c] * past)
            by_carry[j, c] = weight[j] * fast_exp(-q[c] * past)
    for s in range(spot.shape[0]):
        for c in range(LANES):
            place[c] = math.log(spot[s, c])
        for c in range(LANES):
            num[c] = 0.0
            den[c] = 0.0
        for j in range(points):
            length, shrink = math.sqrt(fraction[j]), 1.0 / math.sqrt(fraction[j])
            for c in range(LANES):
                dev = spread[c] * length
                z = (place[c] - ltop[c] + then[j, c]) * inverse[c] * shrink
                num[c] += by_rate[j, c] * fast_ndtr(0.5 * dev - z)
                den[c] += by_carry[j, c] * fast_ndtr(-0.5 * dev - z)
        for c in range(LANES):
            dev = spread[c]
            d1 = (place[c] + (r[c] - q[c]) * t[c]) / dev + 0.5 * dev
            euro = fast_exp(-r[c] * t[c]) * fast_ndtr(dev - d1) - spot[s, c] * fast_exp(-q[c] * t[c]) * fast_ndtr(-d1)
            value = euro + t[c] * (r[c] * num[c] - q[c] * spot[s, c] * den[c])
            now = 1.0 - spot[s, c]
            out[s, c] = now if place[c] - ltop[c] <= -math.sqrt(h[0, c]) else max(value, now)


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _run(  # type: ignore[no-untyped-def]
    sign, spots, strike, years, volatility, rate, carry, out, sweeps, x, fraction, weight, read, price_fraction,
    price_weight, price_read,
):  # fmt: skip
    """Price contracts [blocks x lanes] at spots [n, s]."""
    n, points, p, s = x.size - 1, fraction.size, price_fraction.size, spots.shape[1]
    r, q, vol, t = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    top, ltop = np.empty(LANES), np.empty(LANES)
    h, then = np.empty((n + 1, LANES)), np.empty((p, LANES))
    by_rate, by_carry = np.empty((n, points, LANES)), np.empty((n, points, LANES))
    price_rate, price_carry = np.empty((p, LANES)), np.empty((p, LANES))
    spot, value = np.empty((s, LANES)), np.empty((s, LANES))
    for block in range(sign.size // LANES):
        for c in range(LANES):
            i = block * LANES + c
            call = sign[i] > 0
            r[c] = max(carry[i] if call else rate[i], RATE_FLOOR)
            q[c] = rate[i] if call else carry[i]
            vol[c], t[c] = volatility[i], years[i]
            top[c] = 1.0 if q[c] <= r[c] else r[c] / q[c]
            ltop[c] = math.log(top[c])
            for k in range(s):
                spot[k, c] = strike[i] / spots[i, k] if call else spots[i, k] / strike[i]
        _first_guess(r, q, vol, t, top, x, h)
        _sweeps(r, q, vol, t, ltop, h, sweeps, x, fraction, weight, read, by_rate, by_carry)
        _prices(
            spot, r, q, vol, t, ltop, h, price_fraction, price_weight, price_read, then, price_rate, price_carry, value
        )
        for c in range(LANES):
            i = block * LANES + c
            for k in range(s):
                out[i, k] = value[k, c] * (spots[i, k] if sign[i] > 0 else strike[i])


def american_compiled(
    sign: Float64, spots: Float64, strike: Float64, years: Float64, volatility: Float64, rate: Float64, carry: Float64,
    c: Constants, scheme: Scheme,
) -> Float64:  # fmt: skip
    """Return what :func:`tsingma.kernels.american.american_plain` does, to about 1e-8 of the strike."""
    size = sign.size
    padded = -(-size // LANES) * LANES
    columns = [np.resize(column, padded) for column in (sign, strike, years, volatility, rate, carry)]
    ladder = np.resize(spots, (padded, spots.shape[1]))
    out = np.empty_like(ladder)
    _run(columns[0], ladder, *columns[1:], out, scheme.sweeps, c.x, c.fraction, c.weight, c.read,
         c.price_fraction, c.price_weight, c.price_read)  # fmt: skip
    return out[:size]
