"""Joint margin of books on a price history: files in, answers out, fanned out on the executor that is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.executor.local import InProcess, ProcessPool
from tsingma.executor.protocol import Executor
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.holdings import FX, INDEX, NUMERAIRE, Book
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import HouseFigure, TailDay, house_figure, tail_days
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.backtest import BacktestRow, backtest_book, backtest_products
from tsingma.margin.joint.explain import DayChange, Explanation, WhatIf, day_change, explain, row_of, what_if
from tsingma.margin.joint.history import Statement, statement
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import BookStudy, book_series
from tsingma.margin.joint.task import STUDY, pack_past, pack_question, unpack_study
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory
from tsingma.messages.book_file import read_books
from tsingma.messages.contract_file import read_contracts
from tsingma.messages.curve_file import read_curves
from tsingma.messages.index_file import read_closes, with_series
from tsingma.messages.prices import read_prices
from tsingma.reports.margin_statement import render_statement
from tsingma.reports.official.files import write_report
from tsingma.reports.official.margin import margin_report

STATEMENT_POINTS = 60  # as many columns as a page shows well


class MarketFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market's past is: closes, the index and the renminbi, more series by name, curves, contracts."""

    prices: Path | None = None
    index: Path | None = None
    fx: Path | None = None
    series: tuple[tuple[str, Path], ...] = ()
    curves: Path | None = None
    contracts: Path | None = None


def past_of_files(market: MarketFiles, models: HouseModels | None = None) -> MarketPast:
    """Return the past of a market's files; raises Rejected naming file and line.

    Without prices the days are those on which every curve has rates.
    """
    models, rates = models or HouseModels(), None
    curves = () if market.curves is None else read_curves(market.curves.read_bytes(), file=str(market.curves))
    history = history_of_files(market, curves)
    if curves:
        file = market.contracts
        contracts = {} if file is None else read_contracts(file.read_bytes(), file=str(file))
        rates = RatesPast([curve.on(history.dates) for curve in curves], contracts, models.filter)
    elif market.contracts is not None:
        raise refuse(RejectionReason.MISSING, "contracts are valued on curves", remedy="give --curves")
    return MarketPast(history, models, rates)


def history_of_files(market: MarketFiles, curves: Sequence[CurveSeries] = ()) -> PriceHistory:
    """Return the closes of a market's files with the series beside them; raises Rejected naming file and line."""
    if market.prices is not None:
        history = read_prices(market.prices)
    elif curves:
        history = days_alone(curves)
    else:
        raise refuse(RejectionReason.MISSING, "there are neither prices nor curves", remedy="give --prices or --curves")
    for name, path in ((INDEX, market.index), (FX, market.fx), *market.series):
        if path is not None:
            history = with_series(history, name, read_closes(path))
    return history


def days_alone(curves: Sequence[CurveSeries]) -> PriceHistory:
    """Return the days that curves have in common, as a history without prices; raises Rejected when there are none."""
    days = sorted(set.intersection(*(set(curve.dates.tolist()) for curve in curves))) if curves else []
    if not days:
        raise refuse(RejectionReason.MISSING, "the curves have no day in common", field="curves")
    close = np.full((len(days), 1), 10_000, np.int64)
    return PriceHistory(np.array(days, np.int32), (NUMERAIRE,), close, close == 0)


def books_of_file(path: Path | None) -> tuple[tuple[Book, ...], str]:
    """Return the books of a file, or the twelve stylised ones that come with the house, and their name."""
    if path is None:
        name = "stylised_books.csv"
        return read_books(files("tsingma.reference").joinpath("data", name).read_bytes(), file=name), name
    return read_books(path.read_bytes(), file=str(path)), str(path)


def book_named(books: Sequence[Book], name: str | None, file: str) -> Book:
    """Return one book by name, or the only one; raises Rejected (unknown) saying which there are."""
    if name is None and len(books) == 1:
        return books[0]
    for book in books:
        if book.name == name:
            return book
    names = ", ".join(book.name for book in books)
    message = f"no book is called '{name}'" if name else "say which book"
    raise refuse(RejectionReason.UNKNOWN, message, file=file, field="book", remedy=f"there are: {names}")


