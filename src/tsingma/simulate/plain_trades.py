"""Trades once more, one by one: what is wrong with a batch of them, and what each is charged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.engine.cycle import trading_markets
from tsingma.reference.book import AccountClass, Market
from tsingma.reference.fees import charges

if TYPE_CHECKING:
    from tsingma.simulate.plain_house import PlainBook, PlainHouse

QUANTITY_PRICE_MAX = 10**17
_WAYS: dict[str, tuple[int, ...]] = {Market.XHKG: (0, 1), Market.XSHG: (0,), Market.XSHE: (0,), Market.CMU: (2,)}


class Trade(NamedTuple):
    """One executed trade."""

    trade_id: int
    time_s: int
    counter: int
    buyer: int
    seller: int
    quantity: int
    price_e4: int
    mode: int
    maker: int

    @property
    def cents(self) -> int:
        """Quantity x price in cents, half a cent up."""
        return (self.quantity * self.price_e4 + 50) // 100


def trade_faults(house: PlainHouse, trade_day: int, rows: list[Trade]) -> set[RejectionReason]:
    """Return the reasons for which a batch must be refused; empty when it may be captured."""
    if trade_day != house.day:
        return {RejectionReason.NOT_ALLOWED}
    book = house.known
    times = Counter(row.trade_id for row in rows)
    found = {reason for row in rows for reason in _numbers(row)}
    if any(many > 1 for many in times.values()) or house.seen & set(times):
        found.add(RejectionReason.DUPLICATE)
    if all(_known(row, book) for row in rows):
        found |= {reason for row in rows for reason in _rules(row, book, trading_markets(to_date(trade_day)))}
    else:
        found.add(RejectionReason.UNKNOWN)
    return found


def _known(row: Trade, book: PlainBook) -> bool:
    accounts = len(book.account_owner)
    return 0 <= row.counter < len(book.counters) and 0 <= row.buyer < accounts and 0 <= row.seller < accounts


def _numbers(row: Trade) -> set[RejectionReason]:
    found = set()
    large = row.quantity > QUANTITY_PRICE_MAX // max(row.price_e4, 1)
    if row.quantity <= 0 or row.price_e4 <= 0 or large or not 0 <= row.time_s < 86_400 or row.trade_id <= 0:
        found.add(RejectionReason.OUT_OF_RANGE)
    if row.mode not in (0, 1, 2) or row.maker not in (0, 1, 2, 3):
        found.add(RejectionReason.UNKNOWN)
    return found


def _rules(row: Trade, book: PlainBook, trading: dict[str, bool]) -> set[RejectionReason]:
    counter = book.book.counters[row.counter]
    own = (AccountClass.CNS, AccountClass.ISSUANCE)
    classes = [book.book.accounts[account].account_class for account in (row.buyer, row.seller)]
    found = set()
    if row.price_e4 % counter.tick_e4:
        found.add(RejectionReason.OUT_OF_RANGE)
    if any(one in own for one in classes) or row.mode not in _WAYS[counter.market] or not trading[counter.market]:
        found.add(RejectionReason.NOT_ALLOWED)
    return found


def trade_charges(house: PlainHouse, rows: list[Trade]) -> int:
    """Accrue what both sides of every trade are charged and return the sum of all cents."""
    book, total = house.known, 0
    for row in rows:
        counter = book.book.counters[row.counter]
        if counter.market == Market.CMU:
            continue
        crossed = book.account_owner[row.buyer] == book.account_owner[row.seller]
        for side, account, flag in (("buy", row.buyer, 1), ("sell", row.seller, 2)):
            for line in charges(
                market=counter.market,
                kind=counter.kind,
                side=side,
                amount_cents=row.cents,
                currency=counter.currency,
                day=to_date(house.day),
                fx_e6=house.fx_e6[CURRENCIES.index(counter.currency)],
                market_maker=bool(row.maker & flag),
                crossed=crossed,
            ):
                key = (account, line.name, CURRENCIES.index(line.currency))
                house.accrued[key] = house.accrued.get(key, 0) + line.amount_cents
                total += line.amount_cents
    return total
