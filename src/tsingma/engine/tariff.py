"""Charging a batch of trades: both sides, every line of the dated tariff, summed per account."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.derivatives import CENT_E4, DerivativeTrades
from tsingma.clearing.trades import MAKER_BUYER, MAKER_SELLER, Trades
from tsingma.engine.house import House
from tsingma.reference.book import KINDS, InstrumentKind
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


def charge_futures(house: House, trades: DerivativeTrades) -> int:
    """Accrue what futures cost that are listed on a market of their own, by its rule; returns the sum of all cents.

    A future on a stock or an index of the exchange carries no charge here: its underlying is no future. The value is
    price x multiplier x contracts. Raises Rejected (missing) when the conversion rate of a currency is not fixed yet.
    """
    book, series = house.resolved, house.derivatives.series
    rules, day = book.markets.on(to_date(house.position.day)), to_date(house.position.day)
    accruals = []
    for number in np.unique(trades.series).tolist():
        counter = book.counter_index.get(series[number].underlying)
        if counter is None or KINDS[int(book.counter_kind[counter])] is not InstrumentKind.FUTURE:
            continue
        rule, unit = rules[int(book.counter_market[counter])], int(book.counter_currency[counter])
        if not rule.tariff and not rule.charges:
            continue
        if house.fx_e6[unit] <= 0:
            message = f"no conversion rate is fixed for {CURRENCIES[unit]}"
            raise refuse(RejectionReason.MISSING, message, field="fx_e6", remedy="set the prices of the day first")
        chosen = np.flatnonzero(trades.series == number)
        value = trades.quantity[chosen] * trades.price_e4[chosen] * series[number].multiplier // CENT_E4
        nobody = np.zeros(chosen.size, np.bool_)
        for side, account in (("buy", trades.buyer), ("sell", trades.seller)):
            lines = charge_columns(
                market=rule, kind=InstrumentKind.FUTURE, side=side, amount_cents=value, currency=CURRENCIES[unit],
                day=day, fx_e6=house.fx_e6[unit], market_maker=nobody, crossed=nobody,
            )  # fmt: skip
            accruals += [(account[chosen].astype(np.int32), line) for line in lines]
    for owner, line in accruals:
        unit_of_line = np.full(owner.size, CURRENCIES.index(line.currency), np.int8)
        house.charges.accrue(line.name, owner, unit_of_line, line.amount_cents)
    return sum(int(line.amount_cents.sum()) for _, line in accruals)
