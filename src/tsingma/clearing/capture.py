"""Checks a trade must pass before it is novated; a file with one bad trade is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, INT64_MAX
from tsingma.basics.rejection import Rejection, RejectionReason
from tsingma.clearing.trades import MODE_CNS, MODE_DVP, Trades
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass, ResolvedBook

FAULTS_MAX = 100
SECONDS_A_DAY = 86_400
AMOUNT_CENTS_MAX = 10**15  # ten trillion of any currency in one trade; keeps every daily sum inside 64 bits

Mask = npt.NDArray[np.bool_]


def check(
    trades: Trades,
    book: ResolvedBook,
    open_day: int,
    seen_ids: npt.NDArray[np.int64],
    trading: Mapping[str, bool] | None = None,
) -> list[Rejection]:
    """Return every fault of a batch of trades, at most 100, in order of line; empty means it may be captured.

    ``open_day`` is the business day that is open; ``seen_ids`` the sorted ids already captured that day;
    ``trading`` says of each market whether it trades on that day (all do when it is not given).
    """
    if trades.trade_day != open_day:
        return [_day_fault(trades, open_day)]
    faults: list[tuple[int, Rejection]] = []

    def add(mask: Mask, reason: RejectionReason, field: str, text: Callable[[int], str], remedy: str = "") -> None:
        places = np.flatnonzero(mask)[: FAULTS_MAX - len(faults)].tolist()
        faults.extend((i, _fault(trades, i, reason, field, text(i), remedy)) for i in places)

    known = _check_indices(trades, book, add)
    _check_numbers(trades, add)
    _check_ids(trades, seen_ids, add)
    if known:
        _check_rules(trades, book, trading, add)
    return [fault for _, fault in sorted(faults, key=lambda entry: entry[0])]


Add = Callable[..., None]


def _fault(trades: Trades, i: int, reason: RejectionReason, field: str, message: str, remedy: str) -> Rejection:
    return Rejection(
        reason=reason,
        file=trades.source,
        line=i + 2,  # line 1 is the header
        field=field,
        subject=f"trade {int(trades.trade_id[i])}",
        message=message,
        remedy=remedy,
    )


def _day_fault(trades: Trades, open_day: int) -> Rejection:
    return Rejection(
        reason=RejectionReason.NOT_ALLOWED,
        file=trades.source,
        field="trade_date",
        message=f"these are trades of day {trades.trade_day}, day {open_day} is open",
        remedy="open the day of the trades first",
    )


def _check_indices(trades: Trades, book: ResolvedBook, add: Add) -> bool:
    counters, accounts = book.counter_security.size, book.account_participant.size
    clean = True
    for field, column, size in (
        ("instrument", trades.counter, counters),
        ("buyer", trades.buyer, accounts),
        ("seller", trades.seller, accounts),
    ):
        outside = (column < 0) | (column >= size)
        clean = clean and not outside.any()
        add(outside, RejectionReason.UNKNOWN, field, lambda i, c=column: f"number {int(c[i])} names nothing")
    return clean


def _check_numbers(trades: Trades, add: Add) -> None:
    quantity, price = trades.quantity, trades.price_e4
    out = RejectionReason.OUT_OF_RANGE
    add(quantity <= 0, out, "quantity", lambda i: f"{int(quantity[i])} is not positive")
    add(price <= 0, out, "price", lambda i: f"{int(price[i])} ten-thousandths is not positive")
    large = quantity > np.minimum(AMOUNT_CENTS_MAX * 100, INT64_MAX // 2) // np.maximum(price, 1)
    add(large, out, "quantity", lambda i: f"{int(quantity[i])} x {int(price[i])} is too large", "split the trade")
    time = trades.time_s
    add((time < 0) | (time >= SECONDS_A_DAY), out, "trade_time", lambda i: f"second {int(time[i])} is not of this day")
    mode, maker = trades.mode, trades.maker
    unknown = RejectionReason.UNKNOWN
    add((mode < MODE_CNS) | (mode > MODE_DVP), unknown, "mode", lambda i: f"mode {int(mode[i])} is not known")
    add((maker < 0) | (maker > 3), unknown, "maker", lambda i: f"market-maker flags {int(maker[i])} are not known")


def _check_ids(trades: Trades, seen_ids: npt.NDArray[np.int64], add: Add) -> None:
    ids = trades.trade_id
    add(ids <= 0, RejectionReason.OUT_OF_RANGE, "trade_id", lambda i: f"{int(ids[i])} is not positive")
    order = np.argsort(ids, kind="stable")
    again = np.zeros(ids.size, np.bool_)
    again[order[1:]] = ids[order[1:]] == ids[order[:-1]]
    add(again, RejectionReason.DUPLICATE, "trade_id", lambda i: f"{int(ids[i])} is in this file before")
    if seen_ids.size:
        place = np.minimum(np.searchsorted(seen_ids, ids), seen_ids.size - 1)
        add(
            seen_ids[place] == ids,
            RejectionReason.DUPLICATE,
            "trade_id",
            lambda i: f"{int(ids[i])} was captured before",
        )


def _price(value_e4: int) -> str:
    """Return a price in ten-thousandths as a decimal number."""
    return f"{value_e4 // 10_000}.{value_e4 % 10_000:04d}"


def _check_rules(trades: Trades, book: ResolvedBook, trading: Mapping[str, bool] | None, add: Add) -> None:
    tick = book.counter_tick_e4[trades.counter]
    off_tick = trades.price_e4 % tick != 0
    add(
        off_tick,
        RejectionReason.OUT_OF_RANGE,
        "price",
        lambda i: f"{_price(int(trades.price_e4[i]))} is no multiple of the tick {_price(int(tick[i]))}",
    )
    internal = [ACCOUNT_CLASSES.index(AccountClass.CNS), ACCOUNT_CLASSES.index(AccountClass.ISSUANCE)]
    for field, column in (("buyer", trades.buyer), ("seller", trades.seller)):
        own = np.isin(book.account_class[column], internal)
        add(own, RejectionReason.NOT_ALLOWED, field, lambda i: "one of the house's own accounts cannot trade")
    market = book.counter_market[trades.counter]
    rules = book.markets.on(to_date(trades.trade_day))
    for number, name in enumerate(book.markets.codes):
        here = market == number
        if not here.any():
            continue
        legal = np.isin(trades.mode, rules[number].mode_numbers)
        add(here & ~legal, RejectionReason.NOT_ALLOWED, "mode", lambda i, n=name: f"not a way to settle in {n}")
        if trading is not None and not trading[name]:
            add(here, RejectionReason.NOT_ALLOWED, "trade_date", lambda i, n=name: f"{n} does not trade on this day")


def gross_by_currency(trades: Trades, book: ResolvedBook) -> tuple[int, ...]:
    """Return the one-sided amount of the trades in cents, per house currency."""
    amount, currency = trades.amount_cents(), book.counter_currency[trades.counter]
    return tuple(int(amount[currency == unit].sum()) for unit in range(len(CURRENCIES)))
