"""Choosing which instructions settle together: first come first served, removal and search, in plain Python.

Every instruction takes ``quantity`` from a stock account and ``cash`` from a money account (-1: none) and gives them
to two others. Only the balances after all have settled count. Each function keeps every balance at or above zero at
all times, in integers; :mod:`tsingma.kernels.settle_compiled` compiles these very functions.
"""

from __future__ import annotations

import importlib.util
import math
from types import ModuleType
from typing import Any

import numpy as np

RANDOM_FACTOR, RANDOM_STEP, RANDOM_MASK = 25214903917, 11, (1 << 48) - 1
TRIES = 12
WEIGHT_FLOOR, HARM = 0.02, 1.5


def functions() -> ModuleType | Any:
    """Return the compiled functions when numba is installed, else this module."""
    if importlib.util.find_spec("numba") is not None:
        from tsingma.kernels import settle_compiled

        return settle_compiled
    import sys

    return sys.modules[__name__]


def recycle(out_stock, in_stock, out_cash, in_cash, quantity, cash, order, slack, settled):
    """Settle one by one in ``order``, and wake what waits on an account when it is credited; fills ``settled``.

    ``slack`` int64 [accounts] holds balances on entry and what is left on return.
    """
    size = quantity.size
    head = np.full(slack.size, -1)  # chain of instructions that wait on an account
    next_waiting = np.full(size, -1)
    stack = np.zeros(size + 1, np.int64)
    for first in range(order.size):
        stack[0] = order[first]
        depth = 1
        while depth:
            depth -= 1
            k = stack[depth]
            stock, money = out_stock[k], out_cash[k]
            short = -1
            if slack[stock] < quantity[k]:
                short = stock
            elif money >= 0 and slack[money] < cash[k]:
                short = money
            if short >= 0:
                next_waiting[k] = head[short]
                head[short] = k
                continue
            settled[k] = True
            _book(k, 1, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack)
            depth = _wake(in_stock[k], head, next_waiting, stack, depth)
            if money >= 0:
                depth = _wake(in_cash[k], head, next_waiting, stack, depth)


def _wake(account, head, next_waiting, stack, depth):
    """Move everything that waits on an account to the stack; return its new depth."""
    while head[account] >= 0:
        k = head[account]
        head[account] = next_waiting[k]
        stack[depth] = k
        depth += 1
    return depth


def _book(k, sign, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack):
    """Settle an instruction (sign 1) on the balances, or take it back (-1)."""
    slack[out_stock[k]] -= sign * quantity[k]
    slack[in_stock[k]] += sign * quantity[k]
    if out_cash[k] >= 0:
        slack[out_cash[k]] -= sign * cash[k]
        slack[in_cash[k]] += sign * cash[k]


def remove(out_stock, in_stock, out_cash, in_cash, quantity, cash, weight, start, items, slack, settled):
    """Take instructions out of a set that does not fit until every account is covered; what is left may settle at once.

    ``slack`` holds end balances of the set on entry, below zero where it is short. An account's instructions are
    ``items[start[a]:start[a + 1]]``. Returns whether every account could be covered.
    """
    accounts = slack.size
    queue, queued = np.zeros(accounts, np.int64), np.zeros(accounts, np.bool_)
    count = 0
    for a in range(accounts):
        if slack[a] < 0:
            queue[count] = a
            queued[a] = True
            count += 1
    while count:
        count -= 1
        a = queue[count]
        queued[a] = False
        while slack[a] < 0:
            k = _victim(a, out_stock, in_stock, out_cash, in_cash, quantity, cash, weight, start, items, slack, settled)
            if k < 0:
                return False
            settled[k] = False
            _book(k, -1, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack)
            for leg in range(2):
                touched = in_stock[k] if leg == 0 else in_cash[k]
                if touched >= 0 and slack[touched] < 0 and not queued[touched] and touched != a:
                    queue[count] = touched
                    queued[touched] = True
                    count += 1
    return True


def _victim(a, out_stock, in_stock, out_cash, in_cash, quantity, cash, weight, start, items, slack, settled):
    """Return what to take from a short account: most of its gap for the weight, least gaps opened elsewhere."""
    best, score = -1, -1.0
    for i in range(start[a], start[a + 1]):
        k = items[i]
        if not settled[k]:
            continue
        amount = quantity[k] if out_stock[k] == a else cash[k]
        covered = min(float(amount), float(-slack[a])) / float(-slack[a])
        harm = 0.0
        if slack[in_stock[k]] < quantity[k]:
            harm += 1.0 - max(float(slack[in_stock[k]]), 0.0) / float(quantity[k])
        if out_cash[k] >= 0 and slack[in_cash[k]] < cash[k]:
            harm += 1.0 - max(float(slack[in_cash[k]]), 0.0) / float(cash[k])
        value = covered / ((WEIGHT_FLOOR + weight[k]) * (1.0 + HARM * harm))
        if value > score:
            best, score = k, value
    return best


