"""Closing out a defaulter: positions with the house go to takers at a price, its securities are sold.

A taker enters into what the defaulter had open in a security, on the same days, at the price of the close-out; stock
the defaulter received and has not paid for is sold to it at once, delivery against payment. The defaulter's contracts
end with that: what they cost more than the taker's is its loss, and owed to the house. Source: HKEX, Actions Following
Default of a Clearing Participant (clrsettmang5.htm): buy-in of what is short, sale of what is allocated and unpaid, one
net sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES, consideration_cents
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.clearing.default_book import Case
from tsingma.clearing.derivatives import CENT_E4, VALUE_MAX_E4
from tsingma.clearing.obligations import DuePositions
from tsingma.engine.default_sums import (
    HKD,
    available,
    bank_postings,
    declared,
    hkd_of,
    require_fund,
    require_mine,
    require_price,
    require_rate,
    require_taker,
    try_postings,
)
from tsingma.engine.house import Handlers, House
from tsingma.engine.pooling import AMOUNT_MAX, positive
from tsingma.journal.default_commands import CloseOutPosition, CloseOutSeries, CloseOutSwap, SellCollateral
from tsingma.journal.default_events import CollateralSold, PositionClosedOut
from tsingma.margin.pool.book import Held

Int64 = npt.NDArray[np.int64]

SECURITIES, SWAPS = "HKSCC", "OTC Clear"  # whose contracts net positions and swaps are


@dataclass(slots=True)
class _Open:
    """What an account has open in a security: today's line, unpaid stock, money by currency; and what is due later."""

    line: int
    units: int
    on_hold: int
    cents: dict[int, int]
    later: dict[int, tuple[int, dict[int, int]]] = field(default_factory=dict)  # day: units, cents by currency

    @property
    def all_units(self) -> int:
        """Return all units, to receive +."""
        return self.units + self.on_hold + sum(units for units, _ in self.later.values())

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing open at all."""
        today = self.units or self.on_hold or any(self.cents.values())
        return not today and not any(units or any(owed.values()) for units, owed in self.later.values())


def close_out_position(house: House, command: CloseOutPosition) -> PositionClosedOut:
    """Give a taker what an account has open in a security; raises Rejected, and then nothing has changed.

    Raises Rejected: unknown, not-allowed (nothing open, no such default, a taker that cannot), out-of-range (price),
    insufficient (the taker has not the money for unpaid stock).
    """
    case = declared(house, command.default)
    require_mine(house, case, command.account)
    require_taker(house, command.taker, "taker")
    require_price(command.price_e4)
    if not 0 <= command.security < len(house.resolved.securities):
        raise refuse(RejectionReason.UNKNOWN, f"no security {command.security}", field="security")
    found = _open_in(house, command.account, command.security)
    if found.is_nothing:
        raise refuse(RejectionReason.NOT_ALLOWED, "nothing is open", field="security", subject=str(command.security))
    unit = _currency(house, command.security)
    worth = {day: _value(units, command.price_e4) for day, (units, _) in found.later.items()}
    now, held = _value(found.units, command.price_e4), _value(found.on_hold, command.price_e4)
    _sell_unpaid(house, command, found.on_hold, held, unit)
    lost = _lost(found)
    total = now + held + sum(worth.values())
    lost[unit] = lost.get(unit, 0) - total
    _hand_over_line(house, command, found, now, unit)
    _hand_over_later(house, command, found, worth)
    for currency, cents in sorted(lost.items()):
        house.defaults.owe(case.number, SECURITIES, command.account, currency, cents)
    named = {CURRENCIES[currency]: cents for currency, cents in sorted(lost.items()) if cents}
    return PositionClosedOut(case.number, command.account, found.all_units, total, named)


def close_out_series(house: House, command: CloseOutSeries) -> PositionClosedOut:
    """Trade away what an account holds of a series; the next mark moves the money, and what is not paid is owed.

    Raises Rejected: unknown, not-allowed (nothing held, a taker that cannot), out-of-range (price).
    """
    case = declared(house, command.default)
    require_mine(house, case, command.account)
    require_taker(house, command.taker, "taker")
    book = house.derivatives
    if not 0 <= command.series < len(book.series):
        raise refuse(RejectionReason.UNKNOWN, f"no series {command.series}", field="series")
    series = book.series[command.series]
    units, cost_e4 = book.holding(command.account, command.series)
    if not units:
        raise refuse(RejectionReason.NOT_ALLOWED, "nothing is held", field="series", subject=series.id)
    value_e4 = units * command.price_e4 * series.multiplier
    lowest = 1 if series.kind == "future" else 0
    if command.price_e4 < lowest or abs(value_e4) > VALUE_MAX_E4 or command.price_e4 * series.multiplier % CENT_E4:
        message = f"{command.price_e4} ten-thousandths is no price of {series.id}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="price_e4", remedy="whole cents for a contract")
    unit = book.currency.get(command.series, HKD)
    require_rate(house, unit)
    book.hand_over(command.account, command.taker, command.series, value_e4)
    book.check_flat()
    lost = (cost_e4 - value_e4) // CENT_E4
    key = (case.number, series.house)
    house.defaults.traded[key] = house.defaults.traded.get(key, 0) + hkd_of(house, unit, lost)
    named = {CURRENCIES[unit]: lost} if lost else {}
    return PositionClosedOut(case.number, command.account, units, value_e4 // CENT_E4, named)


def close_out_swap(house: House, command: CloseOutSwap) -> PositionClosedOut:
    """Give a taker a swap position as it stands, for money it pays or asks; what it asks is lost.

    Raises Rejected: unknown, not-allowed (nothing held, a taker that cannot), out-of-range, insufficient (its money).
    """
    case = declared(house, command.default)
    require_mine(house, case, command.account)
    require_taker(house, command.taker, "taker")
    book = house.swaps
    if not 0 <= command.series < len(book.series):
        raise refuse(RejectionReason.UNKNOWN, f"no series {command.series} of swaps", field="series")
    terms, cents = book.series[command.series], command.amount_cents
    position = book.position(command.account, command.series)
    if position is None:
        raise refuse(RejectionReason.NOT_ALLOWED, "nothing is held", field="series", subject=terms.id)
    if abs(cents) > AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"an amount of {cents} cents", field="amount_cents")
    unit, central = CURRENCIES.index(terms.currency), house.internal.cns
    if cents > available(house, command.taker, unit):
        raise _unpaid(cents, terms.currency, "taker")
    payer, payee = (command.taker, central) if cents > 0 else (central, command.taker)
    bank_postings(house, [(payer, payee, unit, abs(cents))] if cents else [])
    book.carry_over(command.account, command.taker, command.series)
    book.check_flat()
    house.defaults.owe(case.number, SWAPS, command.account, unit, -cents)
    named = {terms.currency: -cents} if cents else {}
    return PositionClosedOut(case.number, command.account, position.notional_cents, cents, named)


def sell_collateral(house: House, command: SellCollateral) -> CollateralSold:
    """Sell a defaulter's securities against payment; the proceeds are taken off what it owes to the house.

    Pledges that are free in the pool or allotted to the house go first, then what is available in the account. Raises
    Rejected: unknown, not-allowed, out-of-range, insufficient (units, or the buyer's money).
    """
    case = declared(house, command.default)
    require_fund(command.fund)
    require_mine(house, case, command.account)
    require_taker(house, command.buyer, "buyer")
    require_price(command.price_e4)
    if not len(CURRENCIES) <= command.asset < house.resolved.asset_count:
        raise refuse(RejectionReason.UNKNOWN, f"no security has asset number {command.asset}", field="asset")
    positive(command.amount)
    proceeds = consideration_cents(command.amount, command.price_e4)
    there = pool_part(house, command.account, command.asset, command.fund)
    from_pool = min(command.amount, there)
    if command.amount - from_pool > available(house, command.account, command.asset):
        has = there + available(house, command.account, command.asset)
        raise refuse(
            RejectionReason.INSUFFICIENT, f"{command.amount} to sell, {has} are there", field="amount",
            remedy="sell what is there",
        )  # fmt: skip
    unit = _currency(house, command.asset - len(CURRENCIES))
    if not proceeds or proceeds > available(house, command.buyer, unit):
        raise _unpaid(proceeds, CURRENCIES[unit], "buyer")
    take_from_pool(house, command.account, command.asset, command.fund, from_pool)
    moves = [
        (command.account, command.buyer, command.asset, command.amount),
        (command.buyer, house.internal.cns, unit, proceeds),
    ]
    if not try_postings(house, moves):
        raise InvariantBroken("a checked sale of collateral could not be booked")
    house.defaults.owe(case.number, command.fund, command.account, unit, -proceeds)
    return CollateralSold(case.number, command.account, command.asset, command.amount, proceeds)


def pool_part(house: House, account: int, asset: int, fund: str) -> int:
    """Return what of an account's pledge in the pool a house may use: what is free, and what is allotted to it."""
    pool = house.pool
    return pool.free(account, asset) + pool.unreused(Held(account, asset, (fund,)))


def take_from_pool(house: House, account: int, asset: int, fund: str, amount: int) -> None:
    """Take from an account's pledge in the pool and off the books' pledge: what is allotted to the house first."""
    if not amount:
        return
    pool, held = house.pool, Held(account, asset, (fund,))
    allotted = min(amount, pool.unreused(held))
    if allotted:
        pool.allot(held, -allotted)
    row = np.array([house.ledger.find(account, asset)])
    if house.ledger.unpledge(row, np.array([amount], np.int64)).any():
        raise InvariantBroken("what the pool holds is not pledged in the books")
    pool.pledge(account, asset, -amount)


def _currency(house: House, security: int) -> int:
    return int(house.resolved.counter_currency[house.resolved.settlement_counter[security]])


def _value(units: int, price_e4: int) -> int:
    """Return what units are worth at a price, cents, with their sign; raises Rejected (out-of-range) beyond 64 bits."""
    cents = consideration_cents(abs(units), price_e4)
    return cents if units >= 0 else -cents


def _open_in(house: House, account: int, security: int) -> _Open:
    lines, book = house.settlement.positions, house.resolved
    place = np.flatnonzero((lines.account == account) & (lines.security == security))
    line = int(place[0]) if place.size else -1
    cents: dict[int, int] = {}
    if line >= 0:
        for money in np.flatnonzero(lines.money_line == line).tolist():
            left = int(lines.due_cents[money] - lines.settled_cents[money])
            cents[int(lines.money_currency[money])] = left
    found = _Open(line, int(lines.open[line]), int(lines.on_hold[line]), cents) if line >= 0 else _Open(-1, 0, 0, {})
    for day in house.obligations.days:
        due = house.obligations.due(day)
        rows = np.flatnonzero((due.account == account) & (book.counter_security[due.counter] == security))
        owed: dict[int, int] = {}
        for row in rows.tolist():
            unit = int(book.counter_currency[due.counter[row]])
            owed[unit] = owed.get(unit, 0) + int(due.amount_cents[row])
        if rows.size:
            found.later[day] = (int(due.quantity[rows].sum()), owed)
    return found


def _lost(found: _Open) -> dict[int, int]:
    """Return what the defaulter's contracts have still to pay, cents by currency."""
    lost = dict(found.cents)
    for _, owed in found.later.values():
        for unit, cents in owed.items():
            lost[unit] = lost.get(unit, 0) + cents
    return lost


def _sell_unpaid(house: House, command: CloseOutPosition, units: int, cents: int, unit: int) -> None:
    """Sell received stock that is not paid for: off hold and to the taker against its money, or refused."""
    if not units:
        return
    if cents > available(house, command.taker, unit):
        raise _unpaid(cents, CURRENCIES[unit], "taker")
    asset = command.security + len(CURRENCIES)
    row = np.array([house.ledger.find(command.account, asset)])
    if house.ledger.release(row, np.array([units], np.int64)).any():
        raise InvariantBroken("stock on hold could not be released")
    moves = [(command.account, command.taker, asset, units)]
    moves += [(command.taker, house.internal.cns, unit, cents)] if cents else []
    if not try_postings(house, moves):
        raise InvariantBroken("a checked sale of unpaid stock could not be booked")


def _unpaid(cents: int, currency: str, who: str) -> Exception:
    return refuse(
        RejectionReason.INSUFFICIENT, f"{cents} cents of {currency} are not there", field=who,
        remedy=f"the {who} needs the money first",
    )  # fmt: skip


def _hand_over_line(house: House, command: CloseOutPosition, found: _Open, worth: int, unit: int) -> None:
    """End the defaulter's line of today and add what is open of it to the taker's, at the price."""
    if found.line < 0:
        return
    lines, taker, owner = house.settlement.positions, command.taker, command.account
    lines.on_hold[found.line] = 0
    market = int(lines.market[found.line])
    rows = [(owner, unit, -found.units, -found.cents.get(unit, 0))]
    rows += [(owner, other, 0, -cents) for other, cents in sorted(found.cents.items()) if other != unit]
    if found.units:
        rows.append((taker, unit, found.units, worth))
    account, currency, units, cents = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    same = np.full(account.size, command.security, np.int32)
    lines.begin_day(
        house.position.day, account.astype(np.int32), same, currency.astype(np.int32),
        np.full(account.size, market, np.int32), units, cents, roll=False,
    )  # fmt: skip


def _hand_over_later(house: House, command: CloseOutPosition, found: _Open, worth: dict[int, int]) -> None:
    """Replace what the defaulter has due on later days by the taker's contracts of the same days, at the price."""
    book, counter = house.resolved, int(house.resolved.settlement_counter[command.security])
    for day, (units, _) in found.later.items():
        due = house.obligations.due(day)
        keep = ~((due.account == command.account) & (book.counter_security[due.counter] == command.security))
        columns = [due.account[keep], due.counter[keep], due.quantity[keep], due.amount_cents[keep], due.legs[keep]]
        if units:
            fresh = (command.taker, counter, units, worth[day], 1)
            columns = [
                np.append(column, np.array([one], column.dtype)) for column, one in zip(columns, fresh, strict=True)
            ]
        house.obligations.restate(day, DuePositions(*columns))


def owed_to(house: House, case: Case, fund: str) -> dict[tuple[int, int], int]:
    """Return what a case owes to a fund, cents by (account, currency)."""
    return {(account, unit): cents for (_, _, account, unit), cents in house.defaults.owed_by(case.number, fund)}


HANDLERS: Handlers = {
    CloseOutPosition: close_out_position,
    CloseOutSeries: close_out_series,
    CloseOutSwap: close_out_swap,
    SellCollateral: sell_collateral,
}
