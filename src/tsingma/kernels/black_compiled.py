"""Black's formula in vector registers. Largest difference from the plain twin: about 1e-12 of the forward."""

from __future__ import annotations

import numba

from tsingma.kernels.vector_math import accurate_log, accurate_ndtr, full_width


@numba.njit(
    "void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])", cache=True, error_model="numpy", fastmath=True
)
def black_compiled(sign, forward, strike, deviation, discount, out):  # type: ignore[no-untyped-def]
    """Fill ``out``; see ``tsingma.kernels.black.black_plain``."""
    full_width()
    for i in range(sign.size):
        upper = accurate_log(forward[i] / strike[i]) / max(deviation[i], 1e-300) + 0.5 * deviation[i]
        upper = min(max(upper, -1e3), 1e3)
        first = forward[i] * accurate_ndtr(sign[i] * upper)
        value = sign[i] * (first - strike[i] * accurate_ndtr(sign[i] * (upper - deviation[i])))
        flat = sign[i] * (forward[i] - strike[i])
        out[i] = discount[i] * max(value if deviation[i] > 0.0 else flat, 0.0)
