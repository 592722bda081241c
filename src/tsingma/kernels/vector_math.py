"""Exponential, logarithm and normal distribution as branch-free polynomials, for loops that fill vector registers.

LLVM does not vectorise calls to the C library, so they are written out. Each comes accurate (near machine precision)
and, where a kernel can bear 1e-9, fast. Import only from compiled kernels.
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
_ROOT_HALF = 0.7071067811865476
_EXP = tuple(1.0 / math.factorial(power) for power in range(12))


@intrinsic  # type: ignore[untyped-decorator]
def full_width(_typing: Any) -> Any:
    """Let the loops of the calling function fill the widest vector registers.

    LLVM holds back to half of them on processors whose clock once fell with their use; long polynomials gain more than
    a clock can cost. Where registers are narrower this changes nothing.
    """

    def build(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # llvmlite knows no attributes with a value, but prints what the set holds.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), build


@intrinsic  # type: ignore[untyped-decorator]
def _bits_to_float(_typing: Any, _bits: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _float_to_bits(_typing: Any, _value: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


def _erfc_polynomial(degree: int) -> tuple[float, ...]:
    """Return (1 + 2x) exp(x^2) erfc(x) as a polynomial in (x - 4) / (x + 4).

    Source: M. Shepherd and J. Laframboise, Mathematics of Computation 36, 1981.
    """
    from scipy.special import erfcx

    def scaled(u: Any) -> Any:
        x = 4.0 * (1.0 + u) / (1.0 - u)
        return (1.0 + 2.0 * x) * erfcx(x)

    fit = np.polynomial.Chebyshev.interpolate(scaled, degree, domain=[-1.0, 0.72])
    return tuple(float(c) for c in fit.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef)


def _polynomial(coefficients: tuple[float, ...]) -> Any:
    """Return Horner's scheme with every step written out: a loop over a tuple would keep the caller's loop scalar."""

    def constant(value: float) -> Any:
        @numba.njit(inline="always")
        def start(_x):  # type: ignore[no-untyped-def]
            return value

        return start

    def step(inner: Any, value: float) -> Any:
        @numba.njit(inline="always")
        def horner(x):  # type: ignore[no-untyped-def]
            return inner(x) * x + value

        return horner

    scheme = constant(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        scheme = step(scheme, coefficient)
    return scheme


def _exponential(terms: int) -> Any:
    """Return exp with so many terms of its series after the first."""
    series = _polynomial(_EXP[: terms + 1])

    @numba.njit(inline="always")
    def exponential(x):  # type: ignore[no-untyped-def]
        x = min(max(x, -700.0), 700.0)
        k = np.floor(x * _LOG2E + 0.5)
        r = x - k * _LN2_HIGH - k * _LN2_LOW
        return series(r) * _bits_to_float((np.int64(k) + 1023) << 52)

    return exponential


fast_exp, accurate_exp = _exponential(8), _exponential(11)


def _normal(degree: int, exponential: Any) -> Any:
    """Return the normal distribution with a polynomial of this degree."""
    scaled = _polynomial(_erfc_polynomial(degree))

    @numba.njit(inline="always")
    def normal(x):  # type: ignore[no-untyped-def]
        y = min(abs(x) * _ROOT_HALF, 24.0)
        # One division serves both quotients, (y - 4) / (y + 4) and 1 / (1 + 2 y).
        shared = 1.0 / ((y + 4.0) * (1.0 + 2.0 * y))
        u = (y - 4.0) * (1.0 + 2.0 * y) * shared
        half = 0.5 * scaled(u) * exponential(-y * y) * (y + 4.0) * shared
        return half if x < 0.0 else 1.0 - half

    return normal


fast_ndtr, accurate_ndtr = _normal(12, fast_exp), _normal(19, accurate_exp)
_log_series = _polynomial(tuple(1.0 / odd for odd in range(1, 22, 2)))


@numba.njit(inline="always")
def accurate_log(x):  # type: ignore[no-untyped-def]
    """Return the logarithm of a normal positive number: exponent, and the odd series of (m - 1) / (m + 1)."""
    bits = _float_to_bits(x)
    shift = (bits - 0x3FE6A09E667F3BCD) >> 52  # mantissa into [sqrt(1/2), sqrt(2))
    m = _bits_to_float(bits - (shift << 52))
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    return 2.0 * f * _log_series(s) + np.float64(shift) * _LN2_HIGH
