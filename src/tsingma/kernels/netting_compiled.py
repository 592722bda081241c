"""Compiled twin of ``netting``: legs are scattered by account, then summed where an account's sums fit in cache.

Work is cut into as many blocks as there are threads. The answer does not depend on how many: integer sums commute,
and the result is sorted.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, parallel=True)
def _scatter(account, counter, quantity, amount, accounts, blocks):  # type: ignore[no-untyped-def]
    """Order legs by account; returns where each account starts, and the legs' counters and values in that order."""
    size = account.size
    counts = np.zeros((blocks, accounts), np.int64)
    for block in numba.prange(blocks):
        for i in range(size * block // blocks, size * (block + 1) // blocks):
            counts[block, account[i]] += 1
    start = np.zeros(accounts + 1, np.int64)
    cursor = np.empty((blocks, accounts), np.int64)
    place = 0
    for a in range(accounts):
        start[a] = place
        for block in range(blocks):
            cursor[block, a] = place
            place += counts[block, a]
    start[accounts] = place
    lines = np.empty(size, np.int32)
    values = np.empty((size, 2), np.int64)  # fresh memory is the larger cost: none is taken that is not needed
    for block in numba.prange(blocks):
        for i in range(size * block // blocks, size * (block + 1) // blocks):
            place = cursor[block, account[i]]
            cursor[block, account[i]] = place + 1
            lines[place] = counter[i]
            values[place, 0] = quantity[i]
            values[place, 1] = amount[i]
    return start, lines, values


@numba.njit(cache=True, parallel=True)
def _sum(start, lines, values, accounts, counters, blocks):  # type: ignore[no-untyped-def]
    """Replace each account's legs by its sums, in place: it never has more counters than legs."""
    used = np.zeros(accounts, np.int64)
    size = lines.size
    legs = np.empty(size, np.int64)  # touched only where there are sums
    for block in numba.prange(blocks):
        low = np.searchsorted(start[:accounts], size * block // blocks)
        high = accounts if block == blocks - 1 else np.searchsorted(start[:accounts], size * (block + 1) // blocks)
        sums = np.zeros((counters, 3), np.int64)
        for a in range(low, high):
            count = 0
            for i in range(start[a], start[a + 1]):
                c = lines[i]
                quantity, amount = values[i, 0], values[i, 1]
                if sums[c, 2] == 0:
                    lines[start[a] + count] = c
                    count += 1
                sums[c, 0] += quantity
                sums[c, 1] += amount
                sums[c, 2] += 1
            lines[start[a] : start[a] + count].sort()
            for k in range(start[a], start[a] + count):
                c = lines[k]
                values[k, 0] = sums[c, 0]
                values[k, 1] = sums[c, 1]
                legs[k] = sums[c, 2]
                sums[c, :] = 0
            used[a] = count
    return used, legs


@numba.njit(cache=True)
def _gather(start, used, lines, values, legs):  # type: ignore[no-untyped-def]
    total = used.sum()
    owner = np.empty(total, np.int32)
    line = np.empty(total, np.int32)
    net = np.empty((3, total), np.int64)
    out = 0
    for a in range(used.size):
        for k in range(start[a], start[a] + used[a]):
            owner[out] = a
            line[out] = lines[k]
            net[0, out] = values[k, 0]
            net[1, out] = values[k, 1]
            net[2, out] = legs[k]
            out += 1
    return owner, line, net


def net_legs(account: Any, counter: Any, quantity: Any, amount: Any, accounts: int, counters: int) -> Any:
    """Return (account, counter, net quantity, net amount, legs) by key, sorted by account, then counter."""
    blocks = numba.get_num_threads()
    start, lines, values = _scatter(account, counter, quantity, amount, accounts, blocks)
    used, legs = _sum(start, lines, values, accounts, counters, blocks)
    owner, line, net = _gather(start, used, lines, values, legs)
    return owner, line, net[0], net[1], net[2]
