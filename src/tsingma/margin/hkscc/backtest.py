"""Would the margin have been enough? Tier P margin rate of each counter, set day by day, against what came after.

For every test day t the rate is made of prices up to t only; it is compared with the loss of a long and of a short
position from the close of t to the first close h days later. Days overlap when h > 1, so exceedances come in
runs: Kupiec's test takes every day as reported and is strict by that; Christoffersen's takes every h-th day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.backtest_tests import (
    Zone,
    christoffersen_statistic,
    kupiec_statistic,
    p_value_one,
    p_value_two,
    traffic_light,
)
from tsingma.margin.hkscc.history_scenarios import Floats, ScenarioSource, refuse_unpriced, scenario_source
from tsingma.margin.hkscc.history_settings import ONE_E10, FilterSettings
from tsingma.margin.hkscc.parameters import tail_count
from tsingma.market.history import PriceHistory

COVERAGE_TARGET = 0.99  # principle 6 of the Principles for financial market infrastructures (CPSS-IOSCO, April 2012)
TEST_DAYS_MIN = 20


class BacktestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One counter: its margin rates on the last day, and how rates set before would have done."""

    instrument: str
    margin_rate_long: float  # share of market value, on the valuation date
    margin_rate_short: float
    days_tested: int
    exceedances_long: int
    exceedances_short: int
    coverage_long: float  # share of test days on which the rate was enough
    coverage_short: float
    kupiec_p_long: float  # chance of a deviation from 1% at least as large
    kupiec_p_short: float
    independence_p_long: float  # Christoffersen, every h-th day
    independence_p_short: float
    conditional_p_long: float  # both at once, every h-th day
    conditional_p_short: float
    zone_long: Zone
    zone_short: Zone


class BacktestTable(msgspec.Struct, frozen=True, kw_only=True):
    """All counters, and their exceedances taken together."""

    first_test_date: date
    last_test_date: date
    valuation_date: date
    holding_period_days: int
    target: float
    rows: tuple[BacktestRow, ...]
    days_tested: int  # counter-days, one side
    coverage_long: float
    coverage_short: float


class MarginRates(msgspec.Struct, frozen=True, eq=False):
    """Margin rates float64 [m] of a long and a short position in each counter alone, floor included."""

    long: Floats
    short: Floats


def margin_rates(source: ScenarioSource, row: int, window: slice) -> MarginRates:
    """Return the Tier P rates of valuation day ``row``.

    The guide's portfolio margin (v1.4, portfolio margin) for a portfolio of one: the weighted mean of the worst
    HVaR and SVaR returns, absolute, and not below the floor.
    """
    settings = source.settings
    hvar, svar = source.hvar(row).returns, source.svar(row, window).returns
    hvar_low, hvar_high = _tails(hvar, tail_count(settings.hvar_confidence_e10, len(hvar)))
    svar_low, svar_high = _tails(svar, tail_count(settings.svar_confidence_e10, len(svar)))
    left, right = settings.hvar_weight_e10 / ONE_E10, settings.svar_weight_e10 / ONE_E10
    floor = settings.floor_rate_e10 / ONE_E10
    return MarginRates(
        np.maximum(np.abs(left * hvar_low + right * svar_low), floor),
        np.maximum(np.abs(left * hvar_high + right * svar_high), floor),
    )


def backtest(
    history: PriceHistory, settings: FilterSettings, on_day: Callable[[int, int], None] | None = None
) -> BacktestTable:
    """Return the coverage of every counter over all days the history allows; ``on_day(done, total)`` is told.

    Out of sample: the rate of day t knows nothing after t. A named stress window must have ended before the first
    test day, or testing starts after it. Raises Rejected when fewer than 20 days can be tested.
    """
    source = scenario_source(history, settings)
    last = history.days - 1
    refuse_unpriced(source, last)
    rows = range(_first_test_row(source), last - settings.holding_period_days + 1)
    if len(rows) < TEST_DAYS_MIN:
        raise refuse(
            RejectionReason.MISSING,
            f"{len(rows)} days can be tested, {TEST_DAYS_MIN} are needed",
            field="look_back_days",
            remedy="give a longer history, a shorter look-back or an earlier stress window",
        )
    losses_long = -source.returns[rows.start : rows.stop]
    rates_long, rates_short = np.empty(losses_long.shape), np.empty(losses_long.shape)
    for number, row in enumerate(rows):
        rates = margin_rates(source, row, source.stress_window(row))
        enough = source.observed(row) >= settings.minimum_observed_days
        rates_long[number] = np.where(enough, rates.long, np.nan)
        rates_short[number] = np.where(enough, rates.short, np.nan)
        if on_day is not None:
            on_day(number + 1, len(rows))
    today = margin_rates(source, last, source.stress_window(last))
    tested = ~np.isnan(losses_long) & ~np.isnan(rates_long)
    table = _Exceedances(tested, losses_long > rates_long, -losses_long > rates_short)
    return _table(source, rows, today, table)


