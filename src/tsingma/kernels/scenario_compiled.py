"""The compiled twin of :func:`tsingma.kernels.scenario.tail_sums_plain`; import it only when it is needed."""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt

_SCALE = np.int64(10**10)
_HALF = np.int64(5 * 10**9)


def _tail_sums(
    start: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    returns_e10: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.int64]:
    portfolios = len(start) - 1
    scenarios = returns_e10.shape[1]
    sums = np.zeros(portfolios, dtype=np.int64)
    for portfolio in numba.prange(portfolios):
        profit = np.zeros(scenarios, dtype=np.int64)
        for entry in range(start[portfolio], start[portfolio + 1]):
            amount = value[entry]
            estimate = np.float64(amount) * 1e-10
            line = returns_e10[row[entry]]
            for s in range(scenarios):
                # The estimate is at most 1 off (|product| <= 1e15), so the remainder, computed modulo 2**64, is exact.
                nearest = np.int64(np.rint(estimate * np.float64(line[s])))
                remainder = amount * line[s] - nearest * _SCALE
                if remainder >= _HALF and (remainder > _HALF or nearest >= 0):
                    nearest += 1
                elif remainder <= -_HALF and (remainder < -_HALF or nearest <= 0):
                    nearest -= 1
                profit[s] += nearest
        profit.sort()
        sums[portfolio] = profit[:count].sum()
    return sums


_compiled: Any = numba.njit(
    "int64[::1](int64[::1], int64[::1], int64[::1], int64[:,::1], int64)", cache=True, parallel=True
)(_tail_sums)


def tail_sums_compiled(
    start: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    returns_e10: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.int64]:
    """Return the sums of :func:`tsingma.kernels.scenario.tail_sums_plain`; all arrays int64 and C-contiguous."""
    return cast("npt.NDArray[np.int64]", _compiled(start, row, value, returns_e10, count))
