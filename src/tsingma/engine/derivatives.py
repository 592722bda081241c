"""Commands on futures and options: list series, capture trades, mark and move the day's money."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.clearing.derivatives import CENT_E4, DerivativeTrades, Series
from tsingma.engine.house import Handlers, House
from tsingma.engine.tariff import charge_futures
from tsingma.journal.commands import CaptureDerivatives, ListSeries, MarkDerivatives
from tsingma.journal.events import DerivativesCaptured, DerivativesMarked, SeriesListed

HKD = CURRENCIES.index("HKD")
INDEX = "INDEX"


def list_series(house: House, command: ListSeries) -> SeriesListed:
    """Add series; refused whole when one is a duplicate, expired, or on an unknown counter."""
    series = tuple(Series(*one) for one in command.series)
    for one in series:
        if one.underlying != INDEX and one.underlying not in house.resolved.counter_index:
            message = f"'{one.underlying}' is no counter"
            raise refuse(RejectionReason.UNKNOWN, message, field="underlying", subject=f"series {one.id}")
    units = command.currencies or ("HKD",) * len(series)
    if len(units) != len(series) or not set(units) <= set(CURRENCIES):
        message = f"{', '.join(units)} for {len(series)} series"
        raise refuse(
            RejectionReason.UNKNOWN, message, field="currencies", remedy=f"one of {', '.join(CURRENCIES)} each"
        )
    first = len(house.derivatives.series)
    house.derivatives.add_series(series, house.position.day)
    for place, unit in enumerate(units, first):
        if unit != "HKD":
            house.derivatives.currency[place] = CURRENCIES.index(unit)
    return SeriesListed(len(series), len(house.derivatives.series))


def capture_derivatives(house: House, command: CaptureDerivatives) -> DerivativesCaptured:
    """Check and novate trades of the open day; refused whole when one is bad."""
    require_open(house)
    names = {"trade_id": "i8", "series": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8", "price_e4": "i8"}
    columns = [unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in names.items()]
    if len({column.size for column in columns}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", subject=command.source)
    trades = DerivativeTrades(*columns)
    faults = house.derivatives.check(trades, house.resolved.account_participant.size, house.position.day)
    if faults:
        raise Rejected(*faults[:100])
    charge_futures(house, trades)
    house.derivatives.capture(trades)
    house.derivatives.check_flat()
    return DerivativesCaptured(
        trades.trade_id.size, int(trades.quantity.sum()), int((house.derivatives.quantity != 0).sum())
    )


def mark_derivatives(house: House, command: MarkDerivatives) -> DerivativesMarked:
    """Mark every position and move the money; losers pay what they have, the rest is owed and tried again tomorrow.

    Refused when a series with a position has no price, or a price is impossible.
    """
    require_open(house)
    number = unpack(command.series, "i4", field="series").astype(np.int64)
    price = unpack(command.price_e4, "i8", field="price_e4").astype(np.int64)
    book = house.derivatives
    if number.size != price.size or np.unique(number).size != number.size:
        raise refuse(RejectionReason.MALFORMED, "columns differ in length, or a series is priced twice", field="series")
    prices = dict(zip(number.tolist(), price.tolist(), strict=True))
    for place, value in prices.items():
        listed = 0 <= place < len(book.series)
        if not listed or value < 0 or value * book.series[place].multiplier % CENT_E4:
            message = f"number {place}: {value} ten-thousandths is no settlement price"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="price_e4")
    missing = book.unpriced(prices)
    if missing:
        message = f"no settlement price for {', '.join(missing[:10])}"
        raise refuse(RejectionReason.MISSING, message, field="price_e4", remedy="price every series that is held")
    flows = book.mark_all(prices, _exercise_prices(house, command.index_e4), house.position.day)
    book.index_e4 = command.index_e4
    book.check_flat()
    collected, paid = move_margin(house, book, flows.get(HKD, {}), HKD)
    other = {}
    for unit in sorted({*flows, *book.owed_other} - {HKD}):
        taken, given = move_margin(house, book, flows.get(unit, {}), unit)
        owed = sum(book.owed_in(unit).values())
        name = CURRENCIES[unit]
        other.update({f"collected_{name}": taken, f"paid_{name}": given, f"owed_{name}": owed})
    return DerivativesMarked(int((book.quantity != 0).sum()), collected, paid, sum(book.owed.values()), other)


def _exercise_prices(house: House, index_e4: int) -> dict[int, int]:
    """Return the price (e4) of each series' underlying, cut to what makes its exercise a whole cent."""
    prices = {}
    for place, one in enumerate(house.derivatives.series):
        counter = house.resolved.counter_index.get(one.underlying)
        price = index_e4 if counter is None else int(house.price_e4[counter])
        unit = CENT_E4 // np.gcd(CENT_E4, one.multiplier)
        prices[place] = one.strike_e4 + (price - one.strike_e4) // int(unit) * int(unit)
    return prices


class Owing(Protocol):
    """A book of positions that knows what accounts still owe in a currency, cents by account."""

    def owed_in(self, currency: int) -> dict[int, int]:
        """Return what is owed."""

    def owe(self, currency: int, owed: dict[int, int]) -> None:
        """Set what is owed."""


def move_margin(house: House, book: Owing, flows: dict[int, int], unit: int) -> tuple[int, int]:
    """Book flows of a money and what was owed before through the clearing house; returns cents collected and paid.

    Raises InvariantBroken when the ledger refuses what it said was free.
    """
    ledger, central = house.ledger, house.internal.cns
    owed = book.owed_in(unit)
    due = {account: flows.get(account, 0) - owed.get(account, 0) for account in sorted({*flows, *owed})}
    accounts = np.array(list(due), np.int32)
    rows = ledger.rows(accounts, np.full(accounts.size, unit, np.int32))
    free = dict(zip(due, ledger.available(rows).tolist(), strict=True))
    take = {account: min(-cents, max(free[account], 0)) for account, cents in due.items() if cents < 0}
    give = {account: cents for account, cents in due.items() if cents > 0}
    for moves, collects in ((take, True), (give, False)):
        chosen = [(account, cents) for account, cents in moves.items() if cents]
        if not chosen:
            continue
        owner = np.array([account for account, _ in chosen], np.int32)
        theirs = ledger.rows(owner, np.full(owner.size, unit, np.int32))
        ours = np.full(owner.size, ledger.row(central, unit), np.int64)
        amount = np.array([cents for _, cents in chosen], np.int64)
        failed = ledger.post_all(theirs, ours, amount) if collects else ledger.post_all(ours, theirs, amount)
        if failed is not None:
            raise InvariantBroken(f"variation margin could not be booked: account {int(owner[failed])}")
    book.owe(unit, {account: -due[account] - cents for account, cents in take.items() if -due[account] > cents})
    return sum(take.values()), sum(give.values())


def require_open(house: House) -> None:
    """Refuse (not-allowed) when no day is open."""
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")


HANDLERS: Handlers = {
    ListSeries: list_series,
    CaptureDerivatives: capture_derivatives,
    MarkDerivatives: mark_derivatives,
}
