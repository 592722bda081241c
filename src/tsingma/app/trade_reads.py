"""Trades of a day as their sides see them: each trade is two lines, the buyer's and the seller's.

After novation the counterparty of a netted trade is the house; of an isolated trade or one that settles against payment
in real time it is the other side. Money is in cents of the counter's currency.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.app.house_reads import of_participant
from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.clearing.trades import COLUMN_TYPES, MODE_CNS, Trades
from tsingma.engine.house import House
from tsingma.journal.carried_out import all_carried_out
from tsingma.journal.commands import CaptureTrades
from tsingma.journal.record import Record

MODES = ("netted", "isolated", "real-time-dvp")
HOUSE = "HKSCC"


class TradeSide(msgspec.Struct, frozen=True):
    """One side of a trade: ``price_e4`` is in ten-thousandths of the currency, ``amount_cents`` quantity x price."""

    trade: int
    date: str
    second: int
    counter: str
    side: str
    account: str
    counterparty: str
    quantity: int
    price_e4: int
    amount_cents: int
    mode: str


class TradeSides(msgspec.Struct, frozen=True):
    """A page of sides in the order in which trades came, the buyer's before the seller's; the cursor counts all."""

    items: list[TradeSide]
    next: int | None
    at: int


def trades_of_records(records: Sequence[Record]) -> Trades | None:
    """Return the trades that records brought, in their order; None for none."""
    told = (command for record in records for command in all_carried_out(record))
    commands = [command for command in told if isinstance(command, CaptureTrades)]
    if not commands:
        return None
    columns = {
        name: np.concatenate([unpack(getattr(command, name), kind) for command in commands])
        for name, kind in COLUMN_TYPES.items()
    }
    return Trades("", commands[0].trade_day, **columns)


def trades_page(house: House, at: int, trades: Trades | None, participant: str, cursor: int, limit: int) -> TradeSides:
    """Return the sides of a participant ("": everybody's) from side ``cursor`` on; raises Rejected (unknown)."""
    if trades is None:
        of_participant(house, np.zeros(0, np.int32), participant)
        return TradeSides([], None, at)
    account = np.stack([trades.buyer, trades.seller], axis=1).ravel()
    mine = np.flatnonzero(of_participant(house, account, participant))
    start = int(np.searchsorted(mine, cursor))
    chosen = mine[start : start + limit]
    amounts = trades.select(_mask(len(trades), chosen // 2)).amount_cents()
    known = dict(zip(np.unique(chosen // 2).tolist(), amounts.tolist(), strict=True))
    items = [_side(house, trades, int(place), known[int(place) // 2]) for place in chosen.tolist()]
    end = start + limit
    return TradeSides(items, int(mine[end]) if end < mine.size else None, at)


def _mask(size: int, rows: np.ndarray) -> np.ndarray:
    found = np.zeros(size, np.bool_)
    found[rows] = True
    return found


def _side(house: House, trades: Trades, place: int, amount_cents: int) -> TradeSide:
    row, buys, book = place // 2, place % 2 == 0, house.resolved
    buyer, seller = book.account_name(int(trades.buyer[row])), book.account_name(int(trades.seller[row]))
    netted = int(trades.mode[row]) == MODE_CNS
    return TradeSide(
        trade=int(trades.trade_id[row]), date=str(to_date(trades.trade_day)), second=int(trades.time_s[row]),
        counter=book.book.counters[int(trades.counter[row])].code, side="buy" if buys else "sell",
        account=buyer if buys else seller, counterparty=HOUSE if netted else seller if buys else buyer,
        quantity=int(trades.quantity[row]), price_e4=int(trades.price_e4[row]), amount_cents=amount_cents,
        mode=MODES[int(trades.mode[row])],
    )  # fmt: skip
