"""Exponential and normal distribution as branch-free polynomials, for loops that compile to vector instructions.

numba's wheels cannot vectorise calls to libm, so these are written out. Import only from compiled kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_LOG2E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 0.6931471805599453, 2.3190468138462996e-17
_T = tuple(1.0 / math.factorial(k) for k in range(11))
_ROOT_HALF = 0.7071067811865476


@intrinsic  # type: ignore[untyped-decorator]
def _bits_to_float(_typing: Any, _bits: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@numba.njit(inline="always")
def fast_exp(x):  # type: ignore[no-untyped-def]
    """Return exp(x) for -700 < x < 700, relative error about 1e-10."""
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * _LOG2E + 0.5)
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    p = _T[8]
    p = p * r + _T[7]
    p = p * r + _T[6]
    p = p * r + _T[5]
    p = p * r + _T[4]
    p = p * r + _T[3]
    p = p * r + _T[2]
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _bits_to_float((np.int64(k) + 1023) << 52)


def _coefficients(degree: int) -> tuple[float, ...]:
    """Return (1 + 2x) exp(x^2) erfc(x) as a polynomial in (x - 4) / (x + 4), after Shepherd and Laframboise (1981)."""
    from scipy.special import erfcx

    def scaled(u: Any) -> Any:
        x = 4.0 * (1.0 + u) / (1.0 - u)
        return (1.0 + 2.0 * x) * erfcx(x)

    fit = np.polynomial.Chebyshev.interpolate(scaled, degree, domain=[-1.0, 0.72])
    return tuple(float(c) for c in fit.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef)


_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9, _P10, _P11, _P12 = _coefficients(12)


@numba.njit(inline="always")
def fast_ndtr(x):  # type: ignore[no-untyped-def]
    """Return the normal distribution, absolute error about 1e-9, without branches."""
    y = min(abs(x) * _ROOT_HALF, 24.0)
    # One division serves both quotients, (y - 4) / (y + 4) and 1 / (1 + 2 y).
    shared = 1.0 / ((y + 4.0) * (1.0 + 2.0 * y))
    u = (y - 4.0) * (1.0 + 2.0 * y) * shared
    p = _P12
    p = p * u + _P11
    p = p * u + _P10
    p = p * u + _P9
    p = p * u + _P8
    p = p * u + _P7
    p = p * u + _P6
    p = p * u + _P5
    p = p * u + _P4
    p = p * u + _P3
    p = p * u + _P2
    p = p * u + _P1
    p = p * u + _P0
    half = 0.5 * p * fast_exp(-y * y) * (y + 4.0) * shared
    return half if x < 0.0 else 1.0 - half
