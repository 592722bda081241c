"""Charging a batch of trades: both sides, every line of the dated tariff, summed per account."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import MAKER_BUYER, MAKER_SELLER, Trades
from tsingma.engine.house import House
from tsingma.reference.book import KINDS
from tsingma.reference.fees import charge_columns

Int64 = npt.NDArray[np.int64]

_GROUP_KINDS = 64  # more than there are kinds; packs (market, kind, currency) into one number


class Accrual(NamedTuple):
    """One charge line on some of the trades: their places i8[n], who owes it i4[n], cents of ``currency`` i8[n]."""

    line: str
    currency: str
    place: Int64
    account: npt.NDArray[np.int32]
    amount_cents: Int64


def charge(house: House, trades: Trades) -> int:
    """Accrue every charge of the trades to the accounts that owe it; returns the sum of all cents.

    Nothing is accrued when a group is refused. Raises as ``charges_of``.
    """
    accruals = charges_of(house, trades)
    for one in accruals:
        unit = np.full(one.place.size, CURRENCIES.index(one.currency), np.int8)
        house.charges.accrue(one.line, one.account, unit, one.amount_cents)
    return sum(int(one.amount_cents.sum()) for one in accruals)


def charges_of(house: House, trades: Trades) -> list[Accrual]:
    """Return what the trades cost both sides, line by line.

    Trades are charged in groups of one market, kind, currency and side, as the tariff is written. A market without a
    tariff charges nothing: bonds are not traded on the exchange. Raises Rejected (missing) when the conversion rate of
    a currency is not fixed yet.
    """
    book = house.resolved
    market = book.counter_market[trades.counter].astype(np.int64)
    kind = book.counter_kind[trades.counter].astype(np.int64)
    currency = book.counter_currency[trades.counter].astype(np.int64)
    group = (market * _GROUP_KINDS + kind) * len(CURRENCIES) + currency
    amount = trades.amount_cents()
    crossed = book.account_participant[trades.buyer] == book.account_participant[trades.seller]
    unfixed = [CURRENCIES[unit] for unit in np.unique(currency).tolist() if house.fx_e6[unit] <= 0]
    if unfixed:
        raise refuse(
            RejectionReason.MISSING,
            f"no conversion rate is fixed for {', '.join(unfixed)}",
            file=trades.source,
            field="fx_e6",
            remedy="set the closing prices and rates of the day first",
        )
    rules = book.markets.on(to_date(trades.trade_day))
    accruals: list[Accrual] = []
    for number in np.unique(group).tolist():
        rest, unit = divmod(number, len(CURRENCIES))
        market_number, kind_number = divmod(rest, _GROUP_KINDS)
        rule = rules[market_number]
        if not rule.tariff and not rule.charges:
            continue
        chosen = np.flatnonzero(group == number)
        for side, account, flag in (("buy", trades.buyer, MAKER_BUYER), ("sell", trades.seller, MAKER_SELLER)):
            lines = charge_columns(
                market=rule,
                kind=KINDS[kind_number],
                side=side,
                amount_cents=amount[chosen],
                currency=CURRENCIES[unit],
                day=to_date(trades.trade_day),
                fx_e6=house.fx_e6[unit],
                market_maker=(trades.maker[chosen] & flag) != 0,
                crossed=crossed[chosen],
            )
            accruals += [Accrual(one.name, one.currency, chosen, account[chosen], one.amount_cents) for one in lines]
    return accruals
