"""Scenario profits of many portfolios, exact to the dollar: the plain twin and the choice of the compiled one.

Every product of a market value and a return x 10**10 is rounded to a whole number, halves away from zero. No binary
float decides a rounding: the plain twin multiplies in split integers, the compiled one corrects an estimate with its
exact remainder. Nor does one decide which scenarios are the worst: the compiled twin sums all scenarios coarsely, with
a proved bound of its error, and sums exactly each scenario that the bound cannot rule out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RETURN_SCALE = 10**10
LANES = 32  # scenarios that a coarse sum takes abreast: 20,000 instruments of 32 half-words fit in a core's cache
COARSE_MAX = 2**15 - 1
_SPLIT = 10**5
# Loading the compiled kernel takes a moment; below this many products the plain twin is done before.
COMPILED_FROM_PRODUCTS = 3_000_000


def profit_matrix(values: npt.NDArray[np.int64], returns_e10: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return int64 [n, s]: value x return / 10**10 rounded to whole units, halves away from zero, exactly.

    ``values`` int64 [n], absolute value at most 10**14; ``returns_e10`` int64 [n, s], absolute value at most 10**11.
    """
    magnitude = np.abs(values)[:, None]
    size = np.abs(returns_e10)
    whole, rest = np.divmod(magnitude, RETURN_SCALE)
    rest_high, rest_low = np.divmod(rest, _SPLIT)
    high, low = np.divmod(size, _SPLIT)
    # magnitude x size = whole x size x 1e10 + rest_high x high x 1e10 + (cross x 1e5 + low products), all below 2**63
    cross = rest_high * low + rest_low * high
    tail = cross * _SPLIT + rest_low * low
    rounded = whole * size + rest_high * high + (tail + RETURN_SCALE // 2) // RETURN_SCALE
    signed: npt.NDArray[np.int64] = np.where((values[:, None] < 0) != (returns_e10 < 0), -rounded, rounded)
    return signed


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """Scenario returns laid out for the compiled twin: a coarse image to rank with, and the exact columns."""

    coarse: npt.NDArray[np.int16]  # [blocks, instruments, LANES] whole steps, zero beyond the last scenario
    step: npt.NDArray[np.float64]  # [instruments] return of one step; a coarse return is at most half a step off
    exact_e10: npt.NDArray[np.int64]  # [scenarios, instruments]


def screen_returns(returns_e10: npt.NDArray[np.int64]) -> Screen:
    """Return the screen of ``returns_e10`` int64 [instruments, scenarios], absolute value at most 10**11."""
    instruments, scenarios = returns_e10.shape
    blocks = -(-scenarios // LANES)
    step_e10 = np.maximum(np.abs(returns_e10).max(axis=1, initial=0), 1) / COARSE_MAX
    coarse = np.zeros((blocks, instruments, LANES), np.int16)
    for block in range(blocks):
        some = returns_e10[:, block * LANES : (block + 1) * LANES]
        coarse[block, :, : some.shape[1]] = np.rint(some / step_e10[:, None])
    return Screen(coarse, step_e10 / RETURN_SCALE, np.ascontiguousarray(returns_e10.T))


def tail_sums_plain(
    start: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    returns_e10: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.int64]:
    """Return int64 [portfolios]: the sum of the ``count`` lowest scenario profits of each portfolio.

    Portfolio p holds entries ``start[p]:start[p + 1]`` of ``row`` (row of ``returns_e10`` [instruments, scenarios])
    and ``value`` (whole HKD, at most 10**14 in total per portfolio). An empty portfolio has sum 0.
    """
    sums = np.zeros(len(start) - 1, dtype=np.int64)
    for portfolio in range(len(start) - 1):
        entries = slice(int(start[portfolio]), int(start[portfolio + 1]))
        profit = profit_matrix(value[entries], returns_e10[row[entries]]).sum(axis=0, dtype=np.int64)
        sums[portfolio] = np.sort(profit)[:count].sum()
    return sums


def tail_sums(
    start: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    returns_e10: npt.NDArray[np.int64],
    count: int,
    screen: Screen | None = None,
) -> npt.NDArray[np.int64]:
    """Return what :func:`tail_sums_plain` does, compiled when there is much to do and numba is installed.

    ``screen`` is :func:`screen_returns` of the returns, when the caller has it from another call.
    """
    products = len(row) * returns_e10.shape[1]
    if products >= COMPILED_FROM_PRODUCTS and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.scenario_compiled import tail_sums_compiled

        return tail_sums_compiled(start, row, value, screen or screen_returns(returns_e10), count)
    return tail_sums_plain(start, row, value, returns_e10, count)
