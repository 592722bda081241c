"""Backtests of a book's margins: by house alone, by house as called jointly, and of the whole book.

Kupiec (unconditional cover), Christoffersen (independence and both), Basel's traffic light; procyclicality beside. Days
overlap when the holding period is longer than a day, so exceedances cluster and independence is tested severely.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.backtest_tests import (
    christoffersen_statistic,
    kupiec_statistic,
    p_value_one,
    p_value_two,
    traffic_light,
)
from tsingma.margin.house.holdings import Book
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.study import BookSeries, CoverageControl, Int64, Outcomes
from tsingma.margin.procyclicality import Procyclicality, procyclicality

RATE = 0.01


class BacktestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One margin path against the losses that came: amounts in whole HKD."""

    book: str
    house: str  # "whole book" for the sum of what houses called
    margin: str  # alone or called; of a product alone, its name
    days: int
    uncovered: int
    coverage: float
    kupiec: float
    kupiec_p: float
    christoffersen: float
    christoffersen_p: float
    both_p: float
    zone: str
    mean_margin: int
    largest_shortfall: int
    procyclicality: Procyclicality | None


def backtest_book(
    series: BookSeries, allocation: Allocation = Allocation.EULER, control: CoverageControl | None = None
) -> tuple[BacktestRow, ...]:
    """Return the rows of a book: every house alone and as called, then the whole book under what was called."""
    outcomes = Outcomes(series, control)
    called = outcomes.called(allocation)
    rows = []
    for place, house in enumerate(series.book.houses):
        for name, margin in (("alone", outcomes.standalone[:, place]), ("called", called[:, place])):
            rows.append(_row(series.book.name, str(house), name, margin, series.losses[:, place]))
    rows.append(_row(series.book.name, "whole book", "called", called.sum(axis=1), series.joint_losses))
    return tuple(rows)


def backtest_products(book: Book, past: MarketPast, *, every: int = 1) -> tuple[BacktestRow, ...]:
    """Return a row for every house and product of a book: the house's own figure for those positions alone.

    Raises Rejected when the history is too short, or a factor is missing.
    """
    past.require(book.holdings)
    rows = range(past.first_row, past.last_row + 1, every)
    if not rows:
        raise refuse(RejectionReason.MISSING, f"{past.history.days} days of prices are too few", field="prices")
    found = []
    for house, product in sorted({(one.house, one.product) for one in book.holdings}):
        own = [one for one in book.holdings if (one.house, one.product) == (house, product)]
        margin = np.array([house_figure(house, own, past, row).total for row in rows], np.int64)
        losses = np.array([-past.own_outcome(own, row) for row in rows], np.int64)
        found.append(_row(book.name, str(house), str(product), margin, losses))
    return tuple(found)


def _row(book: str, house: str, name: str, margin: Int64, losses: Int64) -> BacktestRow:
    exceeded = np.asarray(losses > margin)
    count, days = int(exceeded.sum()), int(losses.size)
    kupiec, independence = kupiec_statistic(days, count, RATE), christoffersen_statistic(exceeded)
    path = procyclicality(margin) if days > 1 and bool((margin > 0).all()) else None
    return BacktestRow(
        book=book, house=house, margin=name, days=days, uncovered=count, coverage=1.0 - count / days, kupiec=kupiec,
        kupiec_p=p_value_one(kupiec), christoffersen=independence, christoffersen_p=p_value_one(independence),
        both_p=p_value_two(kupiec + independence), zone=str(traffic_light(days, count, RATE)),
        mean_margin=int(margin.sum()) // days, largest_shortfall=int(np.maximum(losses - margin, 0).max()),
        procyclicality=path,
    )  # fmt: skip
