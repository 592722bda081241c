"""A market's past: prices, curves and their scenarios at every holding period, as known at the close of any day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.history_scenarios import Scenarios, ScenarioSource, scenario_source
from tsingma.margin.house.contracts import PRODUCT_OF
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.historical import HistoricalSettings, Kind, historical_settings
from tsingma.margin.house.holdings import (
    BASKET,
    CONTRACTS,
    FX,
    GOLD,
    INDEX,
    NUMERAIRE,
    Holding,
    House,
    by_history,
    currency_of,
)
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.revaluation import TRADING_DAYS, Moves, profits
from tsingma.market.history import PriceHistory

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

TABLES_KEPT = 12  # scenarios of a day by holding period and kind: a megabyte each for 138 counters and 1,000 scenarios
VOLATILITY_MIN, VOLATILITY_MAX = 0.05, 2.0  # a year
RATIO_MAX = 3.0
RENMINBI = ("CNY", "CNH")  # onshore and offshore renminbi move together here


def is_extra(name: str) -> bool:
    """Return whether a series of the history is an index, a currency or a metal, and no counter."""
    return name in (INDEX, FX, NUMERAIRE) or name.startswith(GOLD)


class _Table(msgspec.Struct, frozen=True, eq=False):
    """Scenarios of every column of the history, float64 [m, scenarios] each, and what the renminbi is worth in them."""

    returns: Float64
    volatility_ratio: Float64
    renminbi: Float64

    def of(self, rows: Float64, columns: list[int]) -> Float64:
        """Return the mean of some columns of ``rows``, float64 [scenarios]."""
        if len(columns) == 1:
            one: Float64 = rows[columns[0]]
            return one
        mean: Float64 = rows.T[:, columns].mean(axis=1)
        return mean


class MarketPast:
    """A price history, and curves beside it, with scenarios at every holding period that houses use."""

    def __init__(self, history: PriceHistory, models: HouseModels, rates: RatesPast | None = None) -> None:
        """Prepare the scenarios; raises Rejected when the history is too short."""
        self.history, self.models, self.rates = history, models, rates
        self._counters = [k for k, name in enumerate(history.instruments) if not is_extra(name)]
        self._column = {name: k for k, name in enumerate(history.instruments)}
        self._sources: dict[int, ScenarioSource] = {}
        self._volatility: dict[tuple[int, str], float] = {}
        self._tables: dict[tuple[str, int, int, int, int], _Table] = {}  # the oldest first
        periods = set(models.holding_days.values())
        self.longest = max(periods)
        for days in sorted(periods):
            self._source(days)

    def _source(self, days: int) -> ScenarioSource:
        if days not in self._sources:
            settings = msgspec.structs.replace(self.models.filter, holding_period_days=days)
            self._sources[days] = scenario_source(self.history, settings)
        return self._sources[days]

    @property
    def first_row(self) -> int:
        """Return the first day with a full look-back and a stress window."""
        settings = self.models.filter
        return max(settings.look_back_days, settings.stress_days + 2) + 2 * self.longest + 1

    @property
    def last_row(self) -> int:
        """Return the last day whose outcome is known."""
        return self.history.days - self.longest - 1

    def day(self, row: int) -> date:
        """Return the day of a row."""
        return to_date(int(self.history.dates[row]))

    def historical(self, house: House, row: int) -> HistoricalSettings:
        """Return the model of a house that margins by revalued history, as on a day; scenarios as the models say."""
        found = historical_settings(house, self.day(row))
        chosen = self.models.scenarios
        return msgspec.structs.replace(found, scenarios=chosen) if chosen else found

    def period(self, holding: Holding, row: int) -> int:
        """Return the trading days over which a holding's house could have to close it out."""
        if by_history(holding):
            return self.historical(holding.house, row).period(holding.product)
        return self.models.holding_days[holding.house]

    def require(self, holdings: Sequence[Holding], *, file: str = "") -> None:
        """Raise Rejected naming the line of a factor or contract that is not there."""

        def missing(holding: Holding, message: str, remedy: str) -> None:
            raise refuse(RejectionReason.MISSING, message, file=file, line=holding.line, field="factor", remedy=remedy)

        for holding in holdings:
            factor = holding.factor
            if holding.product in CONTRACTS:
                contract = self.rates.contracts.get(factor) if self.rates else None
                if contract is None or self.rates is None:
                    missing(holding, f"'{factor}' is no contract on file", "give its terms and its curve")
                elif PRODUCT_OF[contract.kind] is not holding.product:
                    missing(holding, f"'{factor}' is a {contract.kind}", f"it cannot be held as a {holding.product}")
                elif self.rates.currency(factor) in RENMINBI and FX not in self._column:
                    missing(holding, f"'{factor}' pays in renminbi: '{FX}' is not in the history", "give its closes")
            elif factor not in self._column and (is_extra(factor) and factor != INDEX):
                missing(holding, f"'{factor}' is not in the price history", "give its closes")
            elif factor not in self._column and not (factor in (INDEX, BASKET) and self._counters):
                missing(holding, f"'{factor}' is not in the price history", "give its prices, or take the line out")

    def starts(self, row: int, days: int, kind: Kind) -> Int64:
        """Return the rows on which the scenarios of a day begin, int64 [scenarios]; they end by it.

        Stressed: the most volatile stretch of everything that is margined by history, the earliest of equals.
        """
        settings = self.models.filter
        if kind is not Kind.STRESSED:
            first = row - days - settings.look_back_days + 1
            if first < 0:
                message = f"{row + 1} days of prices by {self.day(row)}, {settings.look_back_days + days} are needed"
                raise refuse(RejectionReason.MISSING, message, field="prices", remedy="give a longer history")
            return np.arange(first, first + settings.look_back_days)
        width, candidates = settings.stress_days, row + 2 - settings.stress_days - days
        if candidates < 1:
            message = f"{row + 1} days by {self.day(row)}, {width + days} are needed for a stressed part"
            raise refuse(RejectionReason.MISSING, message, field="prices", remedy="give a longer history")
        sums = np.concatenate([[0.0], np.cumsum(self._activity())])
        first = int((sums[width : width + candidates] - sums[:candidates]).argmax())
        return np.arange(first, first + width)

    def _activity(self) -> Float64:
        """Return the squared one-day moves of curves, currencies and metals in units of their mean, float64 [n - 1]."""
        each = [] if self.rates is None else [self.rates.squares()]
        for name, column in self._column.items():
            if is_extra(name) and name != INDEX:
                close = self.history.close_e4[:, column].astype(np.float64)
                known = (close[1:] > 0) & (close[:-1] > 0)
                moves = np.where(known, close[1:] / np.where(close[:-1] > 0, close[:-1], 1.0) - 1.0, 0.0) ** 2
                each.append(moves / max(float(moves.mean()), 1e-18))
        found: Float64 = np.sum(each, axis=0) if each else np.zeros(self.history.days - 1)
        return found

    def moves(self, row: int, days: int, factors: set[str], kind: Kind, starts: Int64 | None = None) -> Moves:
        """Return the scenarios of a day over a holding period, known at its close, begun on ``starts`` or its own."""
        chosen = self.starts(row, days, kind) if starts is None else starts
        filtered = kind is Kind.FILTERED
        table = self._table(
            str(kind), row, days, chosen, lambda: self._returns(row, days, chosen, filtered=filtered).returns
        )
        return self._moves(days, row, factors, table, chosen, filtered=filtered)

    def _returns(self, row: int, days: int, starts: Int64, *, filtered: bool) -> Scenarios:
        source = self._source(days)
        if filtered and int(starts[0]) == row - days - self.models.filter.look_back_days + 1:
            return source.hvar(row)
        window = slice(int(starts[0]), int(starts[-1]) + 1)
        settings = msgspec.structs.replace(source.settings, scale_stress=filtered)
        return msgspec.structs.replace(source, settings=settings).svar(row, window)

    def scenarios(self, row: int, days: int, factors: set[str]) -> Moves:
        """Return the filtered scenarios of a day over a holding period."""
        return self.moves(row, days, factors, Kind.FILTERED)

    def stress(self, row: int, days: int, factors: set[str]) -> Moves:
        """Return the scenarios of the index's most volatile stretch by a day, as they were (HKSCC's second part).

        A past without counters has no index: the stretch is that of everything else.
        """
        if not self._counters and INDEX not in self._column:
            return self.moves(row, days, factors, Kind.STRESSED)
        source = self._source(days)
        window = source.stress_window(row)
        starts = np.arange(window.start, window.stop)
        table = self._table("index", row, days, starts, lambda: source.svar(row, window).returns)
        return self._moves(days, row, factors, table, starts, filtered=False)

    def outcome(self, row: int, days: int, factors: set[str]) -> Moves:
        """Return what happened over the holding period after a day; a suspended counter stands still."""
        source = self._source(days)
        known = np.nan_to_num(source.returns[row : row + 1], nan=0.0)
        starts = np.array([row])
        return self._moves(days, row, factors, self._made(days, known, starts), starts, filtered=False)

    def own_profits(self, holdings: Sequence[Holding], row: int, kind: Kind) -> Int64:
        """Return the profits of holdings, each at its own holding period, in scenarios with common first days."""
        periods = {one: self.period(one, row) for one in holdings}
        starts = self.starts(row, max(periods.values()), kind)
        parts = []
        for days in sorted(set(periods.values())):
            own = [one for one in holdings if periods[one] == days]
            parts.append(profits(own, self.moves(row, days, {one.factor for one in own}, kind, starts)))
        total: Int64 = np.sum(parts, axis=0)
        return total

    def own_outcome(self, holdings: Sequence[Holding], row: int) -> int:
        """Return what holdings then gained in whole HKD, each over its own holding period."""
        total = 0
        for holding in holdings:
            outcome = self.outcome(row, self.period(holding, row), {holding.factor})
            total += int(profits([holding], outcome)[0])
        return total

    def total(self, holdings: Sequence[Holding], row: int, days: int) -> int:
        """Return what holdings together gained over some days after a day, in whole HKD."""
        return int(profits(holdings, self.outcome(row, days, {one.factor for one in holdings}))[0])

    def scenario_days(self, row: int, days: int) -> list[date]:
        """Return the day on which each scenario of :meth:`scenarios` began."""
        return [self.day(int(start)) for start in self.starts(row, days, Kind.FILTERED)]

    def price_ratio(self, row: int, later: int, factor: str) -> float:
        """Return a factor's price at a later row over that at a row; the basket's is the mean of its counters'."""
        if self.rates is not None and factor in self.rates.contracts:
            return 1.0  # a face stays what it is
        close = self.history.close_e4[:, self._columns(factor)].astype(np.float64)
        known = (close[row] > 0) & (close[later] > 0)
        if not known.any():
            raise refuse(RejectionReason.MISSING, f"'{factor}' has no price on one of the days", field="prices")
        return float(np.mean(close[later][known] / close[row][known]))

    def _table(self, name: str, row: int, days: int, starts: Int64, returns: Callable[[], Float64]) -> _Table:
        """Return the scenarios that begin on ``starts``, consecutive rows; the last ones asked for are kept."""
        key = (name, row, days, int(starts[0]), starts.size)
        found = self._tables.get(key)
        if found is None:
            found = self._made(days, returns(), starts)
            self._tables[key] = found
            while len(self._tables) > TABLES_KEPT:
                self._tables.pop(next(iter(self._tables)), None)
        return found

    def _made(self, days: int, returns: Float64, starts: Int64) -> _Table:
        volatility = self._source(days).volatility
        ratio = volatility[np.minimum(starts + days, self.history.days - 1)] / np.maximum(volatility[starts], 1e-6)
        ratio = np.clip(np.nan_to_num(ratio, nan=1.0), 1.0 / RATIO_MAX, RATIO_MAX)
        renminbi = 1.0 / (1.0 + returns[:, self._column[FX]]) if FX in self._column else np.ones(starts.size)
        return _Table(np.ascontiguousarray(returns.T), np.ascontiguousarray(ratio.T), renminbi)

    def _moves(self, days: int, row: int, factors: set[str], table: _Table, starts: Int64, *, filtered: bool) -> Moves:
        renminbi = table.renminbi
        contracts = sorted(factors & set(self.rates.contracts)) if self.rates is not None else []
        columns = {factor: self._columns(factor) for factor in sorted(factors - set(contracts))}
        gains: dict[str, Float64] = {}
        if contracts and self.rates is not None:
            gains = self.rates.profits(contracts, row, starts, days, filtered=filtered)
            gains = {one: gain * self._money(self.rates.currency(one), renminbi) for one, gain in gains.items()}
        return Moves(
            horizon_days=days,
            returns={factor: table.of(table.returns, chosen) for factor, chosen in columns.items()},
            volatility_ratio={factor: table.of(table.volatility_ratio, chosen) for factor, chosen in columns.items()},
            volatility={factor: self.volatility(row, factor) for factor in columns},
            money={factor: renminbi for factor in columns if currency_of(factor) in RENMINBI},
            contracts=gains,
        )

    @staticmethod
    def _money(currency: str, renminbi: Float64) -> Float64:
        """Return what a unit of a currency is worth in HKD over what it was: US dollars are pegged."""
        return renminbi if currency in RENMINBI else np.ones_like(renminbi)

    def volatility(self, row: int, factor: str) -> float:
        """Return a factor's EWMA volatility a year at a close, between 5 % and 200 %."""
        if (row, factor) not in self._volatility:
            source = self._source(min(self.models.holding_days.values()))
            daily = float(np.nanmean(source.sigma(row)[self._columns(factor)]))
            self._volatility[row, factor] = float(min(max(daily * TRADING_DAYS**0.5, VOLATILITY_MIN), VOLATILITY_MAX))
        return self._volatility[row, factor]

    def _columns(self, factor: str) -> list[int]:
        if factor in self._column:
            return [self._column[factor]]
        return self._counters  # the basket, and the index of a history that brings none
