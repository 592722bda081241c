"""Simulated futures and options on a simulated market: series, trades and settlement prices of each day.

The index is the equally weighted mean of the Hong Kong counters, 20,000 before the first day. One index option expires
during the period, so that exercise is seen. Seeded by the market's own seed; invented, like everything of this room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_day
from tsingma.clearing.derivatives import DerivativeTrades, Series
from tsingma.pricing.options import black76
from tsingma.reference.book import Market
from tsingma.simulate.market import SimulatedMarket

Int64 = npt.NDArray[np.int64]

INDEX = "INDEX"
INDEX_BASE_E4 = 20_000 * 10_000
INDEX_MULTIPLIER, STOCK_MULTIPLIER = 50, 500
INDEX_TICK_E4, STOCK_TICK_E4 = 10_000, 100
INDEX_VOLATILITY, STOCK_VOLATILITY = 0.20, 0.35
STRIKES = (0.95, 1.00, 1.05)
STOCKS = 6
TERM_DAYS = 40
TRADES_SHARE, TRADES_MIN = 100, 40
_STREAM = 5


@dataclass(frozen=True, slots=True)
class DerivativeDay:
    """One day: trades, the settlement price of every series (e4) and the index (e4)."""

    trades: DerivativeTrades
    price_e4: Int64
    index_e4: int


class DerivativeMarket:
    """The series of a market, and how to draw its days."""

    def __init__(self, market: SimulatedMarket) -> None:
        """List the series on the closes before the first day."""
        self._market = market
        counters = market.book.counters
        self._stocks = [
            place for place, one in enumerate(counters) if one.settlement_counter and one.market == Market.XHKG
        ]
        self.series = self._list()
        accounts = np.concatenate([market.crowd.house_account, market.crowd.client_account])
        self._accounts = np.unique(accounts)

    def index_e4(self, row: int) -> int:
        """Return the index after ``row`` days, to the whole point."""
        close = self._market.close_e4[:, self._stocks].astype(np.float64)
        return int(INDEX_BASE_E4 * float((close[row] / close[0]).mean()) // 10_000) * 10_000

    def _list(self) -> tuple[Series, ...]:
        market = self._market
        end = to_day(market.dates[-1]) + TERM_DAYS
        early = to_day(market.dates[len(market.dates) // 2])
        index = self.index_e4(0)
        series = [Series("HSI-F", "HKCC", "future", INDEX, INDEX_MULTIPLIER, 0, end)]
        strikes = [round(index * strike / 1_000_000) * 1_000_000 for strike in STRIKES]
        for strike in strikes:
            for kind in ("call", "put"):
                name = f"HSI-{kind[0].upper()}{strike // 10_000}"
                series.append(Series(name, "HKCC", kind, INDEX, INDEX_MULTIPLIER, strike, end))
        series.append(
            Series(f"HSI-W{strikes[1] // 10_000}", "HKCC", "call", INDEX, INDEX_MULTIPLIER, strikes[1], early)
        )
        for place in self._stocks[:STOCKS]:
            code = market.book.counters[place].code
            for moneyness in STRIKES:
                level = max(round(int(market.close_e4[0, place]) * moneyness / 1_000) * 1_000, 1_000)
                for kind in ("call", "put"):
                    name = f"{code}-{kind[0].upper()}{level / 10_000:.1f}"
                    series.append(Series(name, "SEOCH", kind, code, STOCK_MULTIPLIER, level, end))
        return tuple({one.id: one for one in series}.values())

    def prices(self, row: int) -> Int64:
        """Return the settlement price (e4) of every series after ``row`` days, in ticks."""
        market = self._market
        found: list[int] = []
        counter = {one.code: place for place, one in enumerate(market.book.counters)}
        today = to_day(market.dates[row - 1]) if row else to_day(market.dates[0]) - 1
        for one in self.series:
            is_index = one.underlying == INDEX
            spot = self.index_e4(row) if is_index else int(market.close_e4[row, counter[one.underlying]])
            tick = INDEX_TICK_E4 if is_index else STOCK_TICK_E4
            price = float(spot)
            if one.kind != "future":
                years = max(one.expiry_day - today, 0) / 365.0
                volatility = INDEX_VOLATILITY if is_index else STOCK_VOLATILITY
                price = float(black76(spot, one.strike_e4, years, volatility, 0.0, one.kind == "call")[0])
            found.append(max(round(price / tick) * tick, tick))
        return np.array(found, np.int64)

    def day(self, place: int) -> DerivativeDay:
        """Draw day ``place`` (from 0); the same place always gives the same trades."""
        market = self._market
        chance = np.random.Generator(np.random.PCG64([market.seed, _STREAM, place]))
        price, today = self.prices(place + 1), to_day(market.dates[place])
        alive = np.array([k for k, one in enumerate(self.series) if one.expiry_day >= today])
        count = max(market.trades_per_day // TRADES_SHARE, TRADES_MIN)
        series = alive[np.minimum(chance.geometric(0.12, count) - 1, alive.size - 1)]
        buyer = self._accounts[chance.integers(0, self._accounts.size, count)]
        step = chance.integers(1, self._accounts.size, count)
        seller = self._accounts[(np.searchsorted(self._accounts, buyer) + step) % self._accounts.size]
        tick = np.where(np.array([self.series[k].underlying == INDEX for k in series]), INDEX_TICK_E4, STOCK_TICK_E4)
        drift = np.array([0.003 if self.series[k].kind == "future" else 0.05 for k in series])
        moved = price[series] * (1.0 + drift * chance.standard_normal(count).clip(-3, 3))
        trades = DerivativeTrades(
            trade_id=np.arange(count, dtype=np.int64) + 1,
            series=series.astype(np.int64),
            buyer=buyer.astype(np.int64),
            seller=seller.astype(np.int64),
            quantity=chance.integers(1, 11, count),
            price_e4=np.maximum(np.rint(moved / tick).astype(np.int64) * tick, tick),
        )
        return DerivativeDay(trades, price, self.index_e4(place + 1))
