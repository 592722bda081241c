"""A book's margin against its losses, day by day: what a statement shows of the past."""

from __future__ import annotations

import msgspec

from tsingma.margin.house.holdings import Book
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import HouseFigure, house_figure
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.explain import Explanation, explain, margin_on
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import joint_horizon


class HistoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One day, whole HKD: margins at its close, and what the book then lost over its longest holding period.

    ``loss`` is minus for a gain, and None while the holding period is not over.
    """

    day: str
    alone: int
    called: int
    one_pot: int
    loss: int | None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a margin statement shows: the margin explained, each house's components, and the days before."""

    explanation: Explanation
    houses: tuple[HouseFigure, ...]
    history: tuple[HistoryPoint, ...]


def statement(
    book: Book, past: MarketPast, row: int, settings: JointSettings, allocation: Allocation, days: int, every: int = 1
) -> Statement:
    """Return the statement of a book at the close of a row with every ``every``-th of the ``days`` up to it.

    Days before the first full look-back are left out. Raises Rejected as ``explain``.
    """
    found = explain(book, past, row, settings, allocation)
    by_house = {house: [one for one in book.holdings if one.house is house] for house in book.houses}
    first = max(row - days + 1, past.first_row)
    rows = sorted(range(row, first - 1, -every))
    return Statement(
        explanation=found,
        houses=tuple(house_figure(house, own, past, row) for house, own in by_house.items()),
        history=tuple(_point(book, past, each, settings, allocation) for each in rows),
    )


def _point(book: Book, past: MarketPast, row: int, settings: JointSettings, allocation: Allocation) -> HistoryPoint:
    margin, days = margin_on(book, past, row, settings), joint_horizon(book, past, row)
    known = row + days < past.history.days
    return HistoryPoint(
        day=str(past.day(row)),
        alone=margin.standalone,
        called=margin.by(allocation).called,
        one_pot=margin.one_pot,
        loss=-past.total(book.holdings, row, days) if known else None,
    )
