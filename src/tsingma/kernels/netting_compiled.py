"""Compiled twin of ``netting``: legs are scattered by account first, so that each account's sums stay in cache."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True)
def _scatter(account, counter, quantity, amount, accounts):  # type: ignore[no-untyped-def]
    start = np.zeros(accounts + 1, np.int64)
    for i in range(account.size):
        start[account[i] + 1] += 1
    for a in range(accounts):
        start[a + 1] += start[a]
    cursor = start[:-1].copy()
    lines = np.empty(account.size, np.int32)
    values = np.empty((account.size, 2), np.int64)
    for i in range(account.size):
        place = cursor[account[i]]
        cursor[account[i]] = place + 1
        lines[place] = counter[i]
        values[place, 0] = quantity[i]
        values[place, 1] = amount[i]
    return start, lines, values


@numba.njit(cache=True)
def _sum(start, lines, values, accounts, counters):  # type: ignore[no-untyped-def]
    used = np.zeros(accounts, np.int64)
    seen = np.full(counters, -1, np.int64)
    for a in range(accounts):
        for i in range(start[a], start[a + 1]):
            if seen[lines[i]] != a:
                seen[lines[i]] = a
                used[a] += 1
    total = used.sum()
    owner = np.empty(total, np.int32)
    line = np.empty(total, np.int32)
    net = np.empty((3, total), np.int64)
    sums = np.zeros((counters, 3), np.int64)
    out = 0
    for a in range(accounts):
        if used[a] == 0:
            continue
        touched = np.empty(used[a], np.int32)
        count = 0
        for i in range(start[a], start[a + 1]):
            c = lines[i]
            if sums[c, 2] == 0:
                touched[count] = c
                count += 1
            sums[c, 0] += values[i, 0]
            sums[c, 1] += values[i, 1]
            sums[c, 2] += 1
        touched.sort()
        for c in touched:
            owner[out] = a
            line[out] = c
            for k in range(3):
                net[k, out] = sums[c, k]
                sums[c, k] = 0
            out += 1
    return owner, line, net


def net_legs(account: Any, counter: Any, quantity: Any, amount: Any, accounts: int, counters: int) -> Any:
    """Return (account, counter, net quantity, net amount, legs) by key, sorted by account, then counter."""
    start, lines, values = _scatter(account, counter, quantity, amount, accounts)
    owner, line, net = _sum(start, lines, values, accounts, counters)
    return owner, line, net[0], net[1], net[2]
