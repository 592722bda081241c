"""The compiled twin of :func:`tsingma.kernels.scan.scan_plain`; import it only when it is needed."""

from __future__ import annotations

import numba
import numpy as np

from tsingma.kernels.scan import Int32, Int64


@numba.njit(fastmath=True, parallel=True, cache=True)
def _scan(start, contract, quantity, commodity, arrays, total):  # type: ignore[no-untyped-def]
    for a in numba.prange(start.size - 1):
        loss = np.empty(16)
        margin = 0.0
        i, stop = start[a], start[a + 1]
        while i < stop:
            group = commodity[contract[i]]
            for j in range(16):
                loss[j] = 0.0
            while i < stop and commodity[contract[i]] == group:
                q = np.float64(quantity[i])
                row = arrays[contract[i]]
                for j in range(16):
                    loss[j] += q * np.float64(row[j])
                i += 1
            worst = 0.0
            for j in range(16):
                worst = max(worst, loss[j])
            margin += worst
        total[a] = np.int64(margin)


def scan_compiled(start: Int64, contract: Int32, quantity: Int64, commodity: Int32, arrays: Int32) -> Int64:
    """Return what :func:`tsingma.kernels.scan.scan_plain` does, for sums below 2**53."""
    total = np.zeros(start.size - 1, np.int64)
    _scan(start, contract, quantity, commodity, np.ascontiguousarray(arrays), total)
    return total
