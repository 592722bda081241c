"""Exact sums by key: the plain NumPy way, and the compiled one that the business day uses."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

COMPILED_FROM = 1_024  # legs; starting threads costs more than netting fewer of them


@cache
def _compiled() -> ModuleType | None:
    try:
        from tsingma.kernels import netting_compiled
    except ImportError:  # numba is an extra; the twin below answers the same, slower
        return None
    return netting_compiled


def net_legs_plain(
    account: Int32, counter: Int32, quantity: Int64, amount: Int64, counters: int
) -> tuple[Int32, Int32, Int64, Int64, Int64]:
    """Return (account, counter, net quantity, net amount, legs) by key, sorted by account, then counter.

    Columns i4[n], i4[n], i8[n], i8[n]; sums are 64-bit integers and never pass through a float.
    """
    key = account.astype(np.int64) * counters + counter
    keys, place = np.unique(key, return_inverse=True)
    sums = np.zeros((2, keys.size), np.int64)
    np.add.at(sums[0], place, quantity)
    np.add.at(sums[1], place, amount)
    legs = np.bincount(place, minlength=keys.size).astype(np.int64)
    owner, line = np.divmod(keys, counters)
    return owner.astype(np.int32), line.astype(np.int32), sums[0], sums[1], legs


def net_legs(
    account: Int32, counter: Int32, quantity: Int64, amount: Int64, accounts: int, counters: int
) -> tuple[Int32, Int32, Int64, Int64, Int64]:
    """Return what ``net_legs_plain`` does, compiled when numba is there and the batch is large enough to gain by it.

    ``accounts`` bounds the account numbers.
    """
    fast = _compiled() if account.size >= COMPILED_FROM else None
    if fast is None:
        return net_legs_plain(account, counter, quantity, amount, counters)
    result: tuple[Int32, Int32, Int64, Int64, Int64] = fast.net_legs(
        account, counter, quantity, amount, accounts, counters
    )
    return result
