"""Orders of a link against its quota and the morning's holdings, one after the other, in integers.

The function is written for plain Python and compiled as it stands (``link_orders_compiled``), so the two answer alike.
A message is a new order (buy, sell), an execution, a cancellation or a rejection by the market; each is judged by what
stood before it. Amounts are ten-thousandths of the currency (quantity x price_e4) and exact.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

# What a message is.
BUY, SELL, EXECUTION, CANCEL, REJECTION = 0, 1, 2, 3, 4

# What became of an order.
OPEN, FILLED, CANCELLED, REJECTED, REFUSED, LAPSED = 0, 1, 2, 3, 4, 5

# How a message is answered; codes from FIRST_FAULT on are found before the kernel runs.
ACCEPTED, QUOTA_USED, QUOTA_CLOSED, ABOVE_SNAPSHOT, NOT_OPEN, NO_CANCEL, ABOVE_OPEN, OUTSIDE_LIMIT, NOT_IN_TURN = (
    0, 1, 2, 3, 4, 5, 6, 7, 8,
)  # fmt: skip
FIRST_FAULT = 9

# What happens to buys at zero, session by session: wait until it is positive again, none for the rest of the day, or
# none that does not fit into what is left.
WAITS, CLOSES, MUST_FIT = 0, 1, 2

# Places in ``totals``.
BALANCE, BUY_ORDERS, SELL_TRADES, ADJUSTMENTS, BUY_TRADES, CLOSED, ORDERS = 0, 1, 2, 3, 4, 5, 6
TOTALS = 7

COMPILED_FROM_MESSAGES = 256


def functions(size: int) -> ModuleType | Any:
    """Return the compiled function when numba is there and the batch is worth it, else this module."""
    if size >= COMPILED_FROM_MESSAGES and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels import link_orders_compiled

        return link_orders_compiled
    import sys

    return sys.modules[__name__]


def route(
    kind: Any, order: Any, quantity: Any, price: Any, holding: Any, fault: Any, zero: Any, cancels: Any,
    has_quota: bool, checks: bool, side: Any, status: Any, left: Any, limit: Any, row: Any, sellable: Any,
    totals: Any, result: Any,
) -> None:  # fmt: skip
    """Judge messages in order; fills ``result`` and changes the order columns, ``sellable`` and ``totals`` in place.

    Message columns [n]: ``kind``, ``order`` (number of the day), ``quantity``, ``price`` (e4), ``holding`` (place in
    ``sellable`` or -1), ``fault`` (a code found before, or 0), ``zero`` (what happens at zero in its session),
    ``cancels`` (the session takes cancellations). ``checks``: sells are held against ``sellable``. Order columns
    [orders + new orders]: ``side``, ``status``, ``left`` (open quantity), ``limit`` (e4), ``row`` (its holding).
    """
    for i in range(kind.size):
        if has_quota and zero[i] == CLOSES and totals[BALANCE] <= 0:
            totals[CLOSED] = 1
        k = order[i]
        if kind[i] <= SELL:
            if k != totals[ORDERS]:
                result[i] = NOT_IN_TURN
                continue
            totals[ORDERS] += 1
            code = fault[i]
            if code == ACCEPTED and kind[i] == BUY:
                code = _buy(quantity[i] * price[i], zero[i], has_quota, totals)
            elif code == ACCEPTED and checks:
                code = _sell(quantity[i], holding[i], sellable)
            side[k], limit[k], row[k] = kind[i], price[i], holding[i]
            status[k], left[k] = (OPEN, quantity[i]) if code == ACCEPTED else (REFUSED, 0)
            result[i] = code
        elif k < 0 or k >= totals[ORDERS] or status[k] != OPEN:
            result[i] = NOT_OPEN
        elif fault[i] != ACCEPTED:
            result[i] = fault[i]
        elif kind[i] == EXECUTION:
            result[i] = _execute(k, quantity[i], price[i], side, left, limit, totals)
            if left[k] == 0:
                status[k] = FILLED
        elif kind[i] == CANCEL and not cancels[i]:
            result[i] = NO_CANCEL
        else:
            _give_back(k, checks, side, left, limit, row, sellable, totals)
            status[k] = CANCELLED if kind[i] == CANCEL else REJECTED


def lapse(checks: bool, side: Any, status: Any, left: Any, limit: Any, row: Any, sellable: Any, totals: Any) -> None:
    """End the day: what is still open lapses, buys give their quota back."""
    for k in range(totals[ORDERS]):
        if status[k] == OPEN:
            _give_back(k, checks, side, left, limit, row, sellable, totals)
            status[k] = LAPSED


def _buy(value: Any, zero: Any, has_quota: bool, totals: Any) -> Any:
    """Take a buy order's value from the balance, or return why not; a last order may take the balance below zero."""
    if has_quota and totals[CLOSED] != 0:
        return QUOTA_CLOSED
    if has_quota and (totals[BALANCE] <= 0 or (zero == MUST_FIT and value > totals[BALANCE])):
        return QUOTA_USED
    totals[BALANCE] -= value
    totals[BUY_ORDERS] += value
    if has_quota and zero == CLOSES and totals[BALANCE] <= 0:
        totals[CLOSED] = 1
    return ACCEPTED


def _sell(quantity: Any, holding: Any, sellable: Any) -> Any:
    """Take a sell order's quantity from what was held before the open."""
    if holding < 0 or sellable[holding] < quantity:
        return ABOVE_SNAPSHOT
    sellable[holding] -= quantity
    return ACCEPTED


def _execute(k: Any, quantity: Any, price: Any, side: Any, left: Any, limit: Any, totals: Any) -> Any:
    """Book a trade of an open order: a buy gives back what it cost less than its limit, a sell adds to the balance."""
    if quantity > left[k]:
        return ABOVE_OPEN
    value = quantity * price
    if side[k] == BUY:
        better = quantity * limit[k] - value
        if better < 0:
            return OUTSIDE_LIMIT
        totals[ADJUSTMENTS] += better
        totals[BALANCE] += better
        totals[BUY_TRADES] += value
    else:
        if price < limit[k]:
            return OUTSIDE_LIMIT
        totals[SELL_TRADES] += value
        totals[BALANCE] += value
    left[k] -= quantity
    return ACCEPTED


def _give_back(
    k: Any, checks: bool, side: Any, left: Any, limit: Any, row: Any, sellable: Any, totals: Any
) -> None:  # fmt: skip
    """Return what is open of an order: its quota, or its holding."""
    if side[k] == BUY:
        totals[ADJUSTMENTS] += left[k] * limit[k]
        totals[BALANCE] += left[k] * limit[k]
    elif checks:
        sellable[row[k]] += left[k]
    left[k] = 0
