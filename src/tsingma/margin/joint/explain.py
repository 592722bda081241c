"""Why a margin is what it is: by position, by trade that might come, and from one day to the next.

component    a position's mean loss in the joint tail: components add up to the expected shortfall
incremental  the figure with the position less the figure without it
marginal     the component for each HKD of notional: what a little more of it would add
day on day   positions, time, market and parameters changed one after the other: the steps add up to the change
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.house.holdings import OPTIONS, Book, Holding, House
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.revaluation import profits
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.requirement import JointMargin, JointSettings, joint_margin
from tsingma.margin.joint.study import house_risks, joint_horizon
from tsingma.margin.measures import tail_count


class PositionPart(msgspec.Struct, frozen=True, kw_only=True):
    """One position's part of an account's margin, whole HKD."""

    line: int
    house: str
    product: str
    factor: str
    notional: int
    component: int
    component_alone: int  # of its house's own tail at the joint horizon
    incremental: int  # of what is called by all houses together
    marginal: float


class HousePart(msgspec.Struct, frozen=True, kw_only=True):
    """One house's part of an account's margin, whole HKD: its positions' components, and what they add to the call."""

    house: str
    component: int
    incremental: int


class TailScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario of the joint tail: when it began, and what every house's positions lose in it (minus)."""

    scenario: int
    day: str
    profit: int
    by_house: dict[str, int]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A margin with everything it is made of."""

    account: str
    day: str
    allocation: Allocation
    margin: JointMargin
    positions: tuple[PositionPart, ...]
    houses: tuple[HousePart, ...]
    tail: tuple[TailScenario, ...]


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """A margin before and after trades: by house alone and as called, and in all."""

    account: str
    day: str
    before: JointMargin
    after: JointMargin
    called_change: int
    standalone_change: int


class DayChange(msgspec.Struct, frozen=True, kw_only=True):
    """Why what is called changed between two days: the steps add up to the change."""

    account: str
    from_day: str
    to_day: str
    before: int
    positions: int
    time: int
    market: int
    parameters: int
    after: int


def margin_on(book: Book, past: MarketPast, row: int, settings: JointSettings | None = None) -> JointMargin:
    """Return the joint margin of a book at the close of a row; an account at one house is margined there alone.

    Raises Rejected for a factor without prices, a row without a full look-back, a book at fewer than two houses.
    """
    past.require(book.holdings)
    if not past.first_row <= row < past.history.days:
        message = f"day {row + 1} of {past.history.days} has no full look-back (from day {past.first_row + 1} on)"
        raise refuse(RejectionReason.MISSING, message, field="day")
    return joint_margin(book.name, house_risks(book, past, row), settings)


def explain(
    book: Book,
    past: MarketPast,
    row: int,
    settings: JointSettings | None = None,
    allocation: Allocation = Allocation.EULER,
) -> Explanation:
    """Return a margin of a day with attributions and tail scenarios; raises Rejected as :func:`margin_on`."""
    settings = settings or JointSettings()
    margin = margin_on(book, past, row, settings)
    horizon = joint_horizon(book, past, row)
    factors = {holding.factor for holding in book.holdings}
    moves = past.scenarios(row, horizon, factors)
    count = tail_count(settings.level, margin.scenarios)
    tail = np.array(margin.tail, np.int64) - 1
    each = np.stack([profits([holding], moves) for holding in book.holdings])
    components = _rounded_down([-int(profit[tail].sum()) for profit in each], count)
    called = margin.by(allocation).called
    parts = []
    for place, holding in enumerate(book.holdings):
        own = np.stack([each[k] for k, other in enumerate(book.holdings) if other.house is holding.house]).sum(axis=0)
        own_tail = np.argsort(own, kind="stable")[:count]
        parts.append(
            PositionPart(
                line=holding.line, house=str(holding.house), product=str(holding.product), factor=holding.factor,
                notional=holding.notional, component=components[place],
                component_alone=-int(each[place][own_tail].sum()) // count,
                incremental=called - _called(_without(book, {place}), past, row, settings, allocation),
                marginal=components[place] / holding.notional,
            )
        )  # fmt: skip
    first = past.scenario_days(row, horizon)
    scenarios = tuple(
        TailScenario(
            scenario=number,
            day=str(first[number - 1]),
            profit=sum(values),
            by_house=dict(zip((str(house) for house in book.houses), values, strict=True)),
        )
        for number, values in zip(margin.tail, zip(*margin.tail_by_house, strict=True), strict=True)
    )
    return Explanation(
        account=book.name,
        day=str(past.day(row)),
        allocation=allocation,
        margin=margin,
        positions=tuple(parts),
        houses=tuple(_house_part(book, house, parts, called, past, row, settings, allocation) for house in book.houses),
        tail=scenarios,
    )


def _rounded_down(totals: Sequence[int], count: int) -> list[int]:
    """Return totals / count as whole numbers that add up to their sum / count, rounded up once."""
    wanted = -(-sum(totals) // count)
    parts = [total // count for total in totals]
    order = sorted(range(len(totals)), key=lambda place: (-(totals[place] % count), place))
    for place in order[: wanted - sum(parts)]:
        parts[place] += 1
    return parts


def _house_part(
    book: Book, house: House, parts: Sequence[PositionPart], called: int, past: MarketPast, row: int,
    settings: JointSettings, allocation: Allocation,
) -> HousePart:  # fmt: skip
    rest = _without(book, {place for place, one in enumerate(book.holdings) if one.house is house})
    return HousePart(
        house=str(house),
        component=sum(part.component for part in parts if part.house == house),
        incremental=called - _called(rest, past, row, settings, allocation),
    )


def _without(book: Book, places: set[int]) -> Book:
    return Book(book.name, tuple(one for place, one in enumerate(book.holdings) if place not in places))


def _called(book: Book, past: MarketPast, row: int, settings: JointSettings, allocation: Allocation) -> int:
    """Return what all houses call; with one house left that is its own figure, with none nothing."""
    if not book.holdings:
        return 0
    if len(book.houses) == 1:
        return house_risks(book, past, row)[0].standalone
    return margin_on(book, past, row, settings).by(allocation).called


def what_if(
    book: Book, trades: Sequence[Holding], past: MarketPast, row: int, settings: JointSettings | None = None
) -> WhatIf:
    """Return the margin of a book with and without more holdings; raises Rejected as :func:`margin_on`."""
    settings = settings or JointSettings()
    before = margin_on(book, past, row, settings)
    after = margin_on(Book(book.name, (*book.holdings, *trades)), past, row, settings)
    return WhatIf(
        account=book.name,
        day=str(past.day(row)),
        before=before,
        after=after,
        called_change=after.by(Allocation.EULER).called - before.by(Allocation.EULER).called,
        standalone_change=after.standalone - before.standalone,
    )


def day_change(
    before: Book, after: Book, past: MarketPast, row: int, next_row: int, settings: JointSettings | None = None
) -> DayChange:
    """Return why what is called changed from one row to a later one.

    Both books are written in the prices of the first day. Positions: the new book at the first day. Time: options are
    nearer to expiry. Market: notionals and strikes at the later day's prices. Parameters: scenarios and volatilities of
    the later day. Raises Rejected as :func:`margin_on`, and for days that are not in order.
    """
    settings = settings or JointSettings()
    if next_row <= row:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the second day is not after the first", field="day")
    passed = (past.day(next_row) - past.day(row)).days
    aged = Book(after.name, tuple(_aged(one, passed) for one in after.holdings))
    moved = Book(after.name, tuple(_moved(one, past.price_ratio(row, next_row, one.factor)) for one in aged.holdings))
    figures = [
        margin_on(book, past, at, settings).by(Allocation.EULER).called
        for book, at in ((before, row), (after, row), (aged, row), (moved, row), (moved, next_row))
    ]
    steps = [later - earlier for earlier, later in pairwise(figures)]
    if figures[0] + sum(steps) != figures[-1]:
        raise InvariantBroken("the steps do not add up to the change")
    return DayChange(
        account=after.name, from_day=str(past.day(row)), to_day=str(past.day(next_row)), before=figures[0],
        positions=steps[0], time=steps[1], market=steps[2], parameters=steps[3], after=figures[-1],
    )  # fmt: skip


def _aged(holding: Holding, days: int) -> Holding:
    if holding.product not in OPTIONS:
        return holding
    return msgspec.structs.replace(holding, days=max(holding.days - days, 1))


def _moved(holding: Holding, ratio: float) -> Holding:
    return msgspec.structs.replace(
        holding,
        notional=round(holding.notional * ratio),
        strike_e4=max(round(holding.strike_e4 / ratio), 1) if holding.product in OPTIONS else holding.strike_e4,
    )


def row_of(past: MarketPast, day: date | None) -> int:
    """Return the row of a day, or the last one; raises Rejected (unknown) for a day that is not in the history."""
    if day is None:
        return past.history.days - 1
    rows = [k for k in range(past.history.days) if to_date(int(past.history.dates[k])) == day]
    if not rows:
        raise refuse(RejectionReason.UNKNOWN, f"{day} is no day of the price history", field="day")
    return rows[0]
