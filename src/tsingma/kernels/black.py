"""Black's formula over columns: the plain NumPy twin, and the choice of the compiled one for long columns.

All columns are float64 [n]; ``sign`` is +1 for calls and -1 for puts. Zero volatility or zero time gives the discounted
intrinsic value. No check is made here: the room ``pricing`` checks, and says which row is wrong.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

# Loading the compiled kernel takes a moment; below this many prices the plain twin is done before.
COMPILED_FROM_PRICES = 200_000


def black_plain(sign: Float64, forward: Float64, strike: Float64, deviation: Float64, discount: Float64) -> Float64:
    """Return discount x Black(forward, strike, deviation), where deviation is volatility x sqrt(years).

    Source: F. Black, The pricing of commodity contracts, Journal of Financial Economics 3, 1976.
    """
    from scipy.special import ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.log(forward / strike) / deviation + 0.5 * deviation
    value = sign * (forward * ndtr(sign * upper) - strike * ndtr(sign * (upper - deviation)))
    intrinsic = np.maximum(sign * (forward - strike), 0.0)
    return discount * np.where(deviation > 0.0, np.maximum(value, 0.0), intrinsic)


def black(sign: Float64, forward: Float64, strike: Float64, deviation: Float64, discount: Float64) -> Float64:
    """Return what ``black_plain`` does to within 1e-11 of the forward, compiled for long columns if numba is there."""
    if sign.size < COMPILED_FROM_PRICES or importlib.util.find_spec("numba") is None:
        return black_plain(sign, forward, strike, deviation, discount)
    from tsingma.kernels.black_compiled import black_compiled

    out = np.empty(sign.size)
    black_compiled(sign, forward, strike, deviation, discount, out)
    return out
