"""Exponentially weighted volatility of many columns: the plain recursion and the choice of the compiled one."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt

# Loading the compiler takes over a second; below this many cells the plain recursion is done long before.
COMPILED_FROM_CELLS = 20_000_000


def ewma_variance_plain(
    returns: npt.NDArray[np.float64], seed: npt.NDArray[np.float64], decay: float
) -> npt.NDArray[np.float64]:
    """Return variances [n, m]: ``v[t] = decay * v[t-1] + (1 - decay) * r[t]**2`` with ``v[-1] = seed``.

    ``returns`` float64 [n, m], NaN where there is none (the variance is carried); ``seed`` float64 [m].
    Row t uses returns up to and including t. J.P. Morgan, RiskMetrics Technical Document, 4th ed. 1996, 5.2.
    """
    variance = np.empty_like(returns)
    level = seed.astype(np.float64)
    weight = 1.0 - decay
    for row in range(returns.shape[0]):
        squared = returns[row] * returns[row]
        level = np.where(np.isnan(squared), level, decay * level + weight * squared)
        variance[row] = level
    return variance


def ewma_variance(
    returns: npt.NDArray[np.float64], seed: npt.NDArray[np.float64], decay: float
) -> npt.NDArray[np.float64]:
    """Return what :func:`ewma_variance_plain` does, compiled when the array is large and numba is installed."""
    if returns.size >= COMPILED_FROM_CELLS and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.ewma_compiled import ewma_variance_compiled

        return ewma_variance_compiled(np.ascontiguousarray(returns), seed.astype(np.float64), float(decay))
    return ewma_variance_plain(returns, seed, decay)
