"""Trades of one's own in a house that is there: a file to start from, and the day it is taken in on.

Codes of instruments and accounts are those of the house. Closing prices that are not given are the house's last ones.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.business_day import DayInput, run_day
from tsingma.app.market_folder import DayLine, line_of
from tsingma.app.progress import Progress
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import COLUMN_TYPES, MODE_CNS, Trades
from tsingma.engine.cycle import settlement_days_after, trading_markets
from tsingma.engine.house import House
from tsingma.messages.market_files import read_closing
from tsingma.messages.rows import read_bytes
from tsingma.messages.rpf01 import read_parameters
from tsingma.messages.trade_file import read_trades, write_trades
from tsingma.reference.book import AccountClass, ParticipantKind

DRAFTED = 6
_MARKET = "XHKG"
_TEN = 36_000  # ten in the morning, in seconds
_CLEARING = (ParticipantKind.DIRECT_CLEARING, ParticipantKind.GENERAL_CLEARING)


class Draft(msgspec.Struct, frozen=True):
    """A trade file that was written, for the house's next day."""

    file: str
    date: date
    trades: int
    participant: str


def draft_trades(place: Path | str, out: Path, participant: str = "") -> Draft:
    """Write a few trades with the house's own codes, a lot each at the last price, for its next settlement day.

    A participant (the first one that clears, without a name) trades with another. Raises Rejected: unknown (no such
    participant), missing (nobody clears, or no counter of Hong Kong has a price), conflict (the file is there).
    """
    if out.exists():
        raise refuse(RejectionReason.CONFLICT, "is there already", file=str(out), remedy="choose another name")
    with Session.open(place, read_only=True) as session:
        house = session.house
        mine, theirs = _accounts(house, participant)
        counters = _counters(house)
        size = counters.size
        buys = np.arange(size) % 2 == 0
        book = house.resolved
        columns = {
            "trade_id": np.arange(1, size + 1), "time_s": np.full(size, _TEN), "counter": counters,
            "buyer": np.where(buys, mine, theirs), "seller": np.where(buys, theirs, mine),
            "quantity": np.array([book.book.counters[place].lot for place in counters.tolist()]),
            "price_e4": _on_tick(house, counters), "mode": np.full(size, MODE_CNS), "maker": np.zeros(size),
        }  # fmt: skip
        day = next_day(house)
        trades = Trades("", day, *(columns[name].astype(np.dtype(kind)) for name, kind in COLUMN_TYPES.items()))
        write_trades(out, trades, book)
        owner = book.book.accounts[mine].participant
    return Draft(str(out), to_date(day), size, owner)


def run_trades(
    place: Path | str, trades: Path, closing: Path | None, parameters: Path | None, clock: Clock, progress: Progress
) -> DayLine:
    """Run the day of a trade file in a house that has its book, and return its line.

    Raises Rejected with every fault of the files, and when the house cannot open that day; nothing of them is kept.
    """
    risk = None if parameters is None else read_parameters(read_bytes(parameters), file=str(parameters))
    with Session.open(place) as session:
        house = session.house
        brought = read_trades(trades, house.resolved)
        moment = to_date(brought.trade_day)
        close_e4, fx_e6 = (house.price_e4, house.fx_e6) if closing is None else read_closing(closing, house.resolved)
        if closing is None and not (close_e4 > 0).all():
            raise refuse(RejectionReason.MISSING, "the house has no prices yet", field="closing",
                         remedy="give a closing file (docs/files-trades.md)")  # fmt: skip
        _require_next(house, brought.trade_day, str(trades))
        record, _ = run_day(session, DayInput(moment, brought, close_e4, fx_e6), risk, clock, progress)
        return line_of(record)


def next_day(house: House) -> int:
    """Return the day that may be opened next (days since 1970), or the open one."""
    position = house.position
    return position.day if position.is_open else settlement_days_after(position.day, 1)


def _require_next(house: House, day: int, file: str) -> None:
    """Refuse trades of a day that the house has behind it without them, or that it cannot open yet, naming its own."""
    position = house.position
    if not position.day or day == position.day:
        return
    if day != next_day(house) or position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, f"the trades are of {to_date(day)}, the house stands at "
                     f"{to_date(position.day)}, {'open' if position.is_open else 'closed'}", file=file, line=2,
                     field="trade_date", remedy=f"date them {to_date(next_day(house))}")  # fmt: skip


def _accounts(house: House, participant: str) -> tuple[int, int]:
    """Return a client account of the participant, else its house account, and one of somebody else."""
    book = house.resolved
    clearing = [one.code for one in book.book.participants if one.kind in _CLEARING]
    if participant and participant not in clearing:
        raise refuse(RejectionReason.UNKNOWN, f"'{participant}' does not clear in this house", field="participant",
                     remedy=f"for example {', '.join(clearing[:3])}")  # fmt: skip
    wanted = (AccountClass.CLIENT, AccountClass.HOUSE)
    accounts = {
        code: next(iter(found))
        for code in clearing
        if (found := [book.account_index[code, one] for one in wanted if (code, one) in book.account_index])
    }
    mine = participant or next(iter(accounts), "")
    others = [number for code, number in accounts.items() if code != mine]
    if mine not in accounts or not others:
        raise refuse(RejectionReason.MISSING, "no two participants clear in this house", field="participant")
    return accounts[mine], others[0]


def _counters(house: House) -> np.ndarray:
    """Return the first counters of Hong Kong that settle in their own money, trade on the next day and have a price."""
    book, open_on = house.resolved, trading_markets(to_date(next_day(house)), house.resolved.markets)
    found = [
        place
        for place, one in enumerate(book.book.counters)
        if one.market == _MARKET and one.settlement_counter and open_on.get(one.market) and house.price_e4[place] > 0
    ]
    if not found:
        raise refuse(RejectionReason.MISSING, "no counter of Hong Kong has a price in this house", field="counter")
    return np.array(found[:DRAFTED], np.int64)


def _on_tick(house: House, counters: np.ndarray) -> np.ndarray:
    tick = np.array([house.resolved.book.counters[place].tick_e4 for place in counters.tolist()], np.int64)
    on_tick: np.ndarray = np.maximum(house.price_e4[counters] // tick, 1) * tick
    return on_tick
