"""The margin of an account of a served house: each house alone, the joint figure, what it is made of, and what if.

The account's open positions at the last closing prices are revalued in the scenarios of the market's past
(``margin.joint``). It is a study beside the call: what was last called stands in the answer too. Lines without a price
history (warrants, bonds, benefits of corporate actions) have no scenarios and are listed as left out. Whole HKD.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
import numpy as np

from tsingma.app.house_derivatives import derivative_holdings
from tsingma.app.house_margin import CLEARING, marginable_positions
from tsingma.app.house_market import HouseMarket, MarketData
from tsingma.app.margin_rule import RuleCall, rule_call
from tsingma.basics.dates import to_date
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine.house import House as TheHouse
from tsingma.margin.house.holdings import PRODUCTS_OF, Book, Holding, House, Product
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import HouseFigure, house_figure
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.explain import HousePart, PositionPart, TailScenario, explain, margin_on, row_of
from tsingma.margin.joint.requirement import JointSettings
from tsingma.market.tickers import counter_code
from tsingma.reference.book import AccountClass

MODEL = (
    "each house by its own model on filtered history, joint expected shortfall with Euler credit (docs/margin-joint.md)"
)
LINES_MAX = 500  # of what if
EXPLAINED_MAX = 300  # lines: each is taken out once, some 7 ms of a processor a line
SETTINGS = JointSettings()

Notional = Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)]
Code = Annotated[str, msgspec.Meta(pattern=whole("[A-Z0-9]{1,12}"))]


class HoldingAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line that might come: signed ``notional`` in whole HKD; of an option, ``strike_e4`` over the price of today."""

    house: House
    product: Product
    factor: Code
    notional: Notional
    strike_e4: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    days: Annotated[int, msgspec.Meta(ge=2, le=3_650)] = 30


class TradeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trade in shares that might come, by the code of its counter; valued at the last closing price."""

    counter: Code
    side: Literal["buy", "sell"]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class WhatIfAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Holdings and trades that might come, beside what the account has or, with ``alone``, instead of it."""

    holdings: Annotated[tuple[HoldingAsked, ...], msgspec.Meta(max_length=LINES_MAX)] = ()
    trades: Annotated[tuple[TradeAsked, ...], msgspec.Meta(max_length=LINES_MAX)] = ()
    alone: bool = False


class LeftOut(msgspec.Struct, frozen=True):
    """A line the model has no scenarios for; ``notional`` is its market value in whole HKD."""

    house: str
    factor: str
    notional: int
    reason: str


class AccountBook(msgspec.Struct, frozen=True):
    """What an account has to be margined as of a record, and what was last called of it (HKD cents)."""

    account: str
    at: int
    date: date
    book: Book
    left_out: tuple[LeftOut, ...]
    called_cents: int
    pledged_cents: int


class HouseMarginLine(msgspec.Struct, frozen=True, kw_only=True):
    """One house: its figure alone, its part of the joint saving, the credit it gives, and what it would call."""

    house: str
    alone: int
    saving: int
    credit: int
    called: int


class MarginFigure(msgspec.Struct, frozen=True, kw_only=True):
    """The margin of a set of lines: houses alone, all of them as called, and in one pot; the parts add up."""

    lines: int
    alone: int
    saving: int
    called: int
    one_pot: int
    houses: tuple[HouseMarginLine, ...]


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure rests on: model, parameters, the day of HKSCC's ordinary scenarios and their number, the data."""

    model: str
    settings: JointSettings
    day: str
    scenarios: int
    market: MarketData


class AccountMargin(msgspec.Struct, frozen=True, kw_only=True):
    """The margin of an account as of a record; ``figures`` by house and component; what was last called (HKD cents).

    ``margin`` is a study; ``rules`` is the way to a call: margin credit and marks count there, and in the study not.
    """

    account: str
    at: int
    date: str
    margin: MarginFigure
    figures: tuple[HouseFigure, ...]
    left_out: tuple[LeftOut, ...]
    last_called_cents: int
    last_pledged_cents: int
    rules: RuleCall
    basis: Basis


