"""Black's formula with exp, log and the normal distribution as branch-free polynomials.

LLVM does not vectorise calls to the C library, so they are written out here; the loop then fills whole vector
registers. Largest difference from the plain twin: about 1e-12 of the forward.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from scipy.special import erfcx


@intrinsic  # type: ignore[untyped-decorator]
def _bits_to_float(typing: Any, bits: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _float_to_bits(typing: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), build


_LOG2E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 0.6931471805599453, 2.3190468138462996e-17
_EXP = tuple(1.0 / math.factorial(power) for power in range(12))
# (1 + 2x) exp(x^2) erfc(x) as a polynomial in (x - 4) / (x + 4): M. Shepherd and J. Laframboise, Mathematics of
# Computation 36, 1981.
_ERFC = tuple(
    float(coefficient)
    for coefficient in np.polynomial.Chebyshev.interpolate(
        lambda u: (1.0 + 8.0 * (1.0 + u) / (1.0 - u)) * erfcx(4.0 * (1.0 + u) / (1.0 - u)), 19, domain=[-1.0, 0.72]
    )
    .convert(kind=np.polynomial.Polynomial, domain=[-1, 1])
    .coef
)


@numba.njit(inline="always")
def _exp(x):  # type: ignore[no-untyped-def]
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * _LOG2E + 0.5)
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    p = _EXP[11]
    for power in range(10, -1, -1):
        p = p * r + _EXP[power]
    return p * _bits_to_float((np.int64(k) + 1023) << 52)


@numba.njit(inline="always")
def _log(x):  # type: ignore[no-untyped-def]
    """Natural logarithm of a normal positive number: exponent and mantissa, then the odd series of (m-1)/(m+1)."""
    bits = _float_to_bits(x)
    shift = (bits - 0x3FE6A09E667F3BCD) >> 52  # mantissa into [sqrt(1/2), sqrt(2))
    m = _bits_to_float(bits - (shift << 52))
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    p = 1.0 / 21.0
    for odd in range(19, 0, -2):
        p = p * s + 1.0 / odd
    return 2.0 * f * p + np.float64(shift) * _LN2_HIGH


@numba.njit(inline="always")
def _normal(x):  # type: ignore[no-untyped-def]
    y = min(abs(x) * 0.7071067811865476, 24.0)
    u = (y - 4.0) / (y + 4.0)
    p = _ERFC[19]
    for power in range(18, -1, -1):
        p = p * u + _ERFC[power]
    half = 0.5 * p * _exp(-y * y) / (1.0 + 2.0 * y)
    return half if x < 0.0 else 1.0 - half


@numba.njit("void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])", cache=True, error_model="numpy")
def black_compiled(sign, forward, strike, deviation, discount, out):  # type: ignore[no-untyped-def]
    """Fill ``out``; see ``tsingma.kernels.black.black_plain``."""
    for i in range(sign.size):
        upper = _log(forward[i] / strike[i]) / max(deviation[i], 1e-300) + 0.5 * deviation[i]
        upper = min(max(upper, -1e3), 1e3)
        value = sign[i] * (
            forward[i] * _normal(sign[i] * upper) - strike[i] * _normal(sign[i] * (upper - deviation[i]))
        )
        flat = sign[i] * (forward[i] - strike[i])
        out[i] = discount[i] * max(value if deviation[i] > 0.0 else flat, 0.0)
