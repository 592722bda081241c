"""A link's whole simulated day from its rule file alone: orders, quota, trades, margin, settlement, chain, proof.

A fresh house gets the link's markets, invented firms and securities; the day before, client ids are mapped. On the day
the orders go through the checks, what trades is novated or instructed, charged and margined, and margin is lodged
between the houses. The days go on until the last trade of the day has settled by the link's own cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.app.link_book import DirectionBook, LinkBook, link_book
from tsingma.app.link_figures import DirectionFigures, LinkRun, chain_rows, day_row
from tsingma.app.link_futures import Futures
from tsingma.app.link_margin import lodge, margin_call
from tsingma.app.link_money import LinkMoney
from tsingma.app.link_orders import (
    BUY,
    Orders,
    Routed,
    invent_orders,
    map_clients,
    route,
    terms_of,
    trades_of,
)
from tsingma.app.link_setup import Market, opening, simulated_closes
from tsingma.app.link_swaps import Swaps
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import Trades
from tsingma.engine.proof import prove
from tsingma.journal.commands import CloseDay, Command, OpenDay, RunStep, SetClosingPrices
from tsingma.journal.events import DayClosed, Event, MarginCalled, StepRun
from tsingma.journal.link_commands import NameHolders
from tsingma.journal.link_order_commands import LinkDayTerms
from tsingma.links.machine import LinkPlan, plan_link
from tsingma.links.rule_rows import LinkRules
from tsingma.reference.calendars import LAST_DAY, Calendar, calendar
from tsingma.reference.markets import Markets, shipped_markets
from tsingma.settlement.timetable import TimetableStep, timetable

Int64 = npt.NDArray[np.int64]

FIRST_DAY = date(2026, 1, 5)
ORDERS_MAX = 20_000


@dataclass(slots=True)
class _Side:
    """One direction on its day: what was ordered, what became of it, what it came to."""

    book: DirectionBook
    orders: Orders
    routed: Routed
    trades: Trades
    holders: Int64
    figures: DirectionFigures
    money: LinkMoney
    captured: bool = False


@dataclass(slots=True)
class _Run:
    """The house of the day and what has been seen of it so far."""

    session: Session
    rules: LinkRules
    book: LinkBook
    market: Market
    futures: Futures
    swaps: Swaps
    day: date
    sides: list[_Side] = field(default_factory=list)
    days: list[dict[str, object]] = field(default_factory=list)
    moment: date = FIRST_DAY
    called_hkd_cents: int = 0  # when trading stopped
    lodged_cents: dict[str, int] = field(default_factory=dict)

    def once(self, name: str, make: object) -> Event:
        """Carry out one command of the open day by its name."""
        return self.session.once(f"{self.moment}/{name}", make).events[0]  # type: ignore[arg-type]


def run_link(
    rules: LinkRules, *, day: date | None = None, seed: int = 1, orders: int = 40, fail: bool = False,
    session: Session | None = None,
) -> LinkRun:  # fmt: skip
    """Run a link's day and return its figures; ``orders`` for each product, ``fail`` leaves one seller without stock.

    Without a session the house leaves nothing behind. Raises Rejected: a day on which a direction does not trade, more
    orders than 20,000 a product, or whatever the house refuses.
    """
    with session or Session.in_memory() as house:
        if not 1 <= orders <= ORDERS_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{orders} orders, 1 to {ORDERS_MAX}", field="orders")
        if house.sequencer.sequence:
            message = f"the house has {house.sequencer.sequence} records"
            raise refuse(RejectionReason.NOT_ALLOWED, message, field="house", remedy="a link's day needs a new one")
        found = day or first_day(rules)
        plan = plan_link(rules, found)
        _require_trading(plan, found)
        chance = np.random.Generator(np.random.PCG64([seed, *rules.name.encode()]))
        book = link_book(rules, plan)
        run = _Run(
            house, rules, book, simulated_closes(book, found, chance), Futures(book), Swaps(book, found, seed), found
        )
        _carry_out(run, orders, chance, fail=fail)
        return _result(run, seed)


def _carry_out(run: _Run, orders: int, chance: np.random.Generator, *, fail: bool) -> None:
    """Make the house ready, run the day before and the day, and go on until all of it is due."""
    planned = _plan_orders(run, orders, chance)
    run.moment = house_days().previous_before(run.day)
    for name, command in opening(run.book, run.market, run.futures, [pair[1] for pair in planned], fail=fail):
        run.session.once(f"link/{name}", lambda command=command: command)  # type: ignore[misc]
    series = run.swaps.series()
    if series is not None:
        run.session.once("link/swaps", lambda: series)
    _day_before(run)
    _day_of_trade(run, planned)
    last = _last_due(run)
    while run.moment < last:
        _next_day(run)


def house_days() -> Calendar:
    """Return the calendar of the days on which the house is open."""
    return calendar(shipped_markets().days)


def first_day(rules: LinkRules) -> date:
    """Return the first day from 5 January 2026 on which every direction trades; raises Rejected when there is none."""
    day = max(rules.valid_from, FIRST_DAY)
    while day < LAST_DAY:
        if house_days().is_business_day(day) and not _closed(plan_link(rules, day), day):
            return day
        day = house_days().next_after(day)
    raise refuse(RejectionReason.BEYOND_HORIZON, "its directions never trade on one day", subject=rules.name)


def _closed(plan: LinkPlan, day: date) -> list[str]:
    """Return the directions that do not trade on a day."""
    trading = Markets(plan.markets, plan.calendars).trading(day)
    return [one.name for one in plan.directions if not trading[one.rule.code]]


def _require_trading(plan: LinkPlan, day: date) -> None:
    closed = _closed(plan, day)
    if closed:
        message = f"{', '.join(closed)} does not trade on {day}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="date", subject=plan.name, remedy="see links days")


def _plan_orders(run: _Run, each: int, chance: np.random.Generator) -> list[tuple[DirectionBook, Orders]]:
    planned = []
    for one in run.book.directions:
        if one.counters:
            terms = _terms(run, one)
            planned.append((one, invent_orders(run.book, one, terms, run.market.close(0), each, chance)))
    return planned


def _terms(run: _Run, one: DirectionBook) -> LinkDayTerms:
    return terms_of(run.rules, one, run.day, run.market.fx_e6)[0]


def _day_before(run: _Run) -> None:
    """Open the house and map client ids: an order needs one that was mapped in time."""
    run.once("open", lambda: OpenDay(to_day(run.moment)))
    run.once("prices", lambda: _prices(run, 0))
    for one in run.book.directions:
        if one.counters:
            run.once(f"{one.plan.name}/clients", lambda one=one: map_clients(run.book, one, _terms(run, one)))
    for step in timetable(run.book.resolved.markets):
        run.once(step.name, lambda step=step: RunStep(step.name))
    run.once("close", CloseDay)


def _day_of_trade(run: _Run, planned: list[tuple[DirectionBook, Orders]]) -> None:
    run.moment = run.day
    run.once("open", lambda: OpenDay(to_day(run.moment)))
    run.once("prices", lambda: _prices(run, 1))
    first_id = 1
    for one, orders in planned:
        side = _route(run, one, orders, first_id)
        first_id += len(side.trades)
        run.sides.append(side)
    steps: list[StepRun] = []
    for step in timetable(run.book.resolved.markets):
        for side in run.sides:
            if not side.captured and step.time >= f"{side.book.plan.last_order:%H:%M}":
                _capture(run, side)
                if all(one.captured for one in run.sides):
                    _call_at_close(run)
        _step(run, step, steps)
    run.futures.mark(run.once, run.market.close(1))
    run.swaps.mark(run.once, run.session.house)
    _end(run, steps)


def _route(run: _Run, one: DirectionBook, orders: Orders, first_id: int) -> _Side:
    """Send a direction's orders through its checks and return what may be captured."""
    terms, note = terms_of(run.rules, one, run.day, run.market.fx_e6)
    held = run.market.opening_units(run.session.house, one)
    clears = run.swaps.limit(run.session.house, one, run.market.fx_e6)
    routed = route(run.once, run.book, one, orders, terms, run.market.fx_e6, held, clears)
    routed.note = note or routed.note
    trades, holders = trades_of(run.book, one, orders, routed, run.day, first_id)
    figures = DirectionFigures.of(one, orders, routed, trades)
    money = LinkMoney(run.book, one, figures, run.market.working_cents)
    return _Side(one, orders, routed, trades, holders, figures, money)


