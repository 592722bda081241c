"""What every command on the pool asks: what things are worth now, who is known, what is covered before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.margin.pool.terms import Valuation, rules_of, takers

AMOUNT_MAX = 2**53


def valuation(house: House) -> Valuation:
    """Return the prices and rates of the moment; asked for an asset without one it raises Rejected (missing)."""

    def market_cents(asset: int, amount: int) -> int:
        book = house.resolved
        if asset < len(CURRENCIES):
            cents, unit = amount, asset
        else:
            counter = int(book.settlement_counter[asset - len(CURRENCIES)])
            price, unit = int(house.price_e4[counter]), int(book.counter_currency[counter])
            if price <= 0:
                raise _missing(f"no price of {book.asset_name(asset)}")
            cents = amount * price // 100
        if house.fx_e6[unit] <= 0:
            raise _missing(f"no rate of {CURRENCIES[unit]}")
        return cents * house.fx_e6[unit] // FX_UNIT_E6

    return Valuation(to_date(house.position.day), market_cents)


def _missing(message: str) -> Rejected:
    return refuse(RejectionReason.MISSING, message, remedy="set the closing prices first")


def covered_as_before(
    house: House, account: int, concerned: Sequence[str], change: Callable[[], None], undo: Callable[[], None]
) -> None:
    """Make a change, and undo and refuse it when a taker's call is covered less than it was and less than in full."""
    pool, moment = house.pool, valuation(house)
    before = {taker: pool.covered(account, taker, moment) for taker in concerned}
    change()
    for taker in concerned:
        after, least = pool.covered(account, taker, moment), min(before[taker], pool.call(account, taker))
        if after < least:
            undo()
            raise refuse(
                RejectionReason.INSUFFICIENT,
                f"{taker} would be covered by {after} of {pool.call(account, taker)} HKD cents",
                subject=house.resolved.account_name(account),
                remedy=f"allot {least - after} more in value, or bring other assets in first",
            )


def known_chain(chain: tuple[str, ...]) -> tuple[str, ...]:
    """Return a chain of known takers; raises Rejected (missing, unknown)."""
    if not chain:
        raise refuse(RejectionReason.MISSING, "a chain starts with the house that was allotted", field="chain")
    for taker in chain:
        known_taker(taker)
    return chain


def known_taker(taker: str) -> str:
    """Return the taker's name; raises Rejected (unknown) naming those there are."""
    if taker not in takers():
        remedy = f"one of {', '.join(takers())}"
        raise refuse(RejectionReason.UNKNOWN, f"'{taker}' takes no collateral", field="taker", remedy=remedy)
    return taker


def eligible(house: House, taker: str, asset: int) -> None:
    """Raise Rejected (not-allowed) when a taker does not take an asset."""
    kind = house.pool.listing(asset).kind
    if kind not in rules_of(taker, to_date(house.position.day)).haircut_e4:
        raise refuse(RejectionReason.NOT_ALLOWED, f"{taker} does not take {kind}", field="asset", subject=str(asset))


def known_asset(house: House, asset: int) -> None:
    """Raise Rejected (unknown) for an asset the book has not."""
    if not 0 <= asset < house.resolved.asset_count:
        raise refuse(RejectionReason.UNKNOWN, f"no asset {asset}", field="asset")


def positive(amount: int) -> int:
    """Return an amount; raises Rejected (out-of-range) unless it is above zero and within bounds."""
    if not 0 < amount <= AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"an amount of {amount}", field="amount", remedy="above 0")
    return amount


def not_there(asked: int, there: int, what: str, remedy: str) -> Rejected:
    """Return the refusal of what is not there."""
    return refuse(RejectionReason.INSUFFICIENT, f"{asked} asked for, {there} {what}", field="amount", remedy=remedy)


def take_in(house: House, account: int, asset: int, amount: int) -> None:
    """Pledge in the books and in the pool; raises Rejected (insufficient) when it is not available."""
    row = house.ledger.find(account, asset)
    there = int(house.ledger.available(np.array([row]))[0]) if row >= 0 else 0
    if amount > there or house.ledger.pledge(np.array([row]), np.array([amount], np.int64)).any():
        raise not_there(amount, max(there, 0), "is available", "deposit it first")
    house.pool.pledge(account, asset, amount)


def give_back(house: House, account: int, asset: int, amount: int) -> None:
    """Take out of the pool and the books' pledge."""
    row = np.array([house.ledger.find(account, asset)])
    if house.ledger.unpledge(row, np.array([amount], np.int64)).any():
        raise InvariantBroken("what the pool holds is not pledged in the books")
    house.pool.pledge(account, asset, -amount)
