"""American options by collocation of the early-exercise boundary: constants, plain twin, and the choice of the fast
one.

L. Andersen, M. Lake and D. Offengenden, "High-performance American option pricing", Journal of Computational Finance
20(1), 2016: fixed-point system B on Chebyshev nodes in the square root of time, with Gauss-Legendre quadrature. Nodes
and quadrature points are fixed fractions of maturity, so reading the boundary anywhere is one constant matrix. A call
is the put with spot and strike, rate and yield exchanged (P. McDonald and M. Schroder, 1998).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

RATE_FLOOR = 1e-9
NEWTON_STEPS = 3
COMPILED_FROM_PRICES = 200


@dataclass(frozen=True, slots=True)
class Scheme:
    """How finely a boundary is solved: nodes, sweeps, quadrature points in a sweep and in the price."""

    nodes: int
    sweeps: int
    points: int
    price_points: int


FAST = Scheme(5, 3, 7, 15)  # about 3e-4 on a strike of 100
STANDARD = Scheme(5, 6, 9, 25)  # about 5.5e-5: more points gain little while sweeps govern the error
ACCURATE = Scheme(16, 8, 31, 65)  # about 2e-6
HIGHEST = Scheme(24, 16, 61, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Constants:
    """What depends on the scheme alone: nodes x, quadrature fractions and weights, reading matrices."""

    x: Float64  # [nodes + 1] square root of time over maturity, from 1 down to 0
    fraction: Float64  # [points]
    weight: Float64
    read: Float64  # [nodes, points, nodes + 1]
    price_fraction: Float64  # [price_points]
    price_weight: Float64
    price_read: Float64  # [price_points, nodes + 1]


@cache
def constants(scheme: Scheme) -> Constants:
    """Return the constants of a scheme."""
    n = scheme.nodes
    x = 0.5 * (1.0 + np.cos(np.arange(n + 1) * np.pi / n))
    fit = np.cos(np.outer(np.arange(n + 1), np.arange(n + 1)) * np.pi / n) * (2.0 / n)
    fit[[0, n]] *= 0.5
    fit[:, [0, n]] *= 0.5

    def reader(place: Float64) -> Float64:
        angle = np.arccos(np.clip(2.0 * place - 1.0, -1.0, 1.0))
        matrix: Float64 = np.cos(angle[..., None] * np.arange(n + 1)) @ fit
        return matrix

    y, w = np.polynomial.legendre.leggauss(scheme.points)
    fraction = 0.25 * (1.0 + y) ** 2
    z, v = np.polynomial.legendre.leggauss(scheme.price_points)
    price_fraction = 0.25 * (1.0 + z) ** 2
    return Constants(
        x=x,
        fraction=fraction,
        weight=0.5 * w * (1.0 + y),
        read=np.ascontiguousarray(reader(x[:n, None] * np.sqrt(1.0 - fraction)[None, :])),
        price_fraction=price_fraction,
        price_weight=0.5 * v * (1.0 + z),
        price_read=np.ascontiguousarray(reader(np.sqrt(1.0 - price_fraction))),
    )


def american_spectral(
    sign: Float64, spots: Float64, strike: Float64, years: Float64, volatility: Float64, rate: Float64, carry: Float64,
    scheme: Scheme,
) -> Float64:  # fmt: skip
    """Return values float64 [n, spots] of American options, one boundary a contract for all its spots.

    ``sign`` +1 call, -1 put; all other columns [n], years and volatility positive, rate and carry not negative;
    ``spots`` float64 [n, spots] in the unit of the strike.
    """
    if spots.size >= COMPILED_FROM_PRICES and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.american_compiled import american_compiled

        return american_compiled(sign, spots, strike, years, volatility, rate, carry, constants(scheme), scheme)
    return american_plain(sign, spots, strike, years, volatility, rate, carry, scheme)


def american_plain(
    sign: Float64, spots: Float64, strike: Float64, years: Float64, volatility: Float64, rate: Float64, carry: Float64,
    scheme: Scheme,
) -> Float64:  # fmt: skip
    """Return what :func:`american_spectral` does, in NumPy: the readable form and the fallback."""
    call = sign > 0
    # A call on (spot, strike) is a put on (strike, spot); the boundary scales with the strike, so it is solved for 1.
    r = np.maximum(np.where(call, carry, rate), RATE_FLOOR)
    q = np.where(call, rate, carry)
    top, h = _boundary(r, q, volatility, years, scheme)
    moneyness = np.where(call[:, None], strike[:, None] / spots, spots / strike[:, None])
    value = _price(moneyness, r, q, volatility, years, top, h, constants(scheme))
    scaled: Float64 = value * np.where(call[:, None], spots, strike[:, None])
    return scaled


def _boundary(r: Float64, q: Float64, vol: Float64, t: Float64, scheme: Scheme) -> tuple[Float64, Float64]:
    """Return the boundary at expiry X [n] of a put on strike 1, and ln(B/X)^2 at the nodes [n, nodes + 1]."""
    from scipy.special import ndtr

    c, n = constants(scheme), scheme.nodes
    top = np.where(q <= r, 1.0, r / np.maximum(q, RATE_FLOOR))
    h = np.zeros((r.size, n + 1))
    bound = top.copy()
    for node in range(n - 1, -1, -1):
        bound = np.minimum(_guess(bound, r, q, vol, t * c.x[node] ** 2), top * (1.0 - 1e-12))
        h[:, node] = np.log(bound / top) ** 2
    tau = t[:, None] * c.x[:n] ** 2
    drift, spread = (r - q)[:, None], vol[:, None] * np.sqrt(tau)
    past = tau[:, :, None] * c.fraction  # [n, node, point]
    left = tau[:, :, None] - past
    deviation = vol[:, None, None] * np.sqrt(past)
    by_rate = c.weight * np.exp(r[:, None, None] * left)
    by_carry = c.weight * np.exp(q[:, None, None] * left)
    for _ in range(scheme.sweeps):
        then = np.sqrt(np.maximum(np.einsum("ijk,nk->nij", c.read, h), 0.0))
        now = np.sqrt(h[:, :n])
        z = (then - now[:, :, None] + drift[:, :, None] * past) / deviation
        d = (np.log(top)[:, None] - now + drift * tau) / spread
        upper = ndtr(d - 0.5 * spread) + r[:, None] * tau * (by_rate * ndtr(z - 0.5 * deviation)).sum(axis=2)
        lower = ndtr(d + 0.5 * spread) + q[:, None] * tau * (by_carry * ndtr(z + 0.5 * deviation)).sum(axis=2)
        h[:, :n] = np.minimum(np.log(upper / lower) - drift * tau - np.log(top)[:, None], -1e-12) ** 2
    return top, h


def _guess(bound: Float64, r: Float64, q: Float64, vol: Float64, tau: Float64) -> Float64:
    """Return a boundary near the quadratic approximation's (Barone-Adesi and Whaley 1987), by Newton from ``bound``."""
    from scipy.special import ndtr

    var, spread = vol * vol, vol * np.sqrt(tau)
    n1 = 2.0 * (r - q) / var - 1.0
    discount, paid = np.exp(-r * tau), np.exp(-q * tau)
    root = 0.5 * (-n1 - np.sqrt(n1 * n1 + 8.0 * r / (var * (1.0 - discount))))
    for _ in range(NEWTON_STEPS):
        d1 = (np.log(bound) + (r - q + 0.5 * var) * tau) / spread
        tail = ndtr(-d1)
        european = discount * ndtr(spread - d1) - bound * paid * tail
        gap = 1.0 - bound - european + (1.0 - paid * tail) * bound / root
        density = 0.3989422804014327 * np.exp(-0.5 * d1 * d1)
        slope = -1.0 + paid * tail + (1.0 - paid * tail) / root + paid * density / (spread * root)
        bound = np.minimum(np.maximum(bound - gap / slope, 0.2 * bound), 1.0)
    return bound