def _capture(run: _Run, side: _Side) -> None:
    """Novate or instruct a direction's trades, and say who is behind each."""
    side.captured = True
    name = side.book.plan.name
    before = run.session.house.charges.by_line()
    if len(side.trades):
        for place, command in enumerate(side.trades.commands()):
            run.once(f"{name}/trades/{place}", lambda command=command: command)
        run.once(f"{name}/holders", lambda: _named(run, side))
        stock_day = run.book.resolved.markets.settlement_days(run.day)[side.book.plan.rule.code][0]
        if stock_day > to_day(run.day):
            side.money.prefund(run.once, run.session.house, side.orders, side.routed, stock_day)
    run.futures.capture(run.once, side.book, side.orders, side.routed)
    run.swaps.register(run.once, side.book, side.orders, side.routed, run.market.close(0))
    side.figures.charged(before, run.session.house.charges.by_line())


def _call_at_close(run: _Run) -> None:
    """Call and lodge margin when the link has stopped trading: before what settles today has settled."""
    house, parameters = run.session.house, run.market.parameters
    called = run.once("margin-at-close", lambda: margin_call(house, parameters, run.futures, run.swaps))
    if isinstance(called, MarginCalled):
        run.called_hkd_cents = called.requirement_cents
    for one in lodge(run.once, house, run.book, parameters, run.futures, run.swaps, when="at-close"):
        run.lodged_cents[f"{one.lodger} with {one.holder}"] = one.lodged_cents


