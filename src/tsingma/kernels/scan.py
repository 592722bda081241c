"""Scan risk of many accounts: sixteen sums a combined commodity, the largest loss of each, added up."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

EXACT_MAX = 2**53  # sums of whole numbers below this are exact in binary floating point
COMPILED_FROM_POSITIONS = 20_000


def scan_risk(start: Int64, contract: Int32, quantity: Int64, commodity: Int32, arrays: Int32) -> Int64:
    """Return the scan risk of every account in whole currency units, int64 [accounts].

    Account a holds entries ``start[a]:start[a + 1]`` of ``contract`` (row of ``arrays`` int32 [contracts, 16]) and
    ``quantity`` (plus is long); entries of one account stand together by ``commodity`` [contracts] of their contract.
    """
    size = int(np.abs(quantity).max(initial=0)) * int(np.abs(arrays).max(initial=0))
    longest = int(np.diff(start).max(initial=0))
    exact = size * max(longest, 1) < EXACT_MAX
    if exact and contract.size >= COMPILED_FROM_POSITIONS and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.scan_compiled import scan_compiled

        return scan_compiled(start, contract, quantity, commodity, arrays)
    return scan_plain(start, contract, quantity, commodity, arrays)


def scan_plain(start: Int64, contract: Int32, quantity: Int64, commodity: Int32, arrays: Int32) -> Int64:
    """Return what :func:`scan_risk` does, in NumPy integers."""
    losses = arrays[contract].astype(np.int64) * quantity[:, None]
    account = np.repeat(np.arange(start.size - 1), np.diff(start))
    group = commodity[contract]
    change = np.ones(contract.size, np.bool_)
    change[1:] = (account[1:] != account[:-1]) | (group[1:] != group[:-1])
    first = np.flatnonzero(change)
    worst = np.maximum(np.add.reduceat(losses, first, axis=0).max(axis=1), 0) if first.size else np.zeros(0, np.int64)
    total = np.zeros(start.size - 1, np.int64)
    np.add.at(total, account[first], worst)
    return total
