"""A simulated past of prices and curves, contracts, and books on it, for every test of margin by history."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsingma.basics.dates import to_date
from tsingma.margin.house.contracts import Contract, ContractKind, check_contracts
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.holdings import BASKET, FX, INDEX, Book, Holding, House, Product
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory
from tsingma.pricing.schedule import DayCount
from tsingma.simulate.curves import simulate_curves

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


CGB = {"curve": "CNY.CGB", "months": 6, "count": DayCount.ACT_ACT_ICMA}
TERMS = check_contracts(
    [
        Contract(id="CNY5Y", kind=ContractKind.SWAP, curve="CNY.FR007", maturity=60, rate=None, months=3),
        Contract(id="HKD10Y", kind=ContractKind.SWAP, curve="HKD.HIBOR", maturity=120, rate=0.035, months=6),
        Contract(id="HKD9Y", kind=ContractKind.SWAP, curve="HKD.HIBOR", maturity=108, rate=None, months=6),
        Contract(id="FRN", kind=ContractKind.FLOATER, curve="USD.SOFR", maturity=36, rate=0.002),
        Contract(id="ZERO", kind=ContractKind.BOND, curve="USD.SOFR", maturity=60, rate=0.0),
        Contract(id="CGB5", kind=ContractKind.BOND, maturity=60, rate=0.025, **CGB),
        Contract(id="CGB7", kind=ContractKind.BOND, maturity=84, rate=0.028, **CGB),
        Contract(id="THIRDS", kind=ContractKind.BOND, curve="CNH.HIBOR", maturity=36, rate=None, repaid=(0.3, 0.3)),
        Contract(id="TF", kind=ContractKind.BOND_FUTURE, maturity=3, rate=0.03, basket=("CGB5", "CGB7"), **CGB),
    ]
)
RATES = book(
    (House.OTC_CLEAR, Product.SWAP, "CNY5Y", 3 * 10**8), (House.OTC_CLEAR, Product.SWAP, "HKD10Y", -(10**8)),
    (House.OTC_CLEAR, Product.BOND, "THIRDS", 10**8), (House.HKCC, Product.BOND_FUTURE, "TF", 2 * 10**8),
    (House.HKSCC, Product.STOCK, BASKET, 2 * 10**7), name="rates",
)  # fmt: skip


def simulated_curves(seed: int = 1, days: int = DAYS) -> list[CurveSeries]:
    """Return the simulator's curves on the days of :func:`simulated`."""
    found = simulate_curves(seed, to_date(18_000), days)
    dates = np.arange(18_000, 18_000 + days, dtype=np.int32)
    return [CurveSeries(one.name, dates.copy(), one.years.copy(), one.rates.copy()) for one in found]


def simulated_market(seed: int = 1, days: int = DAYS, terms: dict[str, Contract] | None = None) -> MarketPast:
    """Return prices and curves together, with contracts of every kind."""
    models = HouseModels()
    return MarketPast(
        simulated(seed, days), models, RatesPast(simulated_curves(seed, days), terms or TERMS, models.filter)
    )


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
