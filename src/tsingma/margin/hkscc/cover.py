"""Specific collateral: pledged stock covers short positions, arranged cash covers long ones, before anything is netted.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), specific stock and specific cash collateral. Cover
counts only while the business date is before the settlement date; what exceeds the positions is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away, divide_up
from tsingma.margin.hkscc.parameters import SCALE_E10

HOME_CURRENCY = "HKD"


class DatedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A marginable position of one trade and settlement date; values are whole units of its own currency."""

    instrument: str
    quantity: int
    contract_value: int
    market_value: int
    currency: str
    trade_date: date
    settlement_date: date
    market: str = "HK"


class StockCover(msgspec.Struct, frozen=True):
    """Shares pledged against short positions of one settlement-counter code and settlement date."""

    instrument: str
    settlement_date: date
    quantity: int


class CashCover(msgspec.Struct, frozen=True):
    """Cash arranged against long positions of one settlement-counter code, currency and trade date."""

    instrument: str
    currency: str
    trade_date: date
    amount: int


def settlement_counter(instrument: str, counters: Mapping[str, str]) -> str:
    """Return the settlement counter of a code: itself unless ``counters`` (other counter -> settlement) names one."""
    return counters.get(instrument, instrument)


def cover_with_stock(
    positions: Sequence[DatedPosition],
    covers: Iterable[StockCover],
    business_date: date,
    counters: Mapping[str, str],
    rates_e10: Mapping[str, int],
) -> list[DatedPosition]:
    """Return the positions less the shorts that pledged shares cover, in the order given.

    Of several shorts that qualify the one with the highest average price in HKD, |amount / quantity| at ``rates_e10``
    (HKD per unit of currency x 10**10, no haircut), is covered first. Values shrink in proportion.
    """
    left = list(positions)
    for cover in covers:
        _require_positive(cover.quantity, cover.instrument)
        if business_date >= cover.settlement_date:
            continue
        open_shorts = [
            place
            for place, position in enumerate(left)
            if position.quantity < 0
            and position.settlement_date == cover.settlement_date
            and settlement_counter(position.instrument, counters) == cover.instrument
        ]
        open_shorts.sort(key=lambda place: -_average_price(left[place], rates_e10))
        pledged = cover.quantity
        for place in open_shorts:
            used = min(pledged, -left[place].quantity)
            pledged -= used
            left[place] = _scaled(left[place], left[place].quantity + used)
    return left


def cover_with_cash(
    positions: Sequence[DatedPosition],
    covers: Iterable[CashCover],
    business_date: date,
    counters: Mapping[str, str],
) -> list[DatedPosition]:
    """Return the positions less the longs that arranged cash covers, in the order given.

    Only longs with a payable amount take cover. The quantity shrinks in proportion and what remains is rounded up:
    60,000 on 2,000 shares for 180,000 leaves 1,334 shares for 120,000.
    """
    left = list(positions)
    for cover in covers:
        _require_positive(cover.amount, cover.instrument)
        cash = cover.amount
        for place, position in enumerate(left):
            if not _takes_cash(position, cover, business_date, counters):
                continue
            used = min(cash, position.contract_value)
            cash -= used
            amount = position.contract_value - used
            quantity = divide_up(position.quantity * amount, position.contract_value)
            value = divide_half_away(position.market_value * quantity, position.quantity)
            left[place] = msgspec.structs.replace(
                position, quantity=quantity, contract_value=amount, market_value=value
            )
    return left


def _takes_cash(position: DatedPosition, cover: CashCover, business_date: date, counters: Mapping[str, str]) -> bool:
    return (
        position.quantity > 0
        and position.contract_value > 0
        and business_date < position.settlement_date
        and position.trade_date == cover.trade_date
        and position.currency == cover.currency
        and settlement_counter(position.instrument, counters) == cover.instrument
    )


def _scaled(position: DatedPosition, quantity: int) -> DatedPosition:
    size = abs(position.quantity)
    kept = abs(quantity)
    return msgspec.structs.replace(
        position,
        quantity=quantity,
        contract_value=divide_half_away(position.contract_value * kept, size),
        market_value=divide_half_away(position.market_value * kept, size),
    )


def _average_price(position: DatedPosition, rates_e10: Mapping[str, int]) -> Fraction:
    return abs(Fraction(position.contract_value * rate_of(position.currency, rates_e10), position.quantity))


def rate_of(currency: str, rates_e10: Mapping[str, int]) -> int:
    """Return HKD per unit of a currency x 10**10; raises Rejected when no rate is given for it."""
    if currency == HOME_CURRENCY:
        return SCALE_E10
    if currency not in rates_e10:
        raise refuse(
            RejectionReason.MISSING,
            f"no rate of {currency} to HKD is given",
            field="currency",
            remedy="give the rate of every currency of the positions",
        )
    return rates_e10[currency]


def _require_positive(value: int, instrument: str) -> None:
    if value <= 0:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"cover of {value} is not positive",
            subject=instrument,
            remedy="give pledged shares and cash as positive numbers",
        )
