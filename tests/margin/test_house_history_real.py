"""Swaps, currencies and gold by revalued history, on real series that lie beside the repository."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from simulated_past import book
from tsingma.margin.house.contracts import Contract, ContractKind, check_contracts
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.holdings import FX, House, Product
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory
from tsingma.messages.index_file import read_closes, with_series


def test_real_rates_and_gold(shared: Path) -> None:
    """Goal: a HIBOR and a Treasury swap, USD/CNY and gold on real series, five-day cover near 99 %.

    Method: flat curves of one-month HIBOR and the ten-year yield; every 20th day of 2016 to 2024; the S&P stands for
    gold, of which no series is at hand.
    """
    econ = shared / "data" / "econ"
    treasury = read_closes(econ / "indices" / "TNX.csv")
    lines = (econ / "hk_property" / "hibor_daily.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    hibor = {(date.fromisoformat(line[:10]) - date(1970, 1, 1)).days: float(line.split(",")[1]) / 100 for line in lines}
    first = (date(2015, 6, 1) - date(1970, 1, 1)).days
    days = np.array(sorted(day for day in set(hibor) & set(treasury) if day >= first), np.int32)
    close = np.full((days.size, 1), 10_000, np.int64)
    history = PriceHistory(days.copy(), ("HKD",), close, close == 0)
    history = with_series(history, FX, read_closes(econ / "indices" / "USD_CNY.csv"))
    history = with_series(history, "XAUUSD", read_closes(econ / "indices" / "SP500.csv"))
    curves = [
        CurveSeries("HKD.HIBOR", days.copy(), np.array([1.0]), np.array([[hibor[int(day)]] for day in days])),
        CurveSeries("USD.TREASURY", days.copy(), np.array([10.0]),
                    np.array([[treasury[int(day)] / 1e6] for day in days])),
    ]  # fmt: skip
    terms = check_contracts(
        [
            Contract(id="HKD2Y", kind=ContractKind.SWAP, curve="HKD.HIBOR", maturity=24, rate=None),
            Contract(id="USD10Y", kind=ContractKind.SWAP, curve="USD.TREASURY", maturity=120, rate=None),
        ]
    )
    models = HouseModels()
    past = MarketPast(history, models, RatesPast(curves, terms, models.filter))
    held = book(
        (House.OTC_CLEAR, Product.SWAP, "HKD2Y", 10**8), (House.OTC_CLEAR, Product.SWAP, "USD10Y", -(10**8)),
        (House.OTC_CLEAR, Product.FORWARD, FX, 10**8), (House.HKCC, Product.FUTURE, "XAUUSD", 10**7),
    )  # fmt: skip
    past.require(held.holdings)
    rows = range(past.first_row, past.last_row, 20)
    uncovered = 0
    for row in rows:
        own = [one for one in held.holdings if one.house is House.OTC_CLEAR]
        figure = house_figure(House.OTC_CLEAR, own, past, row)
        assert figure.total > 0
        uncovered += -past.own_outcome(own, row) > figure.total
    assert len(rows) > 80
    assert uncovered / len(rows) <= 0.03
