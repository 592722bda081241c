"""What the payment queues are made of, and what a payer's limits hold back: plain functions that the queues compile."""

from __future__ import annotations

from typing import Any, NamedTuple


class Queues(NamedTuple):
    """Columns of payments; for each row and priority the first and the last of its queue (-1: none).

    ``low`` is the least that ``slack`` of each row was at any instant. ``owner`` is the row of each limit; without any
    ``cap`` is empty and ``sends`` and ``returns`` are not read.
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
    sends: Any
    returns: Any
    used: Any
    cap: Any
    owner: Any


def held(queues: Queues, k: int) -> bool:
    """Return whether a limit of its payer holds a payment back by itself."""
    if not queues.cap.size or queues.sends[k] < 0:
        return False
    limit = queues.sends[k]
    return bool(queues.used[limit] + queues.amount[k] > queues.cap[limit])


def within(queues: Queues, k: int, j: int, out: int, back: int) -> bool:
    """Return whether a payment and what comes back for it, ``j`` the last of it, stay within both payers' limits."""
    if not queues.cap.size:
        return True
    ours, theirs = queues.sends[k], queues.sends[j]
    if ours >= 0 and queues.used[ours] + queues.amount[k] - back > queues.cap[ours]:
        return False
    came = queues.amount[k] if queues.returns[k] >= 0 else 0
    return theirs < 0 or bool(queues.used[theirs] + out - came <= queues.cap[theirs])