def search(out_stock, in_stock, out_cash, in_cash, quantity, cash, weight, start, items, slack, settled, steps, heat,
           cold, seed):  # fmt: skip
    """Improve a set that fits by simulated annealing over exchanges; ``settled`` becomes the best set found.

    A step takes a random instruction that waits; if it fits it enters; if an account is short for it, one that settles
    from that account makes room, where its own takers can spare it. Temperature falls from ``heat`` to ``cold``.
    Returns the weight of the best set.
    """
    size = quantity.size
    waiting = np.flatnonzero(~settled)
    waiting = np.concatenate((waiting, np.zeros(size - waiting.size, waiting.dtype)))
    count = size - settled.sum()
    total = best_total = weight[settled].sum()
    best = settled.copy()
    improved = False  # the set is better than ``best`` and not yet kept
    r = (seed * 2654435761 + 12345) & RANDOM_MASK
    decay = math.exp(math.log(cold / heat) / max(steps // 1024, 1))
    for step in range(steps):
        if step & 1023 == 0:
            heat *= decay
        if count == 0:
            break
        r = (r * RANDOM_FACTOR + RANDOM_STEP) & RANDOM_MASK
        hole = (r >> 16) % count
        k = waiting[hole]
        first, second, r = _exchange(
            k, out_stock, in_stock, out_cash, in_cash, quantity, cash, start, items, slack, settled, r
        )  # fmt: skip
        if first == -2:
            continue
        change = weight[k] - (weight[first] if first >= 0 else 0.0) - (weight[second] if second >= 0 else 0.0)
        if change < 0:
            r = (r * RANDOM_FACTOR + RANDOM_STEP) & RANDOM_MASK
            if float(r) / float(RANDOM_MASK) >= math.exp(change / heat):
                continue
            if improved:
                best[:] = settled
                improved = False
        if first >= 0:
            settled[first] = False
            _book(first, -1, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack)
            waiting[hole] = first
        else:
            count -= 1
            waiting[hole] = waiting[count]
        if second >= 0:
            settled[second] = False
            _book(second, -1, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack)
            waiting[count] = second
            count += 1
        settled[k] = True
        _book(k, 1, out_stock, in_stock, out_cash, in_cash, quantity, cash, slack)
        total += change
        if total > best_total + 1e-9:
            best_total, improved = total, True
    if not improved:
        settled[:] = best
    return best_total


def _exchange(k, out_stock, in_stock, out_cash, in_cash, quantity, cash, start, items, slack, settled, r):
    """Return who must leave for an instruction to enter (-1: nobody), or (-2, -2) when no room was found."""
    stock, money = out_stock[k], out_cash[k]
    first = second = -1
    if slack[stock] < quantity[k]:
        gap = quantity[k] - slack[stock]
        first, r = _room(stock, gap, k, -1, out_stock, in_stock, out_cash, in_cash, quantity, cash, start, items,
                         slack, settled, r)  # fmt: skip
        if first < 0:
            return -2, -2, r
    if money >= 0:
        gap = cash[k] - slack[money]
        if first >= 0 and out_cash[first] == money:
            gap -= cash[first]
        if gap > 0:
            second, r = _room(money, gap, k, first, out_stock, in_stock, out_cash, in_cash, quantity, cash, start,
                              items, slack, settled, r)  # fmt: skip
            if second < 0:
                return -2, -2, r
    if first >= 0 and second >= 0:  # two leave: their takers may be the same account
        if in_stock[first] == in_stock[second] and slack[in_stock[first]] < quantity[first] + quantity[second]:
            return -2, -2, r
        both = out_cash[first] >= 0 and out_cash[second] >= 0 and in_cash[first] == in_cash[second]
        if both and slack[in_cash[first]] < cash[first] + cash[second]:
            return -2, -2, r
    return first, second, r


def _room(a, gap, k, other, out_stock, in_stock, out_cash, in_cash, quantity, cash, start, items, slack, settled, r):
    """Return one that settles from ``a``, frees ``gap`` and can be spared by its takers; -1 after some tries."""
    stock, money, length = out_stock[k], out_cash[k], start[a + 1] - start[a]
    for _ in range(TRIES):
        r = (r * RANDOM_FACTOR + RANDOM_STEP) & RANDOM_MASK
        j = items[start[a] + (r >> 16) % length]
        if not settled[j] or j == other or (quantity[j] if out_stock[j] == a else cash[j]) < gap:
            continue
        spare = slack[in_stock[j]] - quantity[j]
        if in_stock[j] == in_stock[k]:
            spare += quantity[k]
        if spare < 0 or in_stock[j] == stock:
            continue
        if out_cash[j] >= 0:
            spare = slack[in_cash[j]] - cash[j]
            if in_cash[j] == in_cash[k]:
                spare += cash[k]
            if spare < 0 or in_cash[j] == money:
                continue
        return j, r
    return -1, r