def executor_of(workers: int, ray: str | None) -> Executor:
    """Return the executor asked for: a Ray cluster (``local`` starts one here), a pool, or this process."""
    if ray is not None:
        from tsingma.executor.ray_cluster import RayCluster

        return RayCluster(None if ray == "local" else ray, cores=workers)
    return ProcessPool(workers) if workers > 1 else InProcess()


def study_books(
    books: Sequence[Book], past: MarketPast, settings: JointSettings, *, every: int = 1, file: str = "books.csv",
    executor: Executor | None = None,
) -> list[BookStudy]:  # fmt: skip
    """Return the study of every book in order; raises Rejected before the first when a factor is missing."""
    for book in books:
        past.require(book.holdings, file=file)
    questions = [pack_question(book, settings, every) for book in books]
    found = (executor or InProcess()).run(STUDY, pack_past(past), questions)
    return [unpack_study(one) for one in found]


def margin_houses(
    book: Book, past: MarketPast, day: date | None, *, file: str = ""
) -> list[tuple[HouseFigure, tuple[TailDay, ...]]]:
    """Return each house's own figure for a book on a day (the last one without), with its tail scenarios."""
    past.require(book.holdings, file=file)
    row = row_of(past, day)
    found = []
    for house in book.houses:
        holdings = [one for one in book.holdings if one.house is house]
        figure = house_figure(house, holdings, past, row)
        found.append((figure, tail_days(figure, holdings, past, row)))
    return found


def explain_book(
    book: Book, past: MarketPast, day: date | None, settings: JointSettings, allocation: Allocation
) -> Explanation:
    """Return a book's margin on a day (the last one without) with everything it is made of."""
    return explain(book, past, row_of(past, day), settings, allocation)


def statement_of_book(
    book: Book, past: MarketPast, day: date | None, settings: JointSettings, allocation: Allocation, history_days: int
) -> Statement:
    """Return a book's margin statement on a day, with about sixty of the days before it."""
    every = max(history_days // STATEMENT_POINTS, 1)
    return statement(book, past, row_of(past, day), settings, allocation, history_days, every)


def write_statements(
    books: Sequence[Book], past: MarketPast, day: date | None, settings: JointSettings, allocation: Allocation,
    history_days: int, out: Path, form: str = "charts", language: str = "en",
) -> list[Path]:  # fmt: skip
    """Write a margin statement for every book into a folder; return the files in order of book.

    ``form`` is "charts" (a page with pictures), or an ending of ``reports.official.files.FORMS`` without its point.
    """
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    ending = "html" if form == "charts" else form
    for book in books:
        path = out / f"{re.sub('[^0-9A-Za-z._-]+', '-', book.name)}.{ending}"
        if path in written:
            raise refuse(RejectionReason.DUPLICATE, f"two books are written to {path.name}", field="book")
        made = statement_of_book(book, past, day, settings, allocation, history_days)
        if form == "charts":
            path.write_text(render_statement(made), encoding="utf-8")
        else:
            write_report(margin_report(made, language), path)
        written.append(path)
    return written


def change_of_book(
    before: Book, after: Book, past: MarketPast, since: date, day: date | None, settings: JointSettings
) -> DayChange:
    """Return why a book's margin changed between two days."""
    return day_change(before, after, past, row_of(past, since), row_of(past, day), settings)


def ask_what_if(book: Book, trades: Book, past: MarketPast, day: date | None, settings: JointSettings) -> WhatIf:
    """Return a book's margin with and without more holdings."""
    past.require(trades.holdings)
    return what_if(book, trades.holdings, past, row_of(past, day), settings)


def backtest_books(
    books: Sequence[Book], past: MarketPast, settings: JointSettings, allocation: Allocation, *, every: int,
    by_product: bool = False,
) -> list[BacktestRow]:  # fmt: skip
    """Return backtests of every book's margins, house by house and whole, or product by product."""
    if by_product:
        return [row for book in books for row in backtest_products(book, past, every=every)]
    return [row for book in books for row in backtest_book(book_series(book, past, settings, every=every), allocation)]