class MarginExplained(msgspec.Struct, frozen=True, kw_only=True):
    """What an account's margin is made of: positions, houses, and the scenarios of the tail with their days."""

    account: str
    at: int
    date: str
    margin: MarginFigure
    positions: tuple[PositionPart, ...]
    houses: tuple[HousePart, ...]
    tail: tuple[TailScenario, ...]
    left_out: tuple[LeftOut, ...]
    basis: Basis


class MarginWhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The margin without and with what might come; a house that is new has nothing before."""

    account: str
    at: int
    date: str
    before: MarginFigure
    after: MarginFigure
    called_change: int
    alone_change: int
    left_out: tuple[LeftOut, ...]
    basis: Basis


def account_book(
    house: TheHouse, at: int, participant: str, account_class: AccountClass, past: MarketPast
) -> AccountBook:
    """Return what an account has open, as lines of the model; raises Rejected: unknown (account), missing (a price)."""
    resolved = house.resolved
    account = resolved.account_index.get((participant, account_class))
    if account is None:
        raise refuse(RejectionReason.UNKNOWN, f"{participant} has no account {account_class}", field="account")
    found: list[Holding] = []
    if resolved.book.participants[int(resolved.account_participant[account])].kind in CLEARING:
        book, accounts = marginable_positions(house)
        for place in np.flatnonzero(accounts == account).tolist():
            here = slice(int(book.start[place]), int(book.start[place + 1]))
            for line, value in zip(book.instrument[here].tolist(), book.market_value[here].tolist(), strict=True):
                if value:
                    found.append(_share(book.instruments[line], value, past))
        found += [msgspec.structs.replace(one, factor=_factor(one.factor, past))
                  for one in derivative_holdings(house).get(account, [])]  # fmt: skip
    lines, left_out = _known(found, past)
    called = np.flatnonzero(house.margin.account == account)
    cents = [int(column[called].sum()) for column in (house.margin.requirement_cents, house.margin.pledged_cents)]
    name = resolved.account_name(account)
    return AccountBook(name, at, to_date(house.position.day), Book(name, lines), left_out, *cents)


def asked_lines(asked: WhatIfAsked, house: TheHouse, past: MarketPast) -> tuple[Holding, ...]:
    """Return what might come as lines; raises Rejected: unknown (counter), missing (a price, scenarios), conflict."""
    found = []
    for number, one in enumerate(asked.holdings, 1):
        if one.product not in PRODUCTS_OF[one.house]:
            remedy = f"one of {', '.join(PRODUCTS_OF[one.house])}"
            raise refuse(RejectionReason.CONFLICT, f"{one.house} clears no {one.product}", field="product", line=number,
                         remedy=remedy)  # fmt: skip
        if one.notional:
            found.append(
                Holding(house=one.house, product=one.product, factor=_factor(one.factor, past), notional=one.notional,
                        strike_e4=one.strike_e4, days=one.days, line=number)
            )  # fmt: skip
    found += [_of_trade(one, house, past) for one in asked.trades]
    past.require(found)
    return tuple(found)


def _of_trade(trade: TradeAsked, house: TheHouse, past: MarketPast) -> Holding:
    counter = house.resolved.counter_index.get(trade.counter)
    if counter is None:
        raise refuse(RejectionReason.UNKNOWN, f"no counter '{trade.counter}'", field="counter")
    rate = house.fx_e6[int(house.resolved.counter_currency[counter])]
    value = trade.quantity * int(house.price_e4[counter]) * rate // (10_000 * 1_000_000)
    if value <= 0:
        raise refuse(RejectionReason.MISSING, f"'{trade.counter}' has no closing price", field="counter")
    return _share(trade.counter, value if trade.side == "buy" else -value, past)


def _share(code: str, value: int, past: MarketPast) -> Holding:
    return Holding(house=House.HKSCC, product=Product.STOCK, factor=_factor(code, past), notional=value, days=0)


def _factor(code: str, past: MarketPast) -> str:
    """Return how the history calls a counter: Hong Kong codes have five digits there."""
    if code in past.history.instruments or not (code.isdigit() and 1 <= len(code) <= 5 and int(code)):
        return code
    return counter_code(code)


def _known(lines: Sequence[Holding], past: MarketPast) -> tuple[tuple[Holding, ...], tuple[LeftOut, ...]]:
    kept, left_out = [], []
    for one in lines:
        try:
            past.require([one])
        except Rejected as rejected:
            left_out.append(LeftOut(str(one.house), one.factor, one.notional, rejected.rejections[0].message))
        else:
            kept.append(one)
    return tuple(kept), tuple(left_out)


def row_on(past: MarketPast, day: date) -> int:
    """Return the last row of the history by a day; raises Rejected (beyond-horizon) when it begins later."""
    if day <= past.day(past.history.days - 1):
        rows = [row for row in range(past.history.days) if past.day(row) <= day]
        if not rows:
            raise refuse(RejectionReason.BEYOND_HORIZON, f"prices begin after {day}", field="market")
        return rows[-1]
    return row_of(past, None)


def margin_figure(book: Book, market: HouseMarket, row: int) -> MarginFigure:
    """Return the margin of a book on a row: of two houses or more the joint one, of one its own, of none nothing."""
    known = market.remembered.get((book, row))
    if isinstance(known, MarginFigure):
        return known
    past = market.past()
    if len(book.houses) > 1:
        joint = margin_on(book, past, row, SETTINGS)
        shares = joint.by(Allocation.EULER)
        houses = tuple(
            HouseMarginLine(house=one.house, alone=one.standalone, saving=one.saving, credit=one.credit,
                            called=one.called)
            for one in shares.houses
        )  # fmt: skip
        found = MarginFigure(lines=len(book.holdings), alone=joint.standalone, saving=joint.saving,
                             called=shares.called, one_pot=joint.one_pot, houses=houses)  # fmt: skip
    else:
        each = {one: house_figure(one, book.holdings, past, row).total for one in book.houses}
        houses = tuple(
            HouseMarginLine(house=str(house), alone=total, saving=0, credit=0, called=total)
            for house, total in each.items()
        )
        total = sum(each.values())
        found = MarginFigure(
            lines=len(book.holdings), alone=total, saving=0, called=total, one_pot=total, houses=houses
        )
    market.remembered.put((book, row), found)
    return found


def book_and_rules(
    house: TheHouse, at: int, participant: str, account_class: AccountClass, market: HouseMarket
) -> tuple[AccountBook, RuleCall]:
    """Return what an account has open and what the rules would call of it; raises Rejected as ``account_book``."""
    found = account_book(house, at, participant, account_class, market.past())
    return found, rule_call(house, house.resolved.account_index[participant, account_class], market.parameters())


def margin_of(found: AccountBook, rules: RuleCall, market: HouseMarket) -> AccountMargin:
    """Return the margin of an account's lines, beside what the rules would call."""
    past = market.past()
    row, held = row_on(past, found.date), found.book.holdings
    figures = tuple(
        house_figure(house, [one for one in held if one.house is house], past, row) for house in found.book.houses
    )
    return AccountMargin(
        account=found.account, at=found.at, date=str(found.date), figures=figures,
        margin=margin_figure(found.book, market, row), left_out=found.left_out,
        last_called_cents=found.called_cents, last_pledged_cents=found.pledged_cents, rules=rules,
        basis=basis_of(market, row),
    )  # fmt: skip