def _price(
    spot: Float64, r: Float64, q: Float64, vol: Float64, t: Float64, top: Float64, h: Float64, c: Constants
) -> Float64:
    """Return the put value on strike 1 at spots [n, s]: European value and premium, not below exercise."""
    from scipy.special import ndtr

    then = np.sqrt(np.maximum(h @ c.price_read.T, 0.0))[:, None, :]
    past = (t[:, None] * c.price_fraction)[:, None, :]
    deviation = vol[:, None, None] * np.sqrt(past)
    place = np.log(spot / top[:, None])
    z = (place[:, :, None] + then + (r - q)[:, None, None] * past) / deviation
    by_rate = c.price_weight * np.exp(-r[:, None, None] * past) * ndtr(0.5 * deviation - z)
    by_carry = c.price_weight * np.exp(-q[:, None, None] * past) * ndtr(-0.5 * deviation - z)
    premium = t[:, None] * (r[:, None] * by_rate.sum(axis=2) - (q[:, None] * spot) * by_carry.sum(axis=2))
    spread = (vol * np.sqrt(t))[:, None]
    d1 = (np.log(spot) + ((r - q) * t)[:, None]) / spread + 0.5 * spread
    european = np.exp(-r * t)[:, None] * ndtr(spread - d1) - spot * np.exp(-q * t)[:, None] * ndtr(-d1)
    exercised = place <= -np.sqrt(h[:, :1])
    value: Float64 = np.where(exercised, 1.0 - spot, np.maximum(european + premium, 1.0 - spot))
    return value
