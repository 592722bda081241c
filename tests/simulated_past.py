"""A simulated price history with an index and a currency, and books on it, for every test of joint margin."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsingma.basics.dates import to_date
from tsingma.margin.house.holdings import BASKET, FX, INDEX, Book, Holding, House, Product
from tsingma.market.history import PriceHistory

DAYS = 420


def simulated(seed: int = 1, days: int = DAYS) -> PriceHistory:
    """Return three counters, an index they follow, and a currency."""
    rng = np.random.default_rng(seed)
    index = rng.standard_t(5, days) * 0.008
    moves = np.column_stack(
        [index * beta + rng.standard_t(5, days) * 0.006 for beta in (0.8, 1.0, 1.3)]
        + [index, rng.standard_t(5, days) * 0.002]
    )
    close = np.asarray(np.round(1_000_000 * np.exp(np.cumsum(moves, axis=0))), np.int64)
    return PriceHistory(
        np.arange(18_000, 18_000 + days, dtype=np.int32), ("00005", "00700", "01299", INDEX, FX), close,
        np.zeros(close.shape, np.bool_),
    )  # fmt: skip


def book(*lines: tuple[House, Product, str, int], name: str = "B") -> Book:
    """Return a book of lines."""
    holdings = tuple(Holding(house=h, product=p, factor=f, notional=n) for h, p, f, n in lines)
    return Book(name, holdings)


HEDGED = book((House.HKSCC, Product.STOCK, BASKET, 10**8), (House.HKCC, Product.FUTURE, INDEX, -(10**8)))


def write_files(folder: Path) -> None:
    """Write the history as closes.csv, index.csv and fx.csv."""
    history = simulated()
    days = [to_date(int(day)).isoformat() for day in history.dates]
    stocks = ["Date,0005.HK,0700.HK,1299.HK"]
    for day, row in zip(days, history.close_e4, strict=True):
        stocks.append(f"{day}," + ",".join(f"{price / 10_000:.4f}" for price in row[:3]))
    (folder / "closes.csv").write_text("\n".join(stocks) + "\n")
    for name, column in (("index.csv", 3), ("fx.csv", 4)):
        lines = ["date,open,close,volume", f"{days[0]},,,"]
        lines += [f"{day},1,{row[column] / 10_000:.4f},0" for day, row in zip(days, history.close_e4, strict=True)]
        (folder / name).write_text("\n".join(lines) + "\n")