def explained(found: AccountBook, market: HouseMarket) -> MarginExplained:
    """Return what an account's margin is made of, down to the scenarios of the tail; raises Rejected (limit)."""
    past, book = market.past(), found.book
    if len(book.holdings) > EXPLAINED_MAX:
        message = f"{len(book.holdings)} lines, {EXPLAINED_MAX} are explained at most"
        raise refuse(RejectionReason.LIMIT, message, remedy="use tsingma margin explain")
    row = row_on(past, found.date)
    parts = market.remembered.get(("explained", book, row))
    if not isinstance(parts, _Parts):
        parts = _Parts((), (), ())
        if len(book.houses) > 1:
            why = explain(book, past, row, SETTINGS, Allocation.EULER)
            parts = _Parts(why.positions, why.houses, why.tail)
        elif book.holdings:
            parts = _Parts(*_explained_alone(book, past, row))
        market.remembered.put(("explained", book, row), parts)
    return MarginExplained(
        account=found.account, at=found.at, date=str(found.date), margin=margin_figure(book, market, row),
        positions=parts.positions, houses=parts.houses, tail=parts.tail, left_out=found.left_out,
        basis=basis_of(market, row),
    )  # fmt: skip


class _Parts(msgspec.Struct, frozen=True):
    """What a book's margin is made of, as it is remembered."""

    positions: tuple[PositionPart, ...]
    houses: tuple[HousePart, ...]
    tail: tuple[TailScenario, ...]


