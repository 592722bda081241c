"""Queues of payments over accounts without overdraft: first come first served, pairs at one instant, offsetting.

A payment takes ``amount`` from the row ``debit`` and gives it to ``credit``; each row has one queue a priority, linked
through ``after`` and ``before``. ``pair`` names the other leg of a payment versus payment (-1: none): both settle in
the same turn or neither. ``needs`` has a bit for every system that must be open. ``slack`` is what each row has above
its floor, and never goes below zero. :mod:`tsingma.kernels.payments_compiled` compiles these very functions.

Order within a row: by priority, then by place in the queue. A payment overtakes only what could not settle whatever its
payer had: a leg whose system is closed or whose other leg is not ready, or a payment that its payer's limit holds.

A limit bounds what a row sends net to a payee, or to all payees without one of their own: ``sends`` is the limit a
payment counts against (-1: none), ``returns`` the payee's limit from which it takes off, ``used`` what each limit has
let out net and ``cap`` what it may. Payments settled at one instant count on their net.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tsingma.kernels.payment_limits import Queues, held, within

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEVELS = 3  # urgent, high, normal
QUEUED, SETTLED, CANCELLED = 0, 1, 2
IN_TURN, BILATERAL, MULTILATERAL = 1, 2, 3  # how a payment settled
PREFIX_MAX = 64  # payments of the other side that one bilateral attempt looks at
DEPTH, COUNT, TURN = 0, 1, 2  # places in ``mark``: rows on the stack, payments settled, instants used


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
            stopped = held(queues, k)
            if stopped or slack[row] < queues.amount[k]:
                if offset and _bilateral(queues, k, slack, opened, stack, listed, settled, mark):
                    k = _from_head(queues, row, 0)
                    continue
                if stopped:
                    k = following
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
        if not queues.needs[k] & ~opened and not held(queues, k):
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
    """Settle a payment that lacks money, or that a limit holds, with the first payments its payee owes its payer.

    Returns whether it did. What the payee's own limits hold for others is overtaken; its payments to the payer count.
    """
    row, other = queues.debit[k], queues.credit[k]
    if queues.pair[k] >= 0:
        return False
    owed, taken = 0, 0
    out, back = 0, 0  # what the payee sends under a limit of its own, and what comes off the payer's
    j = _from_head(queues, other, 0)
    while j >= 0 and taken < PREFIX_MAX:
        if not queues.needs[j] & ~opened:
            if queues.credit[j] != row and held(queues, j):
                j = _next(queues, j)
                continue
            if queues.pair[j] >= 0 or queues.credit[j] != row:
                return False
            owed += queues.amount[j]
            taken += 1
            if queues.cap.size:
                out += queues.amount[j] if queues.sends[j] >= 0 else 0
                back += queues.amount[j] if queues.returns[j] >= 0 else 0
            if slack[other] + queues.amount[k] < owed:
                return False
            if slack[row] + owed >= queues.amount[k] and within(queues, k, j, out, back):
                break
        j = _next(queues, j)
    if j < 0 or taken == 0 or slack[row] + owed < queues.amount[k]:
        return False
    mark[TURN] += 1
    _settle(queues, k, BILATERAL, slack, stack, listed, settled, mark)
    j = _from_head(queues, other, 0)
    while taken:
        following = _next(queues, j)
        if not queues.needs[j] & ~opened and queues.credit[j] == row:
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
    short, its last payment leaves, and so does the last of a limit that is passed. Without pairs and limits each
    departure is forced, so the set is the largest there is. Returns how many settled.
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
    passed = True
    while passed:
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
        passed = _limits_passed(queues, inside, end, stack, listed, mark)
    return _settle_inside(queues, inside, slack, stack, listed, settled, mark)


def _limits_passed(queues: Queues, inside: Bools, end: Int64, stack: Int64, listed: Bools, mark: Int64) -> bool:
    """Take the last payments out of the set by which limits are passed; returns whether there were any."""
    if not queues.cap.size:
        return False
    used = queues.used.copy()
    for k in range(inside.size):
        if inside[k]:
            if queues.sends[k] >= 0:
                used[queues.sends[k]] += queues.amount[k]
            if queues.returns[k] >= 0:
                used[queues.returns[k]] -= queues.amount[k]
    found = False
    for limit in range(queues.cap.size):
        k = _from_tail(queues, queues.owner[limit], LEVELS - 1)
        while used[limit] > queues.cap[limit] and k >= 0:
            if inside[k] and queues.sends[k] == limit:
                _leave(queues, k, inside, end, stack, listed, mark)
                used[limit] -= queues.amount[k]
                if queues.returns[k] >= 0:
                    used[queues.returns[k]] += queues.amount[k]
                found = True
            k = _previous(queues, k)
    return found


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
    if queues.cap.size:
        if queues.sends[k] >= 0:
            queues.used[queues.sends[k]] += queues.amount[k]
        if queues.returns[k] >= 0:
            queues.used[queues.returns[k]] -= queues.amount[k]
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
