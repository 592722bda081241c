"""The compiled twin of :func:`tsingma.kernels.ewma.ewma_variance_plain`; import it only when it is needed."""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt


def _recursion(
    returns: npt.NDArray[np.float64], seed: npt.NDArray[np.float64], decay: float
) -> npt.NDArray[np.float64]:
    days, columns = returns.shape
    variance = np.empty((days, columns), dtype=np.float64)
    level = seed.copy()
    weight = 1.0 - decay
    for row in range(days):
        for column in range(columns):
            squared = returns[row, column] * returns[row, column]
            if not np.isnan(squared):
                level[column] = decay * level[column] + weight * squared
            variance[row, column] = level[column]
    return variance


_compiled: Any = numba.njit("float64[:,::1](float64[:,::1], float64[::1], float64)", cache=True)(_recursion)


def ewma_variance_compiled(
    returns: npt.NDArray[np.float64], seed: npt.NDArray[np.float64], decay: float
) -> npt.NDArray[np.float64]:
    """Return variances float64 [n, m] of C-ordered ``returns`` [n, m] and ``seed`` [m]; see the plain twin."""
    return cast("npt.NDArray[np.float64]", _compiled(returns, seed, decay))
