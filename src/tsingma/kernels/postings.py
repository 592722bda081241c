"""Transfers, holds and pledges on plain arrays: the rules of a row, once in Python and once compiled.

``key`` i8[rows] is owner << 32 | asset; ``numbers`` i8[4, rows] has balance, held, pledged, floor. Transfers run in
order; a chain (linked neighbours) is booked whole or not at all. The two implementations answer the same.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]

BOOKED = 0
INSUFFICIENT = 1
OVERFLOW = 2
OTHER_ASSET = 3
NOT_POSITIVE = 4
SAME_ROW = 5
CHAIN_FAILED = 6

_BALANCE_MAX = 2**62


@cache
def _compiled() -> ModuleType | None:
    try:
        from tsingma.kernels import postings_compiled
    except ImportError:  # numba is an extra; the twin below answers the same, slower
        return None
    return postings_compiled


def check_plain(key: Int64, numbers: Int64, debit: int, credit: int, amount: int) -> int:
    """Return the result code that one transfer would have now."""
    if amount <= 0:
        return NOT_POSITIVE
    if debit == credit:
        return SAME_ROW
    if (int(key[debit]) ^ int(key[credit])) & 0xFFFFFFFF:
        return OTHER_ASSET
    balance, held, pledged, floor = (int(numbers[place, debit]) for place in range(4))
    if balance - held - pledged - amount < floor:
        return INSUFFICIENT
    if int(numbers[0, credit]) + amount > _BALANCE_MAX or balance - amount < -_BALANCE_MAX:
        return OVERFLOW
    return BOOKED


def transfer_plain(
    key: Int64, numbers: Int64, debit: Int64, credit: Int64, amount: Int64, linked: npt.NDArray[np.bool_]
) -> Int8:
    """Carry out transfers in order, in Python; returns one result code each, i1[n]."""
    result = np.zeros(debit.size, np.int8)
    start = 0
    while start < debit.size:
        stop = start
        while stop < debit.size - 1 and linked[stop]:
            stop += 1
        failed = -1
        for i in range(start, stop + 1):
            code = check_plain(key, numbers, int(debit[i]), int(credit[i]), int(amount[i]))
            if code:
                failed = i
                result[start : stop + 1] = CHAIN_FAILED
                result[i] = code
                break
            numbers[0, debit[i]] -= amount[i]
            numbers[0, credit[i]] += amount[i]
        for i in range(failed - 1, start - 1, -1):
            numbers[0, debit[i]] += amount[i]
            numbers[0, credit[i]] -= amount[i]
        start = stop + 1
    return result


def transfer(
    key: Int64, numbers: Int64, debit: Int64, credit: Int64, amount: Int64, linked: npt.NDArray[np.bool_]
) -> Int8:
    """Carry out transfers in order; returns one result code each, i1[n]."""
    fast = _compiled()
    if fast is None:
        return transfer_plain(key, numbers, debit, credit, amount, linked)
    result = np.zeros(debit.size, np.int8)
    fast.transfer(key, numbers, debit, credit, amount, linked, result)
    return result


def first_failure(key: Int64, numbers: Int64, debit: Int64, credit: Int64, amount: Int64) -> int:
    """Return the index of the first transfer that fails when all are tried on a copy, or -1."""
    trial = numbers.copy()
    result = transfer(key, trial, debit, credit, amount, np.zeros(debit.size, np.bool_))
    failed = np.flatnonzero(result)
    return int(failed[0]) if failed.size else -1


def reserve(numbers: Int64, column: int, rows: Int64, amounts: Int64) -> Int8:
    """Move amounts of available balance into ``column`` (1 held, 2 pledged); one result code each."""
    fast = _compiled()
    result = np.zeros(rows.size, np.int8)
    if fast is not None:
        fast.reserve(numbers, column, rows, amounts, result)
        return result
    for i in range(rows.size):
        row, amount = int(rows[i]), int(amounts[i])
        balance, held, pledged, floor = (int(numbers[place, row]) for place in range(4))
        if amount <= 0:
            result[i] = NOT_POSITIVE
        elif balance - held - pledged - amount < floor:
            result[i] = INSUFFICIENT
        else:
            numbers[column, row] += amount
    return result


def free(numbers: Int64, column: int, rows: Int64, amounts: Int64) -> Int8:
    """Take amounts out of ``column`` (1 held, 2 pledged) again; one result code each."""
    fast = _compiled()
    result = np.zeros(rows.size, np.int8)
    if fast is not None:
        fast.free(numbers, column, rows, amounts, result)
        return result
    for i in range(rows.size):
        row, amount = int(rows[i]), int(amounts[i])
        if amount <= 0:
            result[i] = NOT_POSITIVE
        elif int(numbers[column, row]) < amount:
            result[i] = INSUFFICIENT
        else:
            numbers[column, row] -= amount
    return result
