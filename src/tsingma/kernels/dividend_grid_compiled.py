"""The dividend grid sixteen contracts abreast: a tridiagonal sweep is serial in one contract, not across contracts."""

from __future__ import annotations

import math

import numba
import numpy as np

from tsingma.kernels.dividend_grid import IMPLICIT_STEPS, SPOT_FLOOR, Float64, Geometry, GridColumns

LANES = 16


@numba.njit(inline="always")
def _read(value, place, c):  # type: ignore[no-untyped-def]
    """Return the value of lane c at a fractional node by the cubic through four nodes."""
    place = min(max(place, 0.0), value.shape[0] - 1.0)
    left = min(max(int(place), 1), value.shape[0] - 3)
    w = place - left
    return (
        -w * (w - 1) * (w - 2) / 6 * value[left - 1, c]
        + (w + 1) * (w - 1) * (w - 2) / 2 * value[left, c]
        - (w + 1) * w * (w - 2) / 2 * value[left + 1, c]
        + (w + 1) * w * (w - 1) / 6 * value[left + 2, c]
    )


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _period(value, pay, down, middle, up, dt, steps):  # type: ignore[no-untyped-def]
    """Carry sixteen contracts back over one dividend period; pivots are computed once for each kind of step."""
    nodes = value.shape[0]
    known, factor, inverse = np.empty((nodes, LANES)), np.empty((nodes, LANES)), np.empty((nodes, LANES))
    below, explicit = np.empty(LANES), np.empty(LANES)
    for step in range(steps):
        theta = 1.0 if step < IMPLICIT_STEPS else 0.5
        if step == 0 or step == IMPLICIT_STEPS:
            for c in range(LANES):
                below[c] = -theta * dt[c] * down[c]
                explicit[c] = (1.0 - theta) * dt[c]
                factor[nodes - 2, c] = -theta * dt[c] * up[c]
                inverse[nodes - 2, c] = 1.0 / (1.0 - theta * dt[c] * middle[c])
            for i in range(nodes - 3, 0, -1):
                for c in range(LANES):
                    factor[i, c] = -theta * dt[c] * up[c] * inverse[i + 1, c]
                    inverse[i, c] = 1.0 / (1.0 - theta * dt[c] * middle[c] - factor[i, c] * below[c])
        for c in range(LANES):
            known[nodes - 1, c] = pay[nodes - 1, c]
        for i in range(nodes - 2, 0, -1):
            for c in range(LANES):
                moved = down[c] * value[i - 1, c] + middle[c] * value[i, c] + up[c] * value[i + 1, c]
                known[i, c] = value[i, c] + explicit[c] * moved - factor[i, c] * known[i + 1, c]
        for c in range(LANES):
            value[0, c] = pay[0, c]
            value[nodes - 1, c] = pay[nodes - 1, c]
        for i in range(1, nodes - 1):
            for c in range(LANES):
                value[i, c] = max((known[i, c] - below[c] * value[i - 1, c]) * inverse[i, c], pay[i, c])


@numba.njit(fastmath=True, error_model="numpy", cache=True)
def _run(sign, spot, strike, vol, rate, carry, periods, cash, direction, origin, spacing, nodes, steps, out):  # type: ignore[no-untyped-def]
    """Price contracts [blocks x lanes]."""
    count = periods.shape[1] - 1
    each = max(steps // count, IMPLICIT_STEPS + 1)
    value, pay = np.empty((nodes, LANES)), np.empty((nodes, LANES))
    grid, moved = np.empty((nodes, LANES)), np.empty((nodes, LANES))
    down, middle, up, dt = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for block in range(spot.size // LANES):
        o = block * LANES
        for c in range(LANES):
            i = o + c
            var = vol[i] * vol[i]
            diffuse = 0.5 * var / (spacing[i] * spacing[i])
            drift = direction[i] * 0.5 * (rate[i] - carry[i] - 0.5 * var) / spacing[i]
            down[c], middle[c], up[c] = diffuse - drift, -2.0 * diffuse - rate[i], diffuse + drift
            for k in range(nodes):
                grid[k, c] = math.exp(origin[i] + direction[i] * spacing[i] * k)
                pay[k, c] = max(sign[i] * (grid[k, c] - strike[i]), 0.0)
                value[k, c] = pay[k, c]
        for period in range(count - 1, -1, -1):
            for c in range(LANES):
                dt[c] = (periods[o + c, period + 1] - periods[o + c, period]) / each
            _period(value, pay, down, middle, up, dt, each)
            if period:
                for k in range(nodes):
                    for c in range(LANES):
                        after = max(grid[k, c] - cash[o + c, period - 1], SPOT_FLOOR)
                        place = (math.log(after) - origin[o + c]) * direction[o + c] / spacing[o + c]
                        moved[k, c] = max(_read(value, place, c), pay[k, c])
                for k in range(nodes):
                    for c in range(LANES):
                        value[k, c] = moved[k, c]
        for c in range(LANES):
            i = o + c
            out[i] = _read(value, (math.log(spot[i]) - origin[i]) * direction[i] / spacing[i], c)


def dividends_compiled(c: GridColumns, g: Geometry, nodes: int, steps: int) -> Float64:
    """Return what :func:`tsingma.kernels.dividend_grid.american_dividends_plain` does."""
    size = c.spot.size
    padded = -(-size // LANES) * LANES
    order = np.resize(np.argsort(c.sign, kind="stable"), padded)
    periods = np.hstack([np.zeros((size, 1)), c.when, c.years[:, None]])
    columns = [column[order] for column in (c.sign, c.spot, c.strike, c.volatility, c.rate, c.carry, periods, c.cash)]
    grid = [column[order] for column in (g.direction, g.origin, g.spacing)]
    out, found = np.empty(padded), np.empty(size)
    _run(*columns, *grid, nodes, steps, out)
    found[order] = out
    return found
