"""What is pending in one security, read from clearing and settlement for the rules of custody: nothing is changed.

Net positions of the central counterparty carry no trade date; the day on which they are due gives it, since every
market has one settlement cycle. Instructions have the trade date of their orders; what was sent without one counts as
traded one cycle before its intended day.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.custody.events.claims import OPT_OUT, Pending
from tsingma.engine.cycle import settlement_days_before
from tsingma.engine.house import House
from tsingma.reference.calendars import LAST_DAY
from tsingma.reference.markets import MarketRule
from tsingma.settlement.instruction import CANCELLED, DVD, DVP, DWP, FOP, SETTLED

Int64 = npt.NDArray[np.int64]

_DELIVERIES = (DVP, FOP, DWP, DVD)


def market_of(house: House, security: int) -> MarketRule:
    """Return the rule in force of the market of a security's settlement counter."""
    book = house.resolved
    number = int(book.counter_market[book.settlement_counter[security]])
    return book.markets.on(to_date(house.position.day))[number]


def trade_day_of(due_day: int, market: MarketRule) -> int:
    """Return the trade date of what a market has due on a day (0 before the calendar).

    What is due after the calendar's last day was traded on its last days at the earliest, which no event is after.
    """
    known = min(due_day, to_day(LAST_DAY))
    return settlement_days_before(known, market.stock_days) if market.stock_days else due_day


def stock_day_of(house: House, trade_day: int, market: MarketRule) -> int:
    """Return the day on which stock traded on a day is due."""
    return to_day(house.resolved.markets.due(market, to_date(trade_day))[0])


def settled_balances(house: House, security: int) -> dict[int, int]:
    """Return what accounts hold of a security (on hold, pledged and reserved included), without the issuer."""
    ledger = house.ledger
    rows = np.flatnonzero((ledger.asset == security + len(CURRENCIES)) & (ledger.owner != house.internal.issuer))
    held = {int(ledger.owner[row]): int(ledger.balance[row]) for row in rows.tolist()}
    return {account: units for account, units in held.items() if units}


def net_pending(house: House, security: int, ex_day: int) -> dict[int, int]:
    """Return net positions of the central counterparty traded before the ex-date: to receive +, to deliver -."""
    positions = house.settlement.positions
    line = np.flatnonzero((positions.security == security) & (positions.open != 0))
    total = dict(zip(positions.account[line].tolist(), positions.open[line].tolist(), strict=True))
    market = market_of(house, security)
    for day in house.obligations.days:
        if trade_day_of(day, market) >= ex_day:
            continue
        due = house.obligations.due(day)
        here = house.resolved.counter_security[due.counter] == security
        for account, units in zip(due.account[here].tolist(), due.quantity[here].tolist(), strict=True):
            total[account] = total.get(account, 0) + units
    return {account: units for account, units in sorted(total.items()) if units}


def deliveries(house: House, security: int, announced_day: int, first: int = 0) -> Iterator[Pending]:
    """Return instructions from number ``first`` on that deliver a security: what is open, and what settled lately.

    A part that settled and a part that is open are told apart. Settled since ``announced_day`` is lately.
    """
    table = house.settlement.instructions.table
    chosen = (table["security"] == security) & np.isin(table["kind"], _DELIVERIES) & (table["status"] != CANCELLED)
    chosen &= (table["status"] != SETTLED) | (table["settled_day"] >= announced_day)
    market = market_of(house, security)
    for number in np.flatnonzero(chosen[first:]).tolist():
        row = {name: int(table[name][first + number]) for name in _READ}
        traded, conditions = _order_facts(house, row, market)
        done = row["quantity"] - row["open_quantity"]
        parts = ((row["open_quantity"], False), (done if row["settled_day"] >= announced_day else 0, True))
        for quantity, settled in parts:
            if quantity and not (row["status"] == SETTLED and not settled):
                yield Pending(first + number, row["deliverer"], row["receiver"], quantity, traded, conditions, settled)


def open_deliveries(house: House, security: int, first: int = 0, traded_before: int = 0) -> Int64:
    """Return the numbers, from ``first`` on, of open instructions that deliver a security, opt-outs left out.

    With ``traded_before`` only those whose orders say that they were traded before that day.
    """
    table, orders = house.settlement.instructions.table, house.settlement.orders.table
    chosen = (table["asset"] == security + len(CURRENCIES)) & ~np.isin(table["status"], (CANCELLED, SETTLED))
    chosen[:first] = False
    found = []
    for number in np.flatnonzero(chosen).tolist():
        sent = [int(table[side][number]) for side in _ORDERS if table[side][number] >= 0]
        opted_out = any(int(orders["conditions"][one]) & OPT_OUT for one in sent)
        in_time = not traded_before or any(int(orders["trade_day"][one]) < traded_before for one in sent)
        if in_time and not opted_out:
            found.append(number)
    return np.array(found, np.int64)


def late_deliveries(house: House, security: int, record_day: int) -> list[tuple[int, int, int]]:
    """Return (deliverer, receiver, units) of matched instructions that should have settled by the record day.

    The receiver is entitled to the income of what it does not have yet. Source: T2S corporate actions standards, market
    claims 3 (matched instructions with an intended settlement date up to the record date, open at its close); an
    opt-out on either order leaves it alone.
    """
    table = house.settlement.instructions.table
    market = market_of(house, security)
    chosen = (
        (table["security"] == security) & np.isin(table["kind"], _DELIVERIES) & (table["intended_day"] <= record_day)
    )
    found = []
    for number in np.flatnonzero(chosen & ~np.isin(table["status"], (CANCELLED, SETTLED))).tolist():
        row = {name: int(table[name][number]) for name in _READ}
        if row["open_quantity"] and not _order_facts(house, row, market)[1] & OPT_OUT:
            found.append((row["deliverer"], row["receiver"], row["open_quantity"]))
    return found


def late_positions(house: House, security: int) -> list[tuple[int, int, int]]:
    """Return (deliverer, receiver, units) of net positions that are due and open, shorts paired with longs by account.

    Each pair pays on one amount, so that the central counterparty between them stays flat to the cent. What is due
    later carries no claim.
    """
    positions = house.settlement.positions
    line = np.flatnonzero((positions.security == security) & (positions.open != 0))
    order = line[np.argsort(positions.account[line], kind="stable")]
    rows = [(int(positions.account[row]), int(positions.open[row])) for row in order.tolist()]
    longs, found = [[account, units] for account, units in rows if units > 0], []
    for giver, units in ((account, -units) for account, units in rows if units < 0):
        while units and longs:
            part = min(units, longs[0][1])
            found.append((giver, longs[0][0], part))
            units, longs[0][1] = units - part, longs[0][1] - part
            if not longs[0][1]:
                del longs[0]
    return found


_READ = ("deliverer", "receiver", "quantity", "open_quantity", "settled_day", "status", "intended_day",
         "deliverer_order", "receiver_order")  # fmt: skip
_ORDERS = ("deliverer_order", "receiver_order")


def _order_facts(house: House, row: dict[str, int], market: MarketRule) -> tuple[int, int]:
    """Return trade date and conditions: both are matching fields, so either side's order has them."""
    orders = house.settlement.orders.table
    for side in _ORDERS:
        if row[side] >= 0:
            return int(orders["trade_day"][row[side]]), int(orders["conditions"][row[side]])
    return trade_day_of(row["intended_day"], market), 0
