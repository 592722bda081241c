"""What the auditor does on commands of reservations, futures and options, and sets that settle at one instant."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.journal.commands import (
    CaptureDerivatives,
    EndReservation,
    ListSeries,
    MarkDerivatives,
    ReserveAssets,
    SettleTogether,
)
from tsingma.reference.book import MARKETS, AccountClass
from tsingma.simulate.plain_ledger import Refusal
from tsingma.simulate.plain_resources import CENT_E4, PlainContract, PlainReservation, give_back, reserve
from tsingma.simulate.plain_settlement import ready
from tsingma.simulate.plain_steps import settles_today

if TYPE_CHECKING:
    from tsingma.simulate.plain_house import Figures, PlainHouse

INDEX = "INDEX"
_INNER = (AccountClass.CNS, AccountClass.ISSUANCE)


def reserve_assets(house: PlainHouse, command: ReserveAssets) -> Figures:
    """Set something aside for no instruction in particular."""
    book = house.known
    account = 0 <= command.account < len(book.account_owner)
    house.require(account and book.book.accounts[command.account].account_class not in _INNER, RejectionReason.UNKNOWN)
    _own(house, command.participant, command.account)
    house.require(0 <= command.asset < book.assets, RejectionReason.UNKNOWN)
    house.require(command.last_day >= house.day, RejectionReason.OUT_OF_RANGE)
    one = PlainReservation(command.account, command.asset, command.amount, command.last_day)
    reserve(house.ledger, one)
    house.reservations.append(one)
    return {"reservation": len(house.reservations) - 1}


def _own(house: PlainHouse, code: str, account: int) -> None:
    book = house.known
    house.require(code in book.participants, RejectionReason.UNKNOWN)
    owners = (book.account_owner[account], book.account_owner[house.fee_account])
    house.require(book.participants.index(code) in owners, RejectionReason.NOT_ALLOWED)


def end_reservation(house: PlainHouse, command: EndReservation) -> Figures:
    """Give it back, and settle what waited for that."""
    there = 0 <= command.reservation < len(house.reservations)
    if there:
        _own(house, command.participant, house.reservations[command.reservation].account)
    house.require(there, RejectionReason.UNKNOWN)
    one = house.reservations[command.reservation]
    house.require(one.status == "active", RejectionReason.NOT_ALLOWED)
    give_back(house.ledger, one, "released")
    rows = {row.blocked_on for row in house.instructions if row.blocked_on is not None}
    woken = house.woken((), {row for row in rows if house.ledger.available(row) > 0})
    return {"reservation": command.reservation, **woken}


def settle_together(house: PlainHouse, command: SettleTogether) -> Figures:
    """Settle a set at one instant: only what every row has after all of it counts."""
    house.require(house.is_open, RejectionReason.NOT_ALLOWED)
    (chosen,) = house.columns(command, {"instruction": "i4"})
    house.require(all(a < b for a, b in pairwise(chosen)), RejectionReason.MALFORMED)
    house.require(not chosen or 0 <= chosen[0] <= chosen[-1] < len(house.instructions), RejectionReason.UNKNOWN)
    may = ready(house.instructions, house.day, range(len(MARKETS))) if settles_today(house) else []
    picked = [house.instructions[number] for number in chosen]
    house.require({id(one) for one in picked} <= {id(one) for one in may}, RejectionReason.NOT_ALLOWED)
    change: dict[tuple[int, int], int] = {}
    for one in picked:
        for debit, credit, amount in one.legs():
            change[debit] = change.get(debit, 0) - amount
            change[credit] = change.get(credit, 0) + amount
    short = [key for key, amount in change.items() if amount < 0 and house.ledger.available(key) < -amount]
    house.require(not short, RejectionReason.INSUFFICIENT)
    for key, amount in change.items():
        house.ledger.balance[key] = house.ledger.balance.get(key, 0) + amount
    cents = [0] * len(CURRENCIES)
    for one in picked:
        one.status = "settled"
        cents[one.currency] += one.cents
    return {
        "settled": len(picked),
        "shares": sum(one.quantity for one in picked),
        "amount_cents": tuple(cents),
    }


def list_series(house: PlainHouse, command: ListSeries) -> Figures:
    """Add series; all or none."""
    counters = {counter.code: place for place, counter in enumerate(house.known.book.counters)}
    known = {one.id for one in house.contracts.series}
    found, reasons = [], set()
    for name, _, kind, underlying, multiplier, strike, expiry in command.series:
        house.require(underlying == INDEX or underlying in counters, RejectionReason.UNKNOWN)
        if not name or name in known:
            reasons.add(RejectionReason.DUPLICATE)
        elif expiry < house.day:
            reasons.add(RejectionReason.NOT_ALLOWED)
        known.add(name)
        found.append(PlainContract(name, kind, counters.get(underlying, -1), multiplier, strike, expiry))
    if reasons:
        raise Refusal(*reasons)
    house.contracts.series += found
    return {"listed": len(found), "total": len(house.contracts.series)}


def capture_derivatives(house: PlainHouse, command: CaptureDerivatives) -> Figures:
    """Novate trades in futures and options; all or none."""
    house.require(house.is_open, RejectionReason.NOT_ALLOWED)
    types = {"trade_id": "i8", "series": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8", "price_e4": "i8"}
    rows = list(zip(*house.columns(command, types), strict=True))
    seen, reasons = set(house.contracts.seen), set()
    for row in rows:
        reason = house.contracts.trade_fault(row, len(house.known.account_owner), house.day, seen)
        if reason is not None:
            reasons.add(reason)
        seen.add(row[0])
    if reasons:
        raise Refusal(*reasons)
    house.contracts.take(rows)
    held = sum(quantity != 0 for quantity in house.contracts.quantity.values())
    return {"trades": len(rows), "contracts": sum(row[4] for row in rows), "positions": held}


def mark_derivatives(house: PlainHouse, command: MarkDerivatives) -> Figures:
    """Mark every position and move the money."""
    house.require(house.is_open, RejectionReason.NOT_ALLOWED)
    series, price = house.columns(command, {"series": "i4", "price_e4": "i8"})
    house.require(len(set(series)) == len(series), RejectionReason.MALFORMED)
    book = house.contracts
    prices = dict(zip(series, price, strict=True))
    for number, value in prices.items():
        listed = 0 <= number < len(book.series) and value >= 0
        house.require(listed and not value * book.series[number].multiplier % CENT_E4, RejectionReason.OUT_OF_RANGE)
    house.require({number for _, number in book.quantity} <= set(prices), RejectionReason.MISSING)
    underlying = {}
    for number, one in enumerate(book.series):
        spot = command.index_e4 if one.underlying < 0 else house.price_e4[one.underlying]
        unit = CENT_E4 // math.gcd(CENT_E4, one.multiplier)
        underlying[number] = one.strike_e4 + (spot - one.strike_e4) // unit * unit
    collected, paid = book.move(book.mark(prices, underlying, house.day), house.ledger, house.central)
    return {
        "positions": sum(quantity != 0 for quantity in book.quantity.values()),
        "collected_cents": collected,
        "paid_cents": paid,
        "owed_cents": sum(book.owed.values()),
    }


RESOURCE_ACTS: dict[type, Callable[[PlainHouse, Any], Figures]] = {
    ReserveAssets: reserve_assets,
    EndReservation: end_reservation,
    SettleTogether: settle_together,
    ListSeries: list_series,
    CaptureDerivatives: capture_derivatives,
    MarkDerivatives: mark_derivatives,
}
