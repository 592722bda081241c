"""Compiled twin of ``postings``: same codes, same order, same books."""

from __future__ import annotations

import numba

_BALANCE_MAX = 2**62


@numba.njit("i8(i8[::1],i8[:,::1],i8,i8,i8)", cache=True)
def _check(key, numbers, debit, credit, amount):  # type: ignore[no-untyped-def]
    if amount <= 0:
        return 4
    if debit == credit:
        return 5
    if (key[debit] ^ key[credit]) & 0xFFFFFFFF:
        return 3
    balance = numbers[0, debit]
    free = balance - numbers[1, debit] - numbers[2, debit]
    if amount > _BALANCE_MAX and free < 0:  # free - amount would not fit 64 bits; it is below any floor
        return 1
    if free - amount < numbers[3, debit]:
        return 1
    if numbers[0, credit] > _BALANCE_MAX - amount or balance - amount < -_BALANCE_MAX:
        return 2
    return 0


# Without the interpreter's lock: whoever may read the same rows meanwhile is kept away by other means (``two_houses``).
@numba.njit("void(i8[::1],i8[:,::1],i8[:],i8[:],i8[:],b1[:],i1[::1])", cache=True, nogil=True)
def transfer(key, numbers, debit, credit, amount, linked, result):  # type: ignore[no-untyped-def]
    """Carry out transfers in order and write one result code each."""
    count = debit.size
    start = 0
    while start < count:
        stop = start
        while stop < count - 1 and linked[stop]:
            stop += 1
        failed = -1
        for i in range(start, stop + 1):
            code = _check(key, numbers, debit[i], credit[i], amount[i])
            if code:
                failed = i
                for j in range(start, stop + 1):
                    result[j] = 6
                result[i] = code
                break
            numbers[0, debit[i]] -= amount[i]
            numbers[0, credit[i]] += amount[i]
        for i in range(failed - 1, start - 1, -1):
            numbers[0, debit[i]] += amount[i]
            numbers[0, credit[i]] -= amount[i]
        start = stop + 1


@numba.njit("void(i8[:,::1],i8,i8[:],i8[:],i1[::1])", cache=True)
def reserve(numbers, column, rows, amounts, result):  # type: ignore[no-untyped-def]
    """Move amounts of available balance into a column and write one result code each."""
    for i in range(rows.size):
        row = rows[i]
        if amounts[i] <= 0:
            result[i] = 4
        elif numbers[0, row] - numbers[1, row] - numbers[2, row] - numbers[3, row] < amounts[i]:
            result[i] = 1
        else:
            numbers[column, row] += amounts[i]


@numba.njit("void(i8[:,::1],i8,i8[:],i8[:],i1[::1])", cache=True)
def free(numbers, column, rows, amounts, result):  # type: ignore[no-untyped-def]
    """Take amounts out of a column again and write one result code each."""
    for i in range(rows.size):
        row = rows[i]
        if amounts[i] <= 0:
            result[i] = 4
        elif numbers[column, row] < amounts[i]:
            result[i] = 1
        else:
            numbers[column, row] -= amounts[i]
