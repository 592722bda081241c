"""From a link's rule file to what the house runs on: markets, calendars, cycles, tariffs, chains, lodged margin.

One direction is one market of the reference book, named LINK/DIRECTION: its days, its cycle, its charges and its
margin are those of the rule file. Nothing here knows a link by name: a proposal or a stranger's link is resolved by the
same lines as the oldest one. Where the house is (``markets.toml``) decides which level of the chain its ledger keeps.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import TypeVar

import msgspec

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.link_commands import ChainLevel
from tsingma.links.rule_rows import (
    CalendarRow,
    CycleRow,
    Direction,
    LinkRules,
    MarginModel,
    MarginRow,
    MarketRow,
    PreDeliveryCheck,
    Product,
    RiskRow,
    Row,
    SwapRow,
)
from tsingma.reference.calendars import CalendarTable, Closure
from tsingma.reference.kinds import InstrumentKind, TariffLine
from tsingma.reference.markets import MarketRule, MarketStep, shipped_markets

RATE_E9_TO_E10 = 10
CODE_MAX = 16
PAYMENT_CUT_OFF = time(15, 45)  # the last hour at which the house still settles against payment
EVENING = time(18)  # what a link settles by itself is done before the house counts fails and takes charges

KIND_OF: dict[Product, InstrumentKind] = {
    Product.STOCK: InstrumentKind.EQUITY,
    Product.ETF: InstrumentKind.ETF,
    Product.BOND: InstrumentKind.BOND,
    Product.SWAP: InstrumentKind.SWAP,
    Product.FUND: InstrumentKind.FUND,
    Product.WEALTH_PRODUCT: InstrumentKind.FUND,
    Product.FUTURE: InstrumentKind.FUTURE,
    Product.COMMODITY: InstrumentKind.COMMODITY,
    Product.NEW_SHARE: InstrumentKind.EQUITY,
}
NOT_SETTLED = (Product.SWAP,)  # without a row of swaps: held against its quota, without a life in the books

_NOT_IN_CODES = re.compile(r"[^A-Z0-9-]+")
AnyRow = TypeVar("AnyRow", bound=Row)


class DirectionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One direction on one day, resolved. ``ledger_level`` is the step of the chain that the house's ledger keeps.

    ``local`` says that the market's own depository is the ledger: its members are on the other side of every trade;
    otherwise the market's clearing house is, in one account. ``left_out`` are products that the house cannot settle.
    """

    name: str
    rule: MarketRule
    products: tuple[Product, ...]
    left_out: tuple[Product, ...]
    levels: tuple[ChainLevel, ...]
    ledger_level: int
    local: bool
    cleared: bool
    margin: MarginRow | None
    currency: str
    investor_currency: str
    converted_by: str
    market_house: str
    prefunded: bool
    lodgings: tuple[RiskRow, ...]
    money_step: str
    last_order: time
    swaps: SwapRow | None = None


class LinkPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole link on one day, resolved."""

    name: str
    title: str
    status: str
    day: date
    assumptions: tuple[str, ...]
    directions: tuple[DirectionPlan, ...]
    calendars: tuple[CalendarTable, ...]

    @property
    def markets(self) -> tuple[MarketRule, ...]:
        """The markets the link brings into a reference book."""
        return tuple(one.rule for one in self.directions)


def plan_link(rules: LinkRules, day: date) -> LinkPlan:
    """Return what the house runs a link on, by the rows in force on a day.

    Raises Rejected with every fault: beyond-horizon for a day before the link, not-allowed for a cycle that continuous
    net settlement cannot keep (money before stock, or more than a business day after it).
    """
    if day < rules.valid_from:
        message = f"the link opens on {rules.valid_from}, not on {day}"
        raise refuse(RejectionReason.BEYOND_HORIZON, message, field="day", subject=rules.name)
    calendars = tuple(_table(row) for row in rules.calendars)
    directions, faults = [], []
    for direction in rules.directions:
        try:
            directions.append(_direction(rules, direction, day))
        except Rejected as wrong:
            faults += list(wrong.rejections)
    if faults:
        raise Rejected(*faults)
    return LinkPlan(
        name=rules.name, title=rules.title, status=rules.status, day=day, assumptions=rules.assumptions,
        directions=tuple(directions), calendars=calendars,
    )  # fmt: skip


def participant_code(name: str) -> str:
    """Return the code of an institution or a role in a reference book: capitals, figures and dashes, at most 16."""
    return _NOT_IN_CODES.sub("-", name.upper()).strip("-")[:CODE_MAX]


def is_role(rules: LinkRules, holder: str) -> bool:
    """Return whether a holder of a chain stands for many (investors, participants), not for one institution."""
    known = {name for market in rules.markets for name in (market.clearing_house, market.depository)}
    return holder not in known and holder == holder.lower()


def row_of(rows: tuple[AnyRow, ...], day: date, *, table: str, subject: str) -> AnyRow:
    """Return the row in force on a day; raises Rejected (beyond-horizon) when there is none."""
    for row in rows:
        if row.in_force(day):
            return row
    raise refuse(
        RejectionReason.BEYOND_HORIZON, f"no row of {table} is in force on {day}", field=table, subject=subject
    )


def _direction(rules: LinkRules, direction: Direction, day: date) -> DirectionPlan:
    subject = f"{rules.name}/{direction.name}"
    market, home = rules.market(direction.market), rules.market(direction.home)
    if market is None or home is None:
        raise refuse(RejectionReason.UNKNOWN, "its market or its home is not in the file", subject=subject)
    money = row_of(direction.monies, day, table="money", subject=subject)
    cycle = row_of(direction.cycles, day, table="cycle", subject=subject)
    check = row_of(direction.checks, day, table="check", subject=subject)
    margins = [row for row in direction.margins if row.in_force(day) and row.model is not MarginModel.NONE]
    margin = _margin_here(margins, market, home)
    level, local = _ledger_level(direction, market)
    rule = _market_rule(rules, direction, market, cycle, day, margin)
    swaps = next((row for row in direction.swaps if row.in_force(day)), None) if margins else None
    left_out = tuple(product for product in direction.products if product in NOT_SETTLED and swaps is None)
    lodged = [row for row in rules.risks if row.in_force(day)]
    return DirectionPlan(
        name=direction.name,
        rule=rule,
        products=direction.products,
        left_out=left_out,
        levels=tuple(ChainLevel(one.holder, one.account, one.books_of) for one in direction.chain),
        ledger_level=level,
        local=local,
        cleared=bool(margins),
        margin=margin,
        currency=money.settlement_currency,
        investor_currency=money.investor_currency,
        converted_by=money.converted_by,
        market_house=market.clearing_house if margins else market.depository,
        prefunded=check.pre_delivery is PreDeliveryCheck.PREFUNDED,
        lodgings=tuple(
            row
            for row in lodged
            if row.holder == market.clearing_house or (swaps is not None and row.lodger == market.clearing_house)
        ),
        money_step=cycle.money_step or _step_name(rule.code, "money"),
        last_order=min(_last_order(direction, day), EVENING),
        swaps=swaps,
    )


def _margin_here(margins: list[MarginRow], market: MarketRow, home: MarketRow) -> MarginRow | None:
    """Return the margin that this house calls: the row of the clearing house that is where the house is."""
    place = shipped_markets().place
    here = {one.clearing_house for one in (home, market) if one.place == place} or {home.clearing_house}
    return next((row for row in margins if row.house in here), margins[0] if margins else None)


def _ledger_level(direction: Direction, market: MarketRow) -> tuple[int, bool]:
    """Return the level of the chain that the ledger keeps, and whether the market's depository is here."""
    if market.place == shipped_markets().place:
        return len(direction.chain) - 1, True
    return max(len(direction.chain) - 2, 0), False


def _market_rule(
    rules: LinkRules, direction: Direction, market: MarketRow, cycle: CycleRow, day: date, margin: MarginRow | None
) -> MarketRule:
    code = f"{rules.name}/{direction.name}"
    days = row_of(direction.days, day, table="days", subject=code)
    cleared = any(row.in_force(day) and row.model is not MarginModel.NONE for row in direction.margins)
    last = min(_last_order(direction, day), EVENING)
    steps = _net_steps(code, cycle, last) if cleared else _gross_steps(code, cycle)
    flat = margin is not None and margin.model is MarginModel.FLAT_RATE
    return MarketRule(
        code=code,
        name=f"{market.title}, {direction.name}",
        trading=(*days.trades_when, shipped_markets().days),
        settlement=(*cycle.stock_calendars, shipped_markets().days),  # nothing is due when the house is closed
        money=(*cycle.money_calendars, shipped_markets().days),
        stock_days=cycle.stock_days,
        money_days=cycle.money_days,
        modes=("cns",) if cleared else ("dvp",),
        tariff=direction.tariff,
        charges=_charges(code, direction, day),
        steps=tuple(name for name in (cycle.stock_step, cycle.money_step) if name),
        own_steps=tuple(
            step for step, named in zip(steps, (cycle.stock_step, cycle.money_step), strict=False) if not named
        ),
        flat_margin_e10=margin.rate_e9 * RATE_E9_TO_E10 if margin is not None and flat else 0,
        link=rules.name,
        source=cycle.source or f"assumed in the rule file of {rules.name}",
        assumed=cycle.assumed,
    )