def _named(run: _Run, side: _Side) -> NameHolders:
    stock_day = run.book.resolved.markets.settlement_days(run.day)[side.book.plan.rule.code][0]
    trades = side.trades
    bought = np.isin(trades.buyer, side.book.home)
    return NameHolders(
        side.book.number,
        pack(side.holders, "i4"),
        pack(run.book.resolved.counter_security[trades.counter], "i4"),
        pack(np.where(bought, trades.quantity, -trades.quantity), "i8"),
        pack(np.full(len(trades), stock_day), "i4"),
    )


def _next_day(run: _Run) -> None:
    run.moment = house_days().next_after(run.moment)
    run.once("open", lambda: OpenDay(to_day(run.moment)))
    run.once("prices", lambda: _prices(run, 2))
    for side in run.sides:
        if not side.book.plan.cleared:
            side.money.pay_gross(run.once, run.session.house, to_day(run.moment))
    steps: list[StepRun] = []
    for step in timetable(run.book.resolved.markets):
        _step(run, step, steps)
    run.futures.mark(run.once, run.market.close(2))
    run.swaps.mark(run.once, run.session.house)
    _end(run, steps)


def _step(run: _Run, step: TimetableStep, steps: list[StepRun]) -> None:
    for side in run.sides:
        if side.book.plan.cleared and step.name == side.book.plan.money_step:
            side.money.pay_net(run.once, run.session.house)
    event = run.once(step.name, lambda: RunStep(step.name))
    if isinstance(event, StepRun):
        steps.append(event)
        for side in run.sides:
            side.figures.take(event, str(run.moment))


def _end(run: _Run, steps: list[StepRun]) -> None:
    """Give back what was not needed, call margin, lodge between houses, close and prove the day."""
    for side in run.sides:
        side.money.bring_home(run.once, run.session.house)
    name = str(run.moment)
    called = run.once("margin", lambda: margin_call(run.session.house, run.market.parameters, run.futures, run.swaps))
    if isinstance(called, MarginCalled):
        lodged = lodge(
            run.once, run.session.house, run.book, run.market.parameters, run.futures, run.swaps, when="evening"
        )
        closed = run.once("close", CloseDay)
        if isinstance(closed, DayClosed):
            run.days.append(day_row(name, steps, called, lodged, closed))


def _prices(run: _Run, row: int) -> Command:
    close = run.market.close(row)
    return SetClosingPrices(pack(np.arange(close.size), "i4"), pack(close, "i8"), run.market.fx_e6)


def _last_due(run: _Run) -> date:
    """Return the last day on which something of the day's trades falls due; futures are marked once more at least."""
    due = run.book.resolved.markets.settlement_days(run.day)
    days = [day for side in run.sides if len(side.trades) for day in due[side.book.plan.rule.code]]
    last = to_date(max(days)) if days else run.day
    return max(last, house_days().next_after(run.day)) if run.futures.traded or run.swaps.traded else last


def _result(run: _Run, seed: int) -> LinkRun:
    proof = prove(run.session.store)
    plan = run.book.plan
    return LinkRun(
        link=plan.name,
        title=plan.title,
        status=plan.status,
        assumptions=plan.assumptions,
        simulated=f"firms, securities, prices and orders are invented, seed {seed}",
        day=str(run.day),
        directions=[side.figures for side in run.sides],
        left_out=[
            f"{one.name}: {product} is not settled in this house" for one in plan.directions for product in one.left_out
        ],
        margin_at_close_hkd_cents=run.called_hkd_cents,
        lodged_at_close_cents=run.lodged_cents,
        days=run.days,
        futures=run.futures.marks,
        swaps=run.swaps.marks,
        chains=chain_rows(run.session.house),
        records=proof.records,
        state_hash=proof.state_hash,
        faults=proof.faults,
        checked=list(proof.checked),
    )


__all__ = ["BUY", "first_day", "run_link"]
