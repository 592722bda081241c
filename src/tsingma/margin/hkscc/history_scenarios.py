"""Filtered historical simulation: what the past says about the next days, at today's volatility.

The method, after Hull and White, "Incorporating volatility updating into the historical simulation method for value
at risk", Journal of Risk 1(1), 1998, with the EWMA volatility of RiskMetrics:

    r[t]     = p[t] / p[t-1] - 1                        one-day returns, between closes that exist
    v[t]     = decay * v[t-1] + (1 - decay) * r[t]**2   known at the close of day t, seeded, floored
    R[t]     = p[t+h] / p[t] - 1                        overlapping returns over h days
    HVaR     = R[t] * min(sigma[T] / sigma[t], cap)     the look_back_days last of them that end by day T
    SVaR     = R[t] as it was, of a stress window

Suspended counters: a return starts only on a day with a close, and ends at the first close from day t+h on; nobody
gets out earlier. Returns that cannot be had are filled by a named proxy and counted. Nothing looks beyond day T.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.ewma import ewma_variance
from tsingma.margin.hkscc.history_settings import STRESS_SCENARIOS_MIN, FilterSettings, Proxy
from tsingma.market.history import PriceHistory

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Scenarios(msgspec.Struct, frozen=True, eq=False):
    """Scenario returns float64 [scenarios, m], and per counter how many of them a proxy filled (int64 [m])."""

    returns: Floats
    filled: Integers
    first_row: int  # start day of the first scenario


class ScenarioSource(msgspec.Struct, frozen=True, eq=False):
    """A price history turned into returns and volatilities once, to be asked for any valuation day.

    ``returns`` float64 [n - h, m], by start day, NaN where there is none; ``ends`` int64 [n - h, m] row where each
    ends; ``volatility`` float64 [n, m] a day; ``index_squares`` float64 [n + 1] running sum of the squared one-day
    returns of the index; ``hedge_column`` of the index fund, or -1 when the index is the equal-weighted mean.
    """

    settings: FilterSettings
    history: PriceHistory
    returns: Floats
    ends: Integers
    volatility: Floats
    index_squares: Floats
    hedge_column: int

    def hvar(self, row: int) -> Scenarios:
        """Return the HVaR scenarios of valuation day ``row``; raises Rejected when the history is too short."""
        first = row - self.settings.holding_period_days - self.settings.look_back_days + 1
        require_days(row + 1, self.settings.days_min)
        rows = slice(first, first + self.settings.look_back_days)
        known = np.maximum(self._known(rows, row) * self._scale(rows, row), -1.0)  # nothing loses more than all
        return self._filled(known, known, row, first)

    def svar(self, row: int, window: slice) -> Scenarios:
        """Return the SVaR scenarios of the start days ``window`` as seen on valuation day ``row``."""
        known = self._known(window, row)
        look_back = self._known(self._look_back(row), row)
        if self.settings.scale_stress:
            known = np.maximum(known * self._scale(window, row), -1.0)
            look_back = look_back * self._scale(self._look_back(row), row)
        return self._filled(known, look_back, row, window.start)

    def stress_window(self, row: int) -> slice:
        """Return the start days of the stress window: the settings' dates, or the most volatile known by ``row``.

        Most volatile: the largest sum of squared one-day returns of the index, the earliest of equals. Raises
        Rejected when fewer than 50 scenarios end by ``row``, or named dates lie outside the history.
        """
        named_from, named_to = self.settings.stress_from, self.settings.stress_to
        named = self._named_window(named_from, named_to) if named_from and named_to else None
        first, stop = named or self._found_window(row)
        last_end = stop - 1 + self.settings.holding_period_days
        if stop - first < STRESS_SCENARIOS_MIN or last_end > row:
            raise refuse(
                RejectionReason.MISSING,
                f"the stress window has {max(stop - first, 0)} scenarios by {to_date(int(self.history.dates[row]))}, "
                f"{STRESS_SCENARIOS_MIN} that end by then are needed",
                field="stress",
                remedy="choose dates inside the history",
            )
        return slice(first, stop)

    def _named_window(self, stress_from: date, stress_to: date) -> tuple[int, int]:
        """Return (first, stop) start days of the window of these dates, (0, 0) when the history lacks its days."""
        dates = self.history.dates
        if to_day(stress_from) < dates[0] or to_day(stress_to) > dates[-1]:
            return 0, 0
        end = int(np.searchsorted(dates, to_day(stress_to), side="right"))
        return int(np.searchsorted(dates, to_day(stress_from))), end - self.settings.holding_period_days

    def _found_window(self, row: int) -> tuple[int, int]:
        """Return (first, stop) start days of the most volatile window that ends by ``row``, (0, 0) for none."""
        width = self.settings.stress_days
        candidates = row + 2 - width - self.settings.holding_period_days
        if candidates < 1:
            return 0, 0
        sums = self.index_squares[1:]  # sums[k]: the squares of the returns up to day k
        first = int((sums[width : width + candidates] - sums[:candidates]).argmax())
        return first, first + width

    def observed(self, row: int) -> Integers:
        """Return per counter how many returns of the look-back are its own (int64 [m])."""
        known = self._known(self._look_back(row), row)
        return np.asarray((~np.isnan(known)).sum(axis=0), dtype=np.int64)

    def betas(self, row: int) -> Floats:
        """Return per counter the slope of its look-back returns on those of the index (float64 [m])."""
        known = self._known(self._look_back(row), row)
        return slopes(known, self._index(known))

    def sigma(self, row: int) -> Floats:
        """Return per counter the one-day volatility at the close of ``row``, not below the floor."""
        floored: Floats = np.maximum(self.volatility[row], self.settings.volatility_floor_e6 / 1e6)
        return floored

    def _look_back(self, row: int) -> slice:
        end = row - self.settings.holding_period_days + 1
        return slice(max(end - self.settings.look_back_days, 0), end)

    def _known(self, rows: slice, row: int) -> Floats:
        return np.where(self.ends[rows] <= row, self.returns[rows], np.nan)

    def _scale(self, rows: slice, row: int) -> Floats:
        then = np.maximum(self.volatility[rows], self.settings.volatility_floor_e6 / 1e6)
        scale: Floats = np.minimum(self.sigma(row) / then, self.settings.rescale_cap_e2 / 100)
        return scale

    def _index(self, returns: Floats) -> Floats:
        seen = ~np.isnan(returns)
        count = seen.sum(axis=1)
        mean: Floats = np.where(seen, returns, 0.0).sum(axis=1) / np.maximum(count, 1)
        if self.hedge_column < 0:
            return mean
        fund = returns[:, self.hedge_column]
        return np.where(np.isnan(fund), mean, fund)

    def _filled(self, known: Floats, pool: Floats, row: int, first: int) -> Scenarios:
        """Fill what is missing in ``known`` from the index and the residuals of ``pool`` [look-back, m]."""
        holes = np.isnan(known)
        filled = holes.sum(axis=0).astype(np.int64)
        if not filled.any():
            return Scenarios(known, filled, first)
        bare = holes.all(axis=1)
        if bare.any():
            day = to_date(int(self.history.dates[first + int(bare.argmax())]))
            message = f"no counter has a return from {day} on: there is no index to stand in"
            raise refuse(RejectionReason.MISSING, message, field="prices", remedy="take that day out, or add counters")
        betas, index, pool_index = self.betas(row), self._index(known), self._index(pool)
        returns = known.copy()
        for column in np.flatnonzero(filled):
            hole = holes[:, column]
            returns[hole, column] = betas[column] * index[hole]
            residuals = pool[:, column] - betas[column] * pool_index
            residuals = residuals[~np.isnan(residuals)]
            if self.settings.proxy is Proxy.BETA_AND_RESIDUALS and len(residuals):
                returns[hole, column] += np.resize(residuals, int(filled[column]))
        return Scenarios(np.maximum(returns, -1.0), filled, first)


def slopes(returns: Floats, index: Floats) -> Floats:
    """Return per column the least-squares slope on ``index`` [n] over the rows where ``returns`` [n, m] is known.

    A column without two known rows, or with an index that stands still, gets 1: it moves like the market.
    """
    seen = ~np.isnan(returns)
    count = np.maximum(seen.sum(axis=0), 1)
    x = np.where(seen, index[:, None], 0.0)
    y = np.where(seen, returns, 0.0)
    x_centred = np.where(seen, x - x.sum(axis=0) / count, 0.0)
    spread = (x_centred * x_centred).sum(axis=0)
    found: Floats = np.where(spread > 0, (x_centred * y).sum(axis=0) / np.where(spread > 0, spread, 1.0), 1.0)
    return found


def scenario_source(history: PriceHistory, settings: FilterSettings) -> ScenarioSource:
    """Return the returns, volatilities and index of a price history (n days, m counters)."""
    require_days(history.days, settings.days_min)
    one_day = _one_day_returns(history)
    seed = _seed_variance(one_day, settings.seed_days)
    returns, ends = _holding_returns(history, settings.holding_period_days)
    hedge = settings.hedge_instrument
    column = history.instruments.index(hedge) if hedge in history.instruments else -1
    source = ScenarioSource(
        settings,
        history,
        returns,
        ends,
        np.sqrt(ewma_variance(one_day, seed, settings.decay_e4 / 10_000)),
        np.zeros(0),
        column,
    )
    squares = source._index(one_day) ** 2
    return msgspec.structs.replace(source, index_squares=np.concatenate([np.zeros(1), np.cumsum(squares)]))


def require_days(days: int, days_min: int) -> None:
    """Raise Rejected when there are fewer days of prices than are needed."""
    if days < days_min:
        raise refuse(
            RejectionReason.MISSING,
            f"{days} days of prices up to the valuation day, {days_min} are needed",
            field="look_back_days",
            remedy="give a longer history, or a shorter look-back",
        )


def refuse_unpriced(source: ScenarioSource, row: int) -> None:
    """Raise Rejected naming every counter with too few returns of its own on valuation day ``row``."""
    short = source.observed(row) < source.settings.minimum_observed_days
    names = [name for name, few in zip(source.history.instruments, short, strict=True) if few]
    if names:
        raise refuse(
            RejectionReason.MISSING,
            f"{len(names)} counters have fewer than {source.settings.minimum_observed_days} returns: "
            + ", ".join(names[:10]),
            field="minimum_observed_days",
            remedy="leave them out and margin them at a flat rate",
        )


def _one_day_returns(history: PriceHistory) -> Floats:
    """Return [n, m] returns from the last close before day t to the close of day t; NaN without both."""
    rows = np.where(history.missing, -1, np.arange(history.days)[:, None])
    last = np.maximum.accumulate(rows, axis=0)
    before = np.vstack([np.full((1, rows.shape[1]), -1), last[:-1]])
    price = history.close_e4.astype(np.float64)
    start = price[np.maximum(before, 0), np.arange(rows.shape[1])]
    known = ~history.missing & (before >= 0)
    return np.where(known, price / np.where(start > 0, start, 1.0) - 1.0, np.nan)


def _holding_returns(history: PriceHistory, holding_days: int) -> tuple[Floats, Integers]:
    """Return ([n - h, m] returns by start day, [n - h, m] rows where they end; n where they never do)."""
    days = history.days
    rows = np.where(history.missing, days, np.arange(days)[:, None])
    following = np.minimum.accumulate(rows[::-1], axis=0)[::-1]
    ends = following[holding_days:]
    price = history.close_e4.astype(np.float64)
    stop = price[np.minimum(ends, days - 1), np.arange(rows.shape[1])]
    start = price[:-holding_days]
    known = (start > 0) & (ends < days)
    return np.where(known, stop / np.where(start > 0, start, 1.0) - 1.0, np.nan), ends.astype(np.int64)


def _seed_variance(one_day: Floats, seed_days: int) -> Floats:
    """Return per column the mean square of its first ``seed_days`` returns, 0 for a column without any."""
    seen = ~np.isnan(one_day)
    early = seen & (np.cumsum(seen, axis=0) <= seed_days)
    total = np.where(early, one_day * one_day, 0.0).sum(axis=0)
    seed: Floats = total / np.maximum(early.sum(axis=0), 1)
    return seed
