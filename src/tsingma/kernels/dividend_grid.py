"""American options with cash dividends on a grid: geometry, plain twin, and the choice of the fast one.

Crank-Nicolson in log spot with implicit steps after every kink (R. Rannacher, 1984), early exercise by elimination away
from the exercise region and projection on the way back (M. Brennan and E. Schwartz, 1977). Spot drops by the dividend
on its day. The grid runs from the exercise end (node 0) outwards: upwards in spot for a put, downwards for a call.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

WIDTH_DEVIATIONS, WIDTH_EXTRA = 4.0, 0.05
IMPLICIT_STEPS = 2
SPOT_FLOOR = 1e-12
COMPILED_FROM_CONTRACTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class GridColumns:
    """Contracts with their dividends: all columns float64 [n] but the last two, [n, d], by time, zero where padded.

    ``sign`` +1 call, -1 put; ``when`` years from now, strictly between 0 and expiry; ``cash`` in the unit of the
    strike.
    """

    sign: Float64
    spot: Float64
    strike: Float64
    years: Float64
    volatility: Float64
    rate: Float64
    carry: Float64
    when: Float64
    cash: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Grid of each contract: direction, log spot of node 0 and spacing (all [n])."""

    direction: Float64
    origin: Float64
    spacing: Float64


def geometry(c: GridColumns, nodes: int) -> Geometry:
    """Return grids that hold spot, spot less dividends and strike with room to spare, the strike on a node."""
    low_spot = np.maximum(c.spot - c.cash.sum(axis=1), 0.05 * c.spot)
    wide = WIDTH_DEVIATIONS * c.volatility * np.sqrt(c.years) + WIDTH_EXTRA
    low = np.minimum(np.log(low_spot), np.log(c.strike)) - wide
    high = np.maximum(np.log(c.spot), np.log(c.strike)) + wide
    spacing = (high - low) / (nodes - 2)
    low -= spacing * ((low - np.log(c.strike)) / spacing - np.floor((low - np.log(c.strike)) / spacing))
    direction = -c.sign
    return Geometry(direction, np.where(direction > 0, low, low + spacing * (nodes - 1)), spacing)


def american_dividends(c: GridColumns, nodes: int, steps: int) -> Float64:
    """Return values float64 [n]; ``nodes`` in spot, ``steps`` in time, spread evenly over dividend periods."""
    if c.spot.size >= COMPILED_FROM_CONTRACTS and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.dividend_grid_compiled import dividends_compiled

        return dividends_compiled(c, geometry(c, nodes), nodes, steps)
    return american_dividends_plain(c, nodes, steps)


def american_dividends_plain(c: GridColumns, nodes: int, steps: int) -> Float64:
    """Return what :func:`american_dividends` does, one NumPy operation over all contracts at a time."""
    g = geometry(c, nodes)
    log_spot = g.origin + g.direction * g.spacing * np.arange(nodes)[:, None]
    grid = np.exp(log_spot)
    pay = np.maximum(c.sign * (grid - c.strike), 0.0)
    value = pay.copy()
    periods = np.hstack([np.zeros((c.spot.size, 1)), c.when, c.years[:, None]])
    each = max(steps // (periods.shape[1] - 1), IMPLICIT_STEPS + 1)
    for period in range(periods.shape[1] - 2, -1, -1):
        dt = (periods[:, period + 1] - periods[:, period]) / each
        for step in range(each):
            _step(value, pay, c, g, dt, 1.0 if step < IMPLICIT_STEPS else 0.5)
        if period:
            after = np.log(np.maximum(grid - c.cash[:, period - 1], SPOT_FLOOR))
            value = np.maximum(_read(value, (after - g.origin) * g.direction / g.spacing), pay)
    place = (np.log(c.spot) - g.origin) * g.direction / g.spacing
    found: Float64 = _read(value, place[None, :])[0]
    return found


def _step(value: Float64, pay: Float64, c: GridColumns, g: Geometry, dt: Float64, theta: float) -> None:
    """Carry values [nodes, n] one step back in time."""
    nodes = value.shape[0]
    var = c.volatility**2
    diffuse = 0.5 * var / g.spacing**2
    drift = g.direction * 0.5 * (c.rate - c.carry - 0.5 * var) / g.spacing
    down, middle, up = diffuse - drift, -2.0 * diffuse - c.rate, diffuse + drift
    known = value.copy()
    inner = (1.0 - theta) * dt * (down * value[:-2] + middle * value[1:-1] + up * value[2:])
    known[1:-1] += inner
    below, here, above = -theta * dt * down, 1.0 - theta * dt * middle, -theta * dt * up
    pivot = np.empty_like(value)
    known[-1] = pay[-1]
    for i in range(nodes - 2, 0, -1):
        factor = above if i == nodes - 2 else above / pivot[i + 1]
        pivot[i] = here if i == nodes - 2 else here - factor * below
        known[i] -= factor * known[i + 1]
    value[0], value[-1] = pay[0], pay[-1]
    for i in range(1, nodes - 1):
        value[i] = np.maximum((known[i] - below * value[i - 1]) / pivot[i], pay[i])


def _read(value: Float64, place: Float64) -> Float64:
    """Return values [m, n] at fractional node places by the cubic through four nodes."""
    left = np.clip(np.floor(place).astype(np.int64), 1, value.shape[0] - 3)
    w = np.clip(place, 0.0, value.shape[0] - 1.0) - left
    columns = np.arange(value.shape[1])
    read: Float64 = (
        -w * (w - 1) * (w - 2) / 6 * value[left - 1, columns]
        + (w + 1) * (w - 1) * (w - 2) / 2 * value[left, columns]
        - (w + 1) * w * (w - 2) / 2 * value[left + 1, columns]
        + (w + 1) * w * (w - 1) / 6 * value[left + 2, columns]
    )
    return read
