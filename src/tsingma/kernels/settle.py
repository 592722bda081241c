"""Choosing which items settle together: first come first served, removal and search, in plain Python.

An item is one instruction, or several that settle together or not at all. It changes rows: accounts, and whatever else
may not end below zero (credit, links). Its changes are ``row[start[k]:start[k + 1]]`` and ``change[...]``, one a row;
those who take from a row are ``taker[first[a]:first[a + 1]]``, with what they take in ``taken``. Only the rows after
all have settled count. Each function keeps every row at or above zero at all times, in integers;
:mod:`tsingma.kernels.settle_compiled` compiles these very functions.
"""

from __future__ import annotations

import importlib.util
import math
from types import ModuleType
from typing import Any

import numpy as np

RANDOM_FACTOR, RANDOM_STEP, RANDOM_MASK = 25214903917, 11, (1 << 48) - 1
TRIES = 12
LEAVE_MAX = 6  # items that make room for one
WEIGHT_FLOOR, HARM = 0.02, 1.5


def functions() -> ModuleType | Any:
    """Return the compiled functions when numba is installed, else this module."""
    if importlib.util.find_spec("numba") is not None:
        from tsingma.kernels import settle_compiled

        return settle_compiled
    import sys

    return sys.modules[__name__]


def recycle(start, row, change, order, slack, settled):
    """Settle one by one in ``order``, and wake what waits on a row when it is credited; fills ``settled``.

    ``slack`` int64 [rows] holds what the rows have on entry and what is left on return.
    """
    size = start.size - 1
    head = np.full(slack.size, -1)  # chain of items that wait on a row
    next_waiting = np.full(size, -1)
    stack = np.zeros(size + 1, np.int64)
    for place in range(order.size):
        stack[0] = order[place]
        depth = 1
        while depth:
            depth -= 1
            k = stack[depth]
            short = -1
            for i in range(start[k], start[k + 1]):
                if change[i] < 0 and slack[row[i]] + change[i] < 0:
                    short = row[i]
                    break
            if short >= 0:
                next_waiting[k] = head[short]
                head[short] = k
                continue
            settled[k] = True
            _book(k, 1, start, row, change, slack)
            for i in range(start[k], start[k + 1]):
                if change[i] <= 0:
                    continue
                a = row[i]
                while head[a] >= 0:  # wake what waits on it
                    stack[depth] = head[a]
                    head[a] = next_waiting[head[a]]
                    depth += 1


def _book(k, sign, start, row, change, slack):
    """Settle an item (sign 1) on the rows, or take it back (-1)."""
    for i in range(start[k], start[k + 1]):
        slack[row[i]] += sign * change[i]


def remove(start, row, change, weight, first, taker, taken, slack, settled):
    """Take items out of a set that does not fit until every row is covered; what is left may settle at once.

    ``slack`` holds the rows after the set on entry, below zero where it is short. Returns whether every row could be
    covered.
    """
    rows = slack.size
    queue, queued = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
    count = 0
    for a in range(rows):
        if slack[a] < 0:
            queue[count] = a
            queued[a] = True
            count += 1
    while count:
        count -= 1
        a = queue[count]
        queued[a] = False
        while slack[a] < 0:
            k = _victim(a, start, row, change, weight, first, taker, taken, slack, settled)
            if k < 0:
                return False
            settled[k] = False
            _book(k, -1, start, row, change, slack)
            for i in range(start[k], start[k + 1]):
                touched = row[i]
                if change[i] > 0 and slack[touched] < 0 and not queued[touched] and touched != a:
                    queue[count] = touched
                    queued[touched] = True
                    count += 1
    return True


def _victim(a, start, row, change, weight, first, taker, taken, slack, settled):
    """Return what to take from a short row: most of its gap for the weight, least gaps opened elsewhere."""
    best, score = -1, -1.0
    for place in range(first[a], first[a + 1]):
        k = taker[place]
        if not settled[k]:
            continue
        covered = min(float(taken[place]), float(-slack[a])) / float(-slack[a])
        harm = 0.0
        for i in range(start[k], start[k + 1]):
            if change[i] > 0 and slack[row[i]] < change[i]:
                harm += 1.0 - max(float(slack[row[i]]), 0.0) / float(change[i])
        value = covered / ((WEIGHT_FLOOR + weight[k]) * (1.0 + HARM * harm))
        if value > score:
            best, score = k, value
    return best


