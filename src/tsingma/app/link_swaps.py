"""Swaps traded over a link: series of the rule file's curve and terms, novation, evening marks, margin, clearing limit.

Between the clearing houses stands one account: the investors' trades net there, and what either house asks of the other
for it is the margin of that net position. Curves are simulated; a trade's fixed rate is the par rate of the evening
before and a tenth of a basis point for each tick of the order's limit from the close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from tsingma.app.house_swaps import mark_swaps, name_of, par_rate_e6, swap_margins
from tsingma.app.link_book import DirectionBook, LinkBook
from tsingma.app.link_orders import BUY, SWAP_PAR_E4, Once, Orders, Routed
from tsingma.app.stress_rates import rates_past
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import FX_UNIT_E6, House
from tsingma.journal.swap_commands import ListSwaps, RegisterSwaps, SwapTerms
from tsingma.journal.swap_events import SwapsMarked
from tsingma.links.rule_rows import Product
from tsingma.margin.house.contracts import Contract, ContractKind
from tsingma.margin.house.holdings import Holding
from tsingma.margin.house.holdings import House as ClearingHouse
from tsingma.margin.house.holdings import Product as HeldProduct
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.market.curve_history import CurveSeries
from tsingma.pricing.schedule import add_months
from tsingma.simulate.curves import simulate_curves

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PAST_WEEKDAYS, LATER_WEEKDAYS = 400, 30
TICK_E6 = 10  # a tenth of a basis point


class Swaps:
    """The series of a link, its curves, and what the evenings moved."""

    def __init__(self, book: LinkBook, day: date, seed: int) -> None:
        """Number the series in the order of directions and terms; raises Rejected for a curve nobody simulates."""
        self.book, self.day = book, day
        self.terms: list[SwapTerms] = []
        self.place: dict[int, int] = {}  # series of a counter
        for one in book.directions:
            for counter, months in zip(
                one.counters.get(Product.SWAP, ()), one.plan.swaps.months if one.plan.swaps else (), strict=False
            ):
                self.place[counter] = len(self.terms)
                self.terms.append(_terms(book, one, counter, months, day))
        self.curves = _curves({terms.curve for terms in self.terms}, day, seed)
        self.traded = False
        self.marks: list[dict[str, object]] = []
        self._called: tuple[object, dict[int, int]] | None = None

    def series(self) -> ListSwaps | None:
        """Return the command that lists the series, or None."""
        return ListSwaps(tuple(self.terms)) if self.terms else None

    def register(self, once: Once, one: DirectionBook, orders: Orders, routed: Routed, close_e4: Int64) -> int:
        """Novate the swaps among a direction's trades, the other house on the other side; returns how many."""
        rows = np.flatnonzero((routed.traded > 0) & orders.is_swap)
        if not rows.size or not self.place:
            return 0
        other = np.full(rows.size, one.other[0], np.int64)
        pays = orders.side[rows] == BUY
        columns: dict[str, tuple[Int64, str]] = {
            "trade_id": (rows + 1, "i8"),
            "series": (np.array([self.place[int(counter)] for counter in orders.counter[rows]], np.int64), "i4"),
            "payer": (np.where(pays, orders.account[rows], other), "i4"),
            "receiver": (np.where(pays, other, orders.account[rows]), "i4"),
            "notional_cents": (routed.traded[rows] * SWAP_PAR_E4 // 100, "i8"),
            "rate_e6": (self._rates(orders, close_e4)[rows], "i8"),
        }
        packed = {name: pack(column, kind) for name, (column, kind) in columns.items()}
        source = f"{self.book.plan.name}/{one.plan.name}, simulated"
        once(f"{one.plan.name}/swaps", lambda: RegisterSwaps(source=source, **packed))
        self.traded = True
        return int(rows.size)

    def _rates(self, orders: Orders, close_e4: Int64) -> Int64:
        """Return the fixed rate (e6) of every order of a swap."""
        found = np.zeros(orders.size, np.int64)
        par: dict[int, int] = {}
        for row in np.flatnonzero(orders.is_swap).tolist():
            counter = int(orders.counter[row])
            terms = self.terms[self.place[counter]]
            if counter not in par:
                curve = next(each for each in self.curves if each.name == terms.curve)
                rates = curve.on(np.array([to_day(self.day)], np.int32)).rates
                par[counter] = par_rate_e6(terms, self.day, curve.years, rates)
            tick = self.book.resolved.book.counters[counter].tick_e4
            found[row] = par[counter] + (int(orders.price_e4[row]) - int(close_e4[counter])) // tick * TICK_E6
        return found

    def mark(self, once: Once, house: House) -> None:
        """Mark the open swaps on the curves of the house's day and move the evening's money."""
        if not house.swaps.positions:
            return
        command = mark_swaps(house, self.curves, "simulated curves")
        if command is None:
            return
        event = once("swap-marks", lambda: command)
        if isinstance(event, SwapsMarked):
            moved = {name: cents for name, cents in event.moved_cents.items() if cents}
            self.marks.append({"day": str(to_date(house.position.day)), **moved})

    def margin(self, house: House) -> dict[int, int]:
        """Return what is called for open swaps by account, whole HKD, each account's as one portfolio."""
        asked = house.position.day, house.fx_e6, house.swaps.dump()
        if self._called is None or self._called[0] != asked:  # asked by the call and by each lodging of an hour
            self._called = asked, swap_margins(house, self.curves)
        return self._called[1]

    def limit(
        self, house: House, one: DirectionBook, fx_e6: tuple[int, ...]
    ) -> Callable[[Orders, Int64], Bools] | None:
        """Return what decides which trades the houses take: what they would lodge stays within the rule's limit."""
        limits = [(row.limit, row.currency) for row in one.plan.lodgings if row.limit]
        if not limits or not self.place:
            return None
        most_hkd = min(amount * fx_e6[CURRENCIES.index(unit)] // FX_UNIT_E6 for amount, unit in limits)
        rate = fx_e6[CURRENCIES.index(one.plan.currency)] / FX_UNIT_E6

        def clears(orders: Orders, traded: Int64) -> Bools:
            return self._within(orders, traded, most_hkd, rate)

        return clears

    def _within(self, orders: Orders, traded: Int64, most_hkd: int, hkd: float) -> Bools:
        """Take trades in order of time while the margin of the net position stays within a bound, whole HKD.

        When the whole day one way stays within it, in every series by itself, so does every net on the way.
        """
        contracts = {name_of(terms, 0): _at_nothing(terms) for terms in self.terms}
        past = rates_past(self.curves, contracts)
        row = int(np.searchsorted(past.history.dates, to_day(self.day), side="right")) - 1
        size = np.rint(orders.cents(traded) / 100 * hkd).astype(np.int64)
        signed = np.where(orders.side == BUY, size, -size)
        chosen = np.flatnonzero((traded > 0) & orders.is_swap)
        names = [name_of(self.terms[self.place[int(c)]], 0) if int(c) in self.place else "" for c in orders.counter]
        gross: dict[str, int] = {}
        for place in chosen.tolist():
            gross[names[place]] = gross.get(names[place], 0) + int(size[place])
        ways = ({name: sign * amount} for name, amount in gross.items() for sign in (1, -1))
        worst: dict[str, int] = {}
        for way in ways:
            (name,) = way
            worst[name] = max(worst.get(name, 0), _figure(way, past, row))
        taken = np.ones(orders.size, np.bool_)
        if sum(worst.values()) <= most_hkd:
            return taken
        net: dict[str, int] = {}
        for place in chosen.tolist():
            after = {**net, names[place]: net.get(names[place], 0) + int(signed[place])}
            if _figure(after, past, row) <= max(most_hkd, _figure(net, past, row) - 1):
                net = after
            else:
                taken[place] = False
        return taken


def _figure(net: Mapping[str, int], past: MarketPast, row: int) -> int:
    """Return the margin of a net position by contract, whole HKD."""
    lines = [
        Holding(house=ClearingHouse.OTC_CLEAR, product=HeldProduct.SWAP, factor=name, notional=amount, days=0)
        for name, amount in net.items()
        if amount
    ]
    return house_figure(ClearingHouse.OTC_CLEAR, lines, past, row).total if lines else 0


def _at_nothing(terms: SwapTerms) -> Contract:
    return Contract(
        id=name_of(terms, 0), kind=ContractKind.SWAP, curve=terms.curve, start=to_date(terms.start_day),
        maturity=to_date(terms.end_day), rate=None, months=terms.fixed_months,
        floating_months=terms.floating_months, fixing=0.0,
    )  # fmt: skip


def _terms(book: LinkBook, one: DirectionBook, counter: int, months: int, day: date) -> SwapTerms:
    """Return a series of a counter: it starts on the day after the trade."""
    row = one.plan.swaps
    if row is None:
        raise refuse(RejectionReason.MISSING, "the direction has no row of swaps", subject=one.plan.name)
    start = day + timedelta(days=1)
    code = book.resolved.book.counters[counter].code
    return SwapTerms(
        id=f"{code} {row.curve} {months}M", house=one.plan.levels[-1].holder, curve=row.curve,
        currency=one.plan.currency, start_day=to_day(start), end_day=to_day(add_months(start, months)),
        fixed_months=row.fixed_months, floating_months=row.floating_months,
    )  # fmt: skip


def _curves(names: set[str], day: date, seed: int) -> tuple[CurveSeries, ...]:
    """Return simulated curves by name over the past and some weeks to come; of a curve nobody knows, its currency's."""
    if not names:
        return ()
    start = day - timedelta(days=PAST_WEEKDAYS // 5 * 7)
    made = simulate_curves(seed, start, PAST_WEEKDAYS + LATER_WEEKDAYS)
    found = []
    for name in sorted(names):
        currency = name.partition(".")[0]
        like = next((one for one in made if one.name == name), None)
        like = like or next((one for one in made if one.currency == currency), None)
        if like is None:
            raise refuse(RejectionReason.MISSING, f"no curves of {currency} are simulated", field="curve", subject=name)
        found.append(CurveSeries(name, like.dates.copy(), like.years.copy(), like.rates.copy()))
    return tuple(found)