def _explained_alone(
    book: Book, past: MarketPast, row: int
) -> tuple[tuple[PositionPart, ...], tuple[HousePart, ...], tuple[TailScenario, ...]]:
    """Return the parts of a book at one house: components of the tail at its holding period, figures without a line."""
    from tsingma.margin.house.revaluation import profits
    from tsingma.margin.measures import tail_count

    house, horizon = book.houses[0], max(past.period(one, row) for one in book.holdings)
    moves = past.scenarios(row, horizon, {one.factor for one in book.holdings})
    each = np.stack([profits([one], moves) for one in book.holdings])
    total = each.sum(axis=0)
    worst = np.argsort(total, kind="stable")[: tail_count(SETTINGS.level, total.size)]
    whole = house_figure(house, book.holdings, past, row).total
    parts = []
    for place, one in enumerate(book.holdings):
        rest = [other for k, other in enumerate(book.holdings) if k != place]
        without = house_figure(house, rest, past, row).total if rest else 0
        component = -int(each[place][worst].sum()) // worst.size
        parts.append(
            PositionPart(
                line=one.line, house=str(house), product=str(one.product), factor=one.factor, notional=one.notional,
                component=component, component_alone=component, incremental=whole - without,
                marginal=component / one.notional,
            )
        )  # fmt: skip
    first = past.scenario_days(row, horizon)
    tail = tuple(
        TailScenario(scenario=number + 1, day=str(first[number]), profit=int(total[number]),
                     by_house={str(house): int(total[number])})
        for number in worst.tolist()
    )  # fmt: skip
    component = sum(part.component for part in parts)
    return tuple(parts), (HousePart(house=str(house), component=component, incremental=whole),), tail


def margin_if(found: AccountBook, more: Sequence[Holding], market: HouseMarket, *, alone: bool = False) -> MarginWhatIf:
    """Return an account's margin with and without more lines; with ``alone`` the lines are all there is after."""
    past = market.past()
    row = row_on(past, found.date)
    before = margin_figure(found.book, market, row)
    held = () if alone else found.book.holdings
    after = margin_figure(Book(found.account, (*held, *more)), market, row)
    return MarginWhatIf(
        account=found.account, at=found.at, date=str(found.date), before=before, after=after,
        called_change=after.called - before.called, alone_change=after.alone - before.alone, left_out=found.left_out,
        basis=basis_of(market, row),
    )  # fmt: skip


def basis_of(market: HouseMarket, row: int) -> Basis:
    """Return what figures on a row of the market's past rest on."""
    past = market.past()
    return Basis(
        model=MODEL, settings=SETTINGS, day=str(past.day(row)), scenarios=past.models.filter.look_back_days,
        market=market.data(),
    )  # fmt: skip
