"""What a link's house starts with: a simulated past and three closes, stock and money for the orders to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.app.link_futures import Futures
from tsingma.app.link_orders import BUY, CONTRACTS, Orders
from tsingma.app.parameter_file import build_parameters
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.journal.commands import Command, DepositAssets, LoadReference
from tsingma.journal.link_commands import NameHolders
from tsingma.links.rule_rows import MarginModel, Product
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.market.history import PriceHistory
from tsingma.reference.kinds import InstrumentKind
from tsingma.simulate.prices import closes_ending_at, daily_returns
from tsingma.simulate.shape import default_shape

Int64 = npt.NDArray[np.int64]

WORKING_CENTS = 20_000_000_00  # of the market's money in every account, for charges; and of HKD beside the margin
OPENING_LOTS = 400  # of each security, for each lowest holder
PRICE_E4 = {
    InstrumentKind.BOND: 1_000_000,
    InstrumentKind.COMMODITY: 5_600_000,
    InstrumentKind.FUTURE: 40_000_000,
    InstrumentKind.SWAP: 1_000_000,
}
USUAL_PRICE_E4 = 250_000
INDEX = "99999"  # the market as a whole, in the simulated past
RATES = {"CNY": "CNY_e6", "USD": "USD_e6", "EUR": "EUR_e6"}


@dataclass(frozen=True, slots=True)
class Market:
    """Closes (e4) of every counter on the day before, the day and the days after; rates and risk parameters."""

    closes_e4: Int64
    fx_e6: tuple[int, ...]
    parameters: Parameters
    working_cents: int = WORKING_CENTS

    def close(self, row: int) -> Int64:
        """Return the closes of the day before (0), the day (1) or after (2)."""
        chosen: Int64 = self.closes_e4[row]
        return chosen

    def opening_units(self, house: House, one: DirectionBook) -> dict[tuple[int, int], int]:
        """Return what home accounts of a direction may sell: units free in the ledger by (account, counter)."""
        found = {}
        for product, counters in one.counters.items():
            if product in CONTRACTS:
                continue
            for account in one.home:
                for counter in counters:
                    asset = house.resolved.asset_of_security(int(house.resolved.counter_security[counter]))
                    row = house.ledger.find(account, asset)
                    found[account, counter] = int(house.ledger.available(np.array([row]))[0]) if row >= 0 else 0
        return found


def simulated_closes(book: LinkBook, day: date, chance: np.random.Generator) -> Market:
    """Return invented closes and risk parameters made from an invented past that ends the day before."""
    shape = default_shape()
    counters = book.resolved.book.counters
    days = shape.returns.history_days
    moved = daily_returns(shape.returns, days + 2, len(counters) + 1, chance)
    for place, counter in enumerate(counters):
        if counter.kind is InstrumentKind.BOND:
            moved[:, place] *= 0.05
    last = np.array([PRICE_E4.get(one.kind, USUAL_PRICE_E4) for one in counters] + [USUAL_PRICE_E4], np.int64)
    past = closes_ending_at(last, moved[:days])
    closes = [past[-1]]
    for row in (days, days + 1):
        closes.append(np.maximum(np.rint(closes[-1] * (1 + moved[row])).astype(np.int64), 100))
    on_tick = np.stack(closes)[:, :-1] // 100 * 100
    rates = shape.rates
    fx = tuple(FX_UNIT_E6 if unit == "HKD" else int(rates[RATES[unit]]) for unit in CURRENCIES)
    return Market(np.maximum(on_tick, 100), fx, _parameters(book, past, day))


def _parameters(book: LinkBook, past: Int64, day: date) -> Parameters:
    """Return parameters with scenarios for what a model margins; the rest has its market's flat rate."""
    modelled = {
        counter
        for one in book.directions
        if one.plan.margin is not None and one.plan.margin.model is not MarginModel.FLAT_RATE
        for counters in one.counters.values()
        for counter in counters
    }
    chosen = [*sorted(modelled), past.shape[1] - 1]
    names = [book.resolved.book.counters[place].code for place in sorted(modelled)] + [INDEX]
    days = np.arange(to_day(day) - 2 * past.shape[0], to_day(day), dtype=np.int32)
    weekdays = days[(days + 3) % 7 < 5][-past.shape[0] :]  # 1970-01-01 was a Thursday
    close = np.ascontiguousarray(past[:, chosen])
    history = PriceHistory(weekdays, tuple(names), close, np.zeros(close.shape, np.bool_))
    return build_parameters(history, FilterSettings())