def search(start, row, change, weight, first, taker, taken, slack, settled, steps, heat, cold, seed):
    """Improve a set that fits by simulated annealing over exchanges; ``settled`` becomes the best set found.

    A step takes a random item that waits; if it fits it enters; for each row that is short for it, one that takes from
    that row makes room, where those it gives to can spare it. Temperature falls from ``heat`` to ``cold``. Returns the
    weight of the best set.
    """
    size = start.size - 1
    waiting = np.flatnonzero(~settled)
    waiting = np.concatenate((waiting, np.zeros(size - waiting.size + LEAVE_MAX, waiting.dtype)))
    count = size - settled.sum()
    total = best_total = weight[settled].sum()
    best = settled.copy()
    leave, entering = np.zeros(LEAVE_MAX, np.int64), np.zeros(slack.size, np.int64)
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
        for i in range(start[k], start[k + 1]):
            entering[row[i]] = change[i]
        leaving, r = _exchange(k, start, row, change, first, taker, taken, slack, settled, leave, entering, r)
        for i in range(start[k], start[k + 1]):
            entering[row[i]] = 0
        if leaving < 0:
            continue
        gain = weight[k]
        for i in range(leaving):
            gain -= weight[leave[i]]
        if gain < 0:
            r = (r * RANDOM_FACTOR + RANDOM_STEP) & RANDOM_MASK
            if float(r) / float(RANDOM_MASK) >= math.exp(gain / heat):
                continue
            if improved:
                best[:] = settled
                improved = False
        count = _enter(hole, leaving, count, start, row, change, slack, settled, leave, waiting)
        total += gain
        if total > best_total + 1e-9:
            best_total, improved = total, True
    if not improved:
        settled[:] = best
    return best_total


def _enter(hole, leaving, count, start, row, change, slack, settled, leave, waiting):
    """Settle what waits at ``hole`` in place of those that leave; return how many wait then."""
    k = waiting[hole]
    for i in range(leaving):
        settled[leave[i]] = False
        _book(leave[i], -1, start, row, change, slack)
        waiting[hole if i == 0 else count + i - 1] = leave[i]
    if leaving == 0:
        waiting[hole] = waiting[count - 1]
    settled[k] = True
    _book(k, 1, start, row, change, slack)
    return count + leaving - 1


def _exchange(k, start, row, change, first, taker, taken, slack, settled, leave, entering, r):
    """Fill ``leave`` with who must leave for an item to enter; return how many, -1 when no room was found.

    ``entering`` int64 [rows] holds what the item changes.
    """
    leaving = 0
    for i in range(start[k], start[k + 1]):
        a = row[i]
        gap = -change[i] - slack[a]
        if change[i] >= 0 or gap <= 0:
            continue
        for one in range(leaving):
            gap += _on(a, leave[one], start, row, change)
        if gap <= 0:
            continue
        if leaving == LEAVE_MAX:
            return -1, r
        j, r = _room(a, gap, leaving, start, row, change, first, taker, taken, slack, settled, leave, entering, r)
        if j < 0:
            return -1, r
        leave[leaving] = j
        leaving += 1
    for one in range(leaving if leaving > 1 else 0):  # several leave: they may have given to the same row
        for i in range(start[leave[one]], start[leave[one] + 1]):
            if change[i] <= 0:
                continue
            given = change[i]
            for other in range(leaving):
                if other != one:
                    given += max(_on(row[i], leave[other], start, row, change), 0)
            if given > change[i] and slack[row[i]] + min(entering[row[i]], 0) < given:
                return -1, r
    return leaving, r


def _on(a, k, start, row, change):
    """Return what an item changes on a row."""
    for i in range(start[k], start[k + 1]):
        if row[i] == a:
            return change[i]
    return 0


def _room(a, gap, leaving, start, row, change, first, taker, taken, slack, settled, leave, entering, r):
    """Return one that settles from ``a``, frees ``gap`` and can be spared by whom it gives to; -1 after some tries."""
    length = first[a + 1] - first[a]
    for _ in range(TRIES):
        r = (r * RANDOM_FACTOR + RANDOM_STEP) & RANDOM_MASK
        place = first[a] + (r >> 16) % length
        j = taker[place]
        spared = settled[j] and taken[place] >= gap
        for one in range(leaving):
            spared = spared and leave[one] != j
        if not spared:
            continue
        for i in range(start[j], start[j + 1]):
            if change[i] > 0 and slack[row[i]] - change[i] + entering[row[i]] < 0:
                spared = False
                break
        if spared:
            return j, r
    return -1, r
