"""Queues of payments over accounts without overdraft: first come first served, pairs at one instant, offsetting.

A payment takes ``amount`` from the row ``debit`` and gives it to ``credit``; each row has one queue a priority, linked
through ``after`` and ``before``. ``pair`` names the other leg of a payment versus payment (-1: none): both settle in
the same turn or neither. ``needs`` has a bit for every system that must be open. ``slack`` is what each row has above
its floor, and never goes below zero. :mod:`tsingma.kernels.payments_compiled` compiles these very functions.

Order within a row: by priority, then by place in the queue. A payment overtakes only what could not settle whatever its
payer had: a leg whose system is closed or whose other leg is not ready.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEVELS = 3  # urgent, high, normal
QUEUED, SETTLED, CANCELLED = 0, 1, 2
IN_TURN, BILATERAL, MULTILATERAL = 1, 2, 3  # how a payment settled
PREFIX_MAX = 64  # payments of the other side that one bilateral attempt looks at
DEPTH, COUNT, TURN = 0, 1, 2  # places in ``mark``: rows on the stack, payments settled, instants used


class Queues(NamedTuple):
    """Columns of payments; for each row and priority the first and the last of its queue (-1: none).

    ``low`` is the least that ``slack`` of each row was at any instant.
    """

    debit: Any
    credit: Any
    amount: Any
    priority: Any
    needs: Any
    pair: Any
    status: Any
    how: Any
    turn: Any
    after: Any
    before: Any
    head: Any
    tail: Any
    low: Any


def functions() -> ModuleType | Any:
    """Return the compiled functions when numba is installed, else this module."""
    if importlib.util.find_spec("numba") is not None:
        from tsingma.kernels import payments_compiled

        return payments_compiled
    import sys

    return sys.modules[__name__]


def enter(
    queues: Queues,
    first: int,
    stop: int,
    slack: Int64,
    opened: int,
    offset: bool,
    stack: Int64,
    listed: Bools,
    settled: Int64,
    mark: Int64,
) -> None:
    """Queue payments ``first`` to ``stop`` one by one and settle what each makes possible, in that order.

    The legs of a pair are neighbours. ``opened`` has the bits of the open systems, ``offset`` whether two banks may
    settle what they owe each other at one instant. ``settled`` receives payment numbers from ``mark[COUNT]`` on.
    """
    for k in range(first, stop):
        link(queues, k)
        if queues.pair[k] <= k:  # alone, or the second leg
            _push(queues.debit[k], stack, listed, mark)
            settle_rows(queues, slack, opened, offset, stack, listed, settled, mark)


def settle_rows(
    queues: Queues, slack: Int64, opened: int, offset: bool, stack: Int64, listed: Bools, settled: Int64, mark: Int64
) -> None:
    """Settle from the rows on the stack what can, in order, and from every row that this credits."""
    while mark[DEPTH]:
        mark[DEPTH] -= 1
        row = stack[mark[DEPTH]]
        listed[row] = False
        k = _from_head(queues, row, 0)
        while k >= 0:
            following = _next(queues, k)
            if queues.needs[k] & ~opened:
                k = following
                continue
            if slack[row] < queues.amount[k]:
                if offset and _bilateral(queues, k, slack, opened, stack, listed, settled, mark):
                    k = _from_head(queues, row, 0)
                    continue
                break
            other = queues.pair[k]
            if other < 0:
                mark[TURN] += 1
                _settle(queues, k, IN_TURN, slack, stack, listed, settled, mark)
            elif _ready(queues, other, slack, opened, listed):
                mark[TURN] += 1
                _settle(queues, k, IN_TURN, slack, stack, listed, settled, mark)
                _settle(queues, other, IN_TURN, slack, stack, listed, settled, mark)
                _push(queues.debit[other], stack, listed, mark)
            k = following


def _ready(queues: Queues, leg: int, slack: Int64, opened: int, listed: Bools) -> bool:
    """Return whether a leg could settle now: open, covered, and nothing before it waits for its payer's money.

    A row that is still on the stack is not settled as far as it goes: it finds the pair when its turn comes.
    """
    row = queues.debit[leg]
    if listed[row] or slack[row] < queues.amount[leg]:
        return False
    k = _from_head(queues, row, 0)
    while k >= 0:
        if not queues.needs[k] & ~opened:
            if slack[row] < queues.amount[k]:
                return False
            if k == leg:
                return True
            if queues.pair[k] < 0:
                return False
        elif k == leg:
            return False
        k = _next(queues, k)
    return False


def _bilateral(
    queues: Queues, k: int, slack: Int64, opened: int, stack: Int64, listed: Bools, settled: Int64, mark: Int64
) -> bool:
    """Settle a payment that lacks money with the first payments its payee owes its payer; returns whether it did."""
    row, other = queues.debit[k], queues.credit[k]
    if queues.pair[k] >= 0:
        return False
    owed, taken = 0, 0
    j = _from_head(queues, other, 0)
    while j >= 0 and taken < PREFIX_MAX:
        if not queues.needs[j] & ~opened:
            if queues.pair[j] >= 0 or queues.credit[j] != row:
                return False
            owed += queues.amount[j]
            taken += 1
            if slack[other] + queues.amount[k] < owed:
                return False
            if slack[row] + owed >= queues.amount[k]:
                break
        j = _next(queues, j)
    if j < 0 or taken == 0 or slack[row] + owed < queues.amount[k]:
        return False
    mark[TURN] += 1
    _settle(queues, k, BILATERAL, slack, stack, listed, settled, mark)
    j = _from_head(queues, other, 0)
    while taken:
        following = _next(queues, j)
        if not queues.needs[j] & ~opened:
            _settle(queues, j, BILATERAL, slack, stack, listed, settled, mark)
            taken -= 1
        j = following
    _note_low(queues, row, slack)
    _note_low(queues, other, slack)
    _push(row, stack, listed, mark)
    _push(other, stack, listed, mark)
    return True


def offset_all(
    queues: Queues,
    size: int,
    slack: Int64,
    opened: int,
    assets: int,
    of_row: Int64,
    stack: Int64,
    listed: Bools,
    settled: Int64,
    mark: Int64,
) -> int:
    """Settle at one instant the largest set of queued payments that leaves every row covered and every queue in order.

    All open payments of the chosen assets (bits; ``of_row`` has the bit of each row) start in the set; while a row is
    short, its last payment leaves. Without pairs each departure is forced, so the set is the largest there is. Returns
    how many settled.
    """
    inside = np.zeros(size, np.bool_)
    end = slack.copy()
    for k in range(size):
        if queues.status[k] == QUEUED and not queues.needs[k] & ~opened and of_row[queues.debit[k]] & assets:
            inside[k] = True
    for k in range(size):
        other = queues.pair[k]
        if inside[k] and other >= 0 and not inside[other]:  # only one asset of a pair was chosen, or is open
            inside[k] = False
        if inside[k]:
            end[queues.debit[k]] -= queues.amount[k]
            end[queues.credit[k]] += queues.amount[k]
    last = np.full(slack.size, -2)
    for row in range(slack.size):
        if end[row] < 0:
            _push(row, stack, listed, mark)
    while mark[DEPTH]:
        mark[DEPTH] -= 1
        row = stack[mark[DEPTH]]
        listed[row] = False
        k = _from_tail(queues, row, LEVELS - 1) if last[row] == -2 else last[row]
        while end[row] < 0 and k >= 0:
            if inside[k]:
                _leave(queues, k, inside, end, stack, listed, mark)
                if queues.pair[k] >= 0:
                    _leave(queues, queues.pair[k], inside, end, stack, listed, mark)
            k = _previous(queues, k)
        last[row] = k
    return _settle_inside(queues, inside, slack, stack, listed, settled, mark)


def _leave(queues: Queues, k: int, inside: Bools, end: Int64, stack: Int64, listed: Bools, mark: Int64) -> None:
    """Take a payment out of the set, and list its payee when that leaves it short."""
    inside[k] = False
    end[queues.debit[k]] += queues.amount[k]
    end[queues.credit[k]] -= queues.amount[k]
    if end[queues.credit[k]] < 0:
        _push(queues.credit[k], stack, listed, mark)


def _settle_inside(
    queues: Queues, inside: Bools, slack: Int64, stack: Int64, listed: Bools, settled: Int64, mark: Int64
) -> int:
    before = mark[COUNT]
    if inside.any():
        mark[TURN] += 1
    for k in range(inside.size):
        if inside[k]:
            _settle(queues, k, MULTILATERAL, slack, stack, listed, settled, mark)
            _push(queues.debit[k], stack, listed, mark)
    for row in range(slack.size):
        _note_low(queues, row, slack)
    return int(mark[COUNT] - before)


def _settle(
    queues: Queues, k: int, how: int, slack: Int64, stack: Int64, listed: Bools, settled: Int64, mark: Int64
) -> None:
    """Move the money of a payment in the turn under way and list its payee, which may now pay."""
    unlink(queues, k)
    queues.status[k] = SETTLED
    queues.how[k] = how
    queues.turn[k] = mark[TURN]
    slack[queues.debit[k]] -= queues.amount[k]
    slack[queues.credit[k]] += queues.amount[k]
    if how == IN_TURN:
        _note_low(queues, queues.debit[k], slack)
    settled[mark[COUNT]] = k
    mark[COUNT] += 1
    _push(queues.credit[k], stack, listed, mark)


def _note_low(queues: Queues, row: int, slack: Int64) -> None:
    """Keep the least that a row had after an instant."""
    queues.low[row] = min(queues.low[row], slack[row])


def _push(row: int, stack: Int64, listed: Bools, mark: Int64) -> None:
    if not listed[row]:
        listed[row] = True
        stack[mark[DEPTH]] = row
        mark[DEPTH] += 1


def link(queues: Queues, k: int) -> None:
    """Put a payment at the end of its queue."""
    place = queues.debit[k] * LEVELS + queues.priority[k]
    last = queues.tail[place]
    queues.before[k] = last
    queues.after[k] = -1
    queues.tail[place] = k
    if last >= 0:
        queues.after[last] = k
    else:
        queues.head[place] = k


def link_first(queues: Queues, k: int) -> None:
    """Put a payment at the head of its queue."""
    place = queues.debit[k] * LEVELS + queues.priority[k]
    first = queues.head[place]
    queues.after[k] = first
    queues.before[k] = -1
    queues.head[place] = k
    if first >= 0:
        queues.before[first] = k
    else:
        queues.tail[place] = k


def unlink(queues: Queues, k: int) -> None:
    """Take a payment out of its queue."""
    place = queues.debit[k] * LEVELS + queues.priority[k]
    before, after = queues.before[k], queues.after[k]
    if before >= 0:
        queues.after[before] = after
    else:
        queues.head[place] = after
    if after >= 0:
        queues.before[after] = before
    else:
        queues.tail[place] = before
    queues.before[k] = -1
    queues.after[k] = -1


def _from_head(queues: Queues, row: int, level: int) -> Any:
    """Return the first payment of a row from a priority on, or -1."""
    while level < LEVELS:
        k = queues.head[row * LEVELS + level]
        if k >= 0:
            return k
        level += 1
    return -1


def _from_tail(queues: Queues, row: int, level: int) -> Any:
    """Return the last payment of a row up to a priority, or -1."""
    while level >= 0:
        k = queues.tail[row * LEVELS + level]
        if k >= 0:
            return k
        level -= 1
    return -1


def _next(queues: Queues, k: int) -> Any:
    after = queues.after[k]
    return after if after >= 0 else _from_head(queues, queues.debit[k], queues.priority[k] + 1)


def _previous(queues: Queues, k: int) -> Any:
    before = queues.before[k]
    return before if before >= 0 else _from_tail(queues, queues.debit[k], queues.priority[k] - 1)
