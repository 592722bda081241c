"""Joint margin of books on a price history: files in, studies out, on as many processes as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from tsingma.margin.house.holdings import FX, INDEX, Book
from tsingma.margin.house.models import HouseModels
from tsingma.margin.joint.requirement import JointSettings
from tsingma.margin.joint.study import BookStudy, MarketPast, study_book
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


def study_books(
    books: Sequence[Book], history: PriceHistory, settings: JointSettings, *, every: int = 1, file: str = "books.csv"
) -> list[BookStudy]:
    """Return the study of every book in order; raises Rejected before the first when a factor is missing."""
    past = MarketPast(history, HouseModels())
    for book in books:
        past.require(book.holdings, file=file)
    return [study_book(book, past, settings, every=every) for book in books]