class _Exceedances(msgspec.Struct, frozen=True, eq=False):
    """Bool [test days, m]: which were tested, and where a long and a short position lost more than its margin."""

    tested: npt.NDArray[np.bool_]
    long: npt.NDArray[np.bool_]
    short: npt.NDArray[np.bool_]


def _first_test_row(source: ScenarioSource) -> int:
    settings = source.settings
    first = settings.days_min - 1
    if settings.stress_from is not None:
        window = source.stress_window(source.history.days - 1)
        first = max(first, window.stop - 1 + settings.holding_period_days)
    return max(first, settings.stress_days + settings.holding_period_days)


def _tails(returns: Floats, count: int) -> tuple[Floats, Floats]:
    """Return per column the means of the ``count`` lowest and highest returns of [scenarios, m]."""
    scenarios = len(returns)
    ordered = np.partition(returns, (count - 1, scenarios - count), axis=0)
    low: Floats = ordered[:count].mean(axis=0)
    high: Floats = ordered[scenarios - count :].mean(axis=0)
    return low, high


def _table(source: ScenarioSource, rows: range, today: MarginRates, found: _Exceedances) -> BacktestTable:
    history, holding = source.history, source.settings.holding_period_days
    days = int(found.tested.sum())
    return BacktestTable(
        first_test_date=to_date(int(history.dates[rows.start])),
        last_test_date=to_date(int(history.dates[rows.stop - 1])),
        valuation_date=to_date(int(history.dates[-1])),
        holding_period_days=holding,
        target=COVERAGE_TARGET,
        rows=tuple(
            _row(code, float(today.long[column]), float(today.short[column]), column, found, holding)
            for column, code in enumerate(history.instruments)
        ),
        days_tested=days,
        coverage_long=1.0 - int((found.long & found.tested).sum()) / max(days, 1),
        coverage_short=1.0 - int((found.short & found.tested).sum()) / max(days, 1),
    )


def _row(
    code: str, rate_long: float, rate_short: float, column: int, found: _Exceedances, holding_days: int
) -> BacktestRow:
    tested = found.tested[:, column]
    sides = {
        side: _side(flags[tested, column], holding_days)
        for side, flags in (("long", found.long), ("short", found.short))
    }
    return BacktestRow(
        instrument=code,
        margin_rate_long=rate_long,
        margin_rate_short=rate_short,
        days_tested=int(tested.sum()),
        exceedances_long=sides["long"].exceedances,
        exceedances_short=sides["short"].exceedances,
        coverage_long=sides["long"].coverage,
        coverage_short=sides["short"].coverage,
        kupiec_p_long=sides["long"].kupiec_p,
        kupiec_p_short=sides["short"].kupiec_p,
        independence_p_long=sides["long"].independence_p,
        independence_p_short=sides["short"].independence_p,
        conditional_p_long=sides["long"].conditional_p,
        conditional_p_short=sides["short"].conditional_p,
        zone_long=sides["long"].zone,
        zone_short=sides["short"].zone,
    )


class _Side(msgspec.Struct, frozen=True):
    exceedances: int
    coverage: float
    kupiec_p: float
    independence_p: float
    conditional_p: float
    zone: Zone


def _side(exceeded: npt.NDArray[np.bool_], holding_days: int) -> _Side:
    """Return the figures of one side of one counter from its exceedances bool [days tested]."""
    rate = 1.0 - COVERAGE_TARGET
    days, count = len(exceeded), int(exceeded.sum())
    apart = exceeded[::holding_days]
    independence = christoffersen_statistic(apart)
    conditional = kupiec_statistic(len(apart), int(apart.sum()), rate) + independence
    return _Side(
        count,
        1.0 - count / max(days, 1),
        p_value_one(kupiec_statistic(days, count, rate)),
        p_value_one(independence),
        p_value_two(conditional),
        traffic_light(days, count, rate),
    )
