"""Joint margin of books on a price history: files in, answers out, fanned out on the executor that is given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.executor.local import InProcess, ProcessPool
from tsingma.executor.protocol import Executor
from tsingma.margin.house.holdings import FX, INDEX, Book
from tsingma.margin.house.models import HouseModels
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.backtest import BacktestRow, backtest_book
from tsingma.margin.joint.explain import DayChange, Explanation, WhatIf, day_change, explain, row_of, what_if
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import BookStudy, MarketPast, book_series
from tsingma.margin.joint.task import STUDY, pack_history, pack_question, unpack_study
from tsingma.market.history import PriceHistory
from tsingma.messages.book_file import read_books
from tsingma.messages.index_file import read_closes, with_series
from tsingma.messages.prices import read_prices


def history_of_files(prices: Path, index: Path | None, fx: Path | None) -> PriceHistory:
    """Return the closes with the index and the exchange rate beside them; raises Rejected naming file and line."""
    history = read_prices(prices)
    for name, path in ((INDEX, index), (FX, fx)):
        if path is not None:
            history = with_series(history, name, read_closes(path))
    return history


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
    books: Sequence[Book], history: PriceHistory, settings: JointSettings, *, every: int = 1, file: str = "books.csv",
    executor: Executor | None = None,
) -> list[BookStudy]:  # fmt: skip
    """Return the study of every book in order; raises Rejected before the first when a factor is missing."""
    past = MarketPast(history, HouseModels())
    for book in books:
        past.require(book.holdings, file=file)
    questions = [pack_question(book, settings, every) for book in books]
    found = (executor or InProcess()).run(STUDY, pack_history(history), questions)
    return [unpack_study(one) for one in found]


def explain_book(
    book: Book, history: PriceHistory, day: date | None, settings: JointSettings, allocation: Allocation
) -> Explanation:
    """Return a book's margin on a day (the last one without) with everything it is made of."""
    past = MarketPast(history, HouseModels())
    return explain(book, past, row_of(past, day), settings, allocation)


def change_of_book(
    before: Book, after: Book, history: PriceHistory, since: date, day: date | None, settings: JointSettings
) -> DayChange:
    """Return why a book's margin changed between two days."""
    past = MarketPast(history, HouseModels())
    return day_change(before, after, past, row_of(past, since), row_of(past, day), settings)


def ask_what_if(book: Book, trades: Book, history: PriceHistory, day: date | None, settings: JointSettings) -> WhatIf:
    """Return a book's margin with and without more holdings."""
    past = MarketPast(history, HouseModels())
    past.require(trades.holdings)
    return what_if(book, trades.holdings, past, row_of(past, day), settings)


def backtest_books(
    books: Sequence[Book], history: PriceHistory, settings: JointSettings, allocation: Allocation, *, every: int
) -> list[BacktestRow]:
    """Return backtests of every book's margins, house by house and whole."""
    past = MarketPast(history, HouseModels())
    return [row for book in books for row in backtest_book(book_series(book, past, settings, every=every), allocation)]
