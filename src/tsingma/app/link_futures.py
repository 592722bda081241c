"""Futures traded over a link: series on the market's underlyings, trades, daily marks, and their margin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.app.link_orders import BUY, MULTIPLIER, Once, Orders, Routed
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.journal.commands import CaptureDerivatives, Command, ListSeries, MarkDerivatives
from tsingma.journal.events import DerivativesMarked
from tsingma.journal.link_commands import NameHolders
from tsingma.links.rule_rows import MarginModel, Product
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters

Int64 = npt.NDArray[np.int64]

SERIES_DAYS = 60
CLEARED_AT = "HKCC"  # the room of the derivative book that keeps futures


class Futures:
    """The series of a link and their underlyings; marks of each day by direction."""

    def __init__(self, book: LinkBook) -> None:
        """Number the series in the order of directions and underlyings."""
        self.book = book
        self.place: dict[int, int] = {}  # series of an underlying (counter)
        self.side: list[DirectionBook] = []
        for one in book.directions:
            for counter in one.counters.get(Product.FUTURE, ()):
                self.place[counter] = len(self.side)
                self.side.append(one)
        self.traded = False
        self.marks: list[dict[str, object]] = []

    def series(self) -> ListSeries | None:
        """Return the command that lists one series on each underlying, or None."""
        rows = []
        for counter in self.place:
            code = self.book.resolved.book.counters[counter].code
            rows.append(
                (f"{code}-1", CLEARED_AT, "future", code, MULTIPLIER, 0, to_day(self.book.plan.day) + SERIES_DAYS)
            )
        return ListSeries(tuple(rows), tuple(one.plan.currency for one in self.side)) if rows else None

    def capture(self, once: Once, one: DirectionBook, orders: Orders, routed: Routed) -> int:
        """Novate the futures among a direction's trades; returns how many there are."""
        rows = np.flatnonzero((routed.traded > 0) & np.array([p is Product.FUTURE for p in orders.product], np.bool_))
        if not rows.size:
            return 0
        other = np.full(rows.size, one.other[0], np.int64)
        buys = orders.side[rows] == BUY
        columns = {
            "trade_id": (rows + 1, "i8"),
            "series": (np.array([self.place[int(counter)] for counter in orders.counter[rows]], np.int64), "i4"),
            "buyer": (np.where(buys, orders.account[rows], other), "i4"),
            "seller": (np.where(buys, other, orders.account[rows]), "i4"),
            "quantity": (routed.traded[rows], "i8"),
            "price_e4": (orders.price_e4[rows], "i8"),
        }
        packed = {name: pack(column, kind) for name, (column, kind) in columns.items()}
        source = f"{self.book.plan.name}/{one.plan.name}, simulated"
        once(f"{one.plan.name}/futures", lambda: CaptureDerivatives(source=source, **packed))
        once(f"{one.plan.name}/futures-holders", lambda: self._named(one, orders, routed, rows))
        self.traded = True
        return int(rows.size)

    def _named(self, one: DirectionBook, orders: Orders, routed: Routed, rows: Int64) -> NameHolders:
        """Say for whom contracts were traded: theirs on the day of the trade."""
        signed = np.where(orders.side[rows] == BUY, routed.traded[rows], -routed.traded[rows])
        security = self.book.resolved.counter_security[orders.counter[rows]]
        day = np.full(rows.size, to_day(self.book.plan.day))
        holder = pack(orders.holder[rows], "i4")
        return NameHolders(one.number, holder, pack(security, "i4"), pack(signed, "i8"), pack(day, "i4"))

    def mark(self, once: Once, close_e4: Int64) -> None:
        """Fix the settlement prices of a day and move its variation margin."""
        if not self.place:
            return

        def make() -> Command:
            price = pack([int(close_e4[counter]) for counter in self.place], "i8")
            return MarkDerivatives(pack(list(self.place.values()), "i4"), price, 0)

        event = once("futures-marks", make)
        if isinstance(event, DerivativesMarked):
            moved = {"collected_HKD": event.collected_cents, "paid_HKD": event.paid_cents, **event.other_cents}
            self.marks.append({name: cents for name, cents in moved.items() if cents})

    def margin(self, house: House, parameters: Parameters) -> dict[int, int]:
        """Return the margin of open futures in whole HKD by account: the rule's flat rate of notional, or the scan."""
        found: dict[int, int] = {}
        modelled = False
        for account, place, notional in self.notional(house):
            row = self.side[place].plan.margin
            if row is None or row.model is not MarginModel.FLAT_RATE:
                modelled = True
                continue
            rate = self.side[place].plan.rule.flat_margin_e10
            found[account] = found.get(account, 0) + -(-notional * rate // SCALE_E10)
        if modelled:
            for account, called in DerivativeMargin(house, parameters).totals().items():
                found[account] = found.get(account, 0) + called
        return found

    def notional(self, house: House) -> list[tuple[int, int, int]]:
        """Return (account, series, notional in whole HKD) of every open position at the last closes."""
        book, rows = house.derivatives, []
        counter_of = {place: counter for counter, place in self.place.items()}
        for key, quantity in zip(book.key.tolist(), book.quantity.tolist(), strict=True):
            account, place = divmod(key, SERIES_MAX)
            counter = counter_of[place]
            unit = CURRENCIES.index(self.book.resolved.book.counters[counter].currency)
            value = abs(quantity) * MULTIPLIER * int(house.price_e4[counter]) * house.fx_e6[unit]
            if quantity:
                rows.append((account, place, value // (FX_UNIT_E6 * 10_000)))
        return rows