def _last_order(direction: Direction, day: date) -> time:
    """Return when a direction stops trading on a day."""
    return max(row.end for row in direction.sessions if row.in_force(day))


def _net_steps(code: str, cycle: CycleRow, last_order: time) -> tuple[MarketStep, MarketStep]:
    """Return the steps at which a cleared direction's net stock and net money settle.

    Money is confirmed at the first money step after the stock has moved, so it can be due on the day of the stock, at
    the same hour or later, or on the next one, at an earlier hour. Stock due on the trade date moves when trading is
    over, and all of it before the house's evening.
    """
    _require_hours(code, cycle, last_order)
    lag = cycle.money_days - cycle.stock_days
    same_day, next_day = (
        lag == 0 and cycle.money_time >= cycle.stock_time,
        lag == 1 and cycle.money_time < cycle.stock_time,
    )
    if not (same_day or next_day) and not (cycle.stock_step or cycle.money_step):
        raise Rejected(
            Rejection(
                reason=RejectionReason.NOT_ALLOWED,
                subject=code,
                field="cycle",
                message=f"stock T+{cycle.stock_days} {cycle.stock_time}, money T+{cycle.money_days} {cycle.money_time}",
                remedy="net money is due on the day of the stock, at its hour or later, or a day later and earlier",
            )
        )
    kind = "same-day-stock" if cycle.stock_days == 0 else "batch-settlement-run"
    return (
        MarketStep(_step_name(code, "stock"), _hour(cycle.stock_time), kind),
        MarketStep(_step_name(code, "money"), _hour(cycle.money_time), "money-settlement"),
    )


def _require_hours(code: str, cycle: CycleRow, last_order: time) -> None:
    """Refuse hours that a day of the house does not have for a direction."""
    late = max(cycle.stock_time, cycle.money_time) > EVENING
    early = cycle.stock_days == 0 and cycle.stock_time < last_order
    if late or early:
        message = f"stock at {cycle.stock_time}, money at {cycle.money_time}, trading to {last_order}"
        remedy = f"up to {EVENING:%H:%M}, and stock of the trade date not before trading ends"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="cycle", subject=code, remedy=remedy)


def _gross_steps(code: str, cycle: CycleRow) -> tuple[MarketStep]:
    """Return the step at which trades settle one by one, stock against money; not after the house's payment cut-off."""
    hour = min(cycle.stock_time, PAYMENT_CUT_OFF)
    return (MarketStep(_step_name(code, "stock"), _hour(hour), "real-time-dvp"),)


def _charges(code: str, direction: Direction, day: date) -> tuple[TariffLine, ...]:
    return tuple(
        TariffLine(
            name=row.name,
            market=code,
            kinds=tuple(dict.fromkeys(KIND_OF[product] for product in row.products)),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            rate_e9=row.rate_e9,
            minimum_cents=row.minimum_cents,
            maximum_cents=row.maximum_cents,
            rounding=row.rounding,
            currency=row.currency,
            side=row.side,
            source=row.source or "assumed in the rule file",
        )
        for row in direction.fees
        if row.in_force(day)
    )


def _table(row: CalendarRow) -> CalendarTable:
    """Return a calendar of the rule file as a table of a reference book."""
    closed = tuple(Closure(day, row.source or "closed") for day in row.closures)
    return CalendarTable(row.name, closed + tuple(Closure(day, "half day", half=True) for day in row.half_days))


def _step_name(code: str, what: str) -> str:
    return f"{code}/{what}"


def _hour(moment: time) -> str:
    return f"{moment:%H:%M}"