def opening(
    book: LinkBook, market: Market, futures: Futures, planned: Sequence[Orders], *, fail: bool
) -> Iterator[tuple[str, Command]]:
    """Yield the commands that make the house ready: book, links, holders of what comes in, deposits, series."""
    yield "book", LoadReference(book.resolved.book)
    for one in book.directions:
        yield f"open-{one.plan.name}", one.opens
    stock: dict[tuple[int, int], int] = {}
    for one in book.directions:
        named = _opening_stock(book, one, stock)
        if named is not None:
            yield f"holders-{one.plan.name}", named
    if fail:
        _leave_one_short(book, stock)
    money = _opening_money(book, market, planned)
    rows = sorted({**stock, **money}.items())
    columns = [np.array(column, np.int64) for column in zip(*((*key, amount) for key, amount in rows), strict=True)]
    yield "deposits", DepositAssets(pack(columns[0], "i4"), pack(columns[1], "i4"), pack(columns[2], "i8"))
    series = futures.series()
    if series is not None:
        yield "series", series


def _opening_stock(book: LinkBook, one: DirectionBook, stock: dict[tuple[int, int], int]) -> NameHolders | None:
    """Give every lowest holder some of each security, and the other side enough for all; say whose it is."""
    rows: list[tuple[int, int, int]] = []
    for product, counters in one.counters.items():
        for counter in counters if product not in CONTRACTS else ():
            units = OPENING_LOTS * book.resolved.book.counters[counter].lot
            security = int(book.resolved.counter_security[counter])
            asset = book.resolved.asset_of_security(security)
            for account in one.home if product is not Product.NEW_SHARE else ():
                rows += [(leaf, security, units) for leaf in one.under[account]]
                stock[account, asset] = units * len(one.under[account])
            for account in one.other:
                stock[account, asset] = 1_000 * units
    if not rows:
        return None
    holder, security_column, quantity = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    due = np.zeros(holder.size, np.int64)
    return NameHolders(
        one.number, pack(holder, "i4"), pack(security_column, "i4"), pack(quantity, "i8"), pack(due, "i4")
    )


def _leave_one_short(book: LinkBook, stock: dict[tuple[int, int], int]) -> None:
    """Take the securities of the first direction away from those on the other side."""
    one = next((one for one in book.directions if any(p not in CONTRACTS for p in one.counters)), None)
    for counters in one.counters.values() if one is not None else ():
        for counter in counters:
            asset = book.resolved.asset_of_security(int(book.resolved.counter_security[counter]))
            for account in one.other if one is not None else ():
                stock.pop((account, asset), None)


def _opening_money(book: LinkBook, market: Market, planned: Sequence[Orders]) -> dict[tuple[int, int], int]:
    """Return money by (account, currency): what the orders need, working money, and for margin and lodging."""
    money: dict[tuple[int, int], int] = {}

    def add(account: int, unit: int, cents: int) -> None:
        money[account, unit] = money.get((account, unit), 0) + cents

    with_orders = [one for one in book.directions if one.counters]
    for one, orders in zip(with_orders, planned, strict=True):
        unit, own = CURRENCIES.index(one.plan.currency), CURRENCIES.index(one.plan.investor_currency)
        amount = orders.cents(orders.quantity)
        gross = int(amount.sum())
        for account in one.home:
            bought = int(amount[(orders.account == account) & (orders.side == BUY)].sum())
            add(account, own, bought * market.fx_e6[unit] // market.fx_e6[own] * 11 // 10)
        for account in (*one.home, *one.other):
            money.setdefault((account, unit), 0)
            add(account, unit, WORKING_CENTS)
            add(account, 0, WORKING_CENTS + gross * market.fx_e6[unit] // FX_UNIT_E6) if unit else None
        for account in one.other:
            add(account, unit, gross)
        for lodging in one.opens.lodgings:
            add(
                lodging.source,
                lodging.currency,
                WORKING_CENTS + 2 * gross * market.fx_e6[unit] // market.fx_e6[lodging.currency],
            )
    return money
