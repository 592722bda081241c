"""From a price history to the risk parameters of one day, with notes on everything that was assumed or filled."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.rounding import divide_half_away
from tsingma.margin.hkscc.history_scenarios import (
    Floats,
    Integers,
    Scenarios,
    ScenarioSource,
    refuse_unpriced,
    scenario_source,
)
from tsingma.margin.hkscc.history_settings import ONE_E10, FilterSettings
from tsingma.margin.hkscc.parameters import BetaHedge, Parameters, check_parameters
from tsingma.market.history import PriceHistory
from tsingma.market.tickers import file_instrument_id

_E10 = 1e10
_PRICE_E4_TO_E10 = 10**6
_THRESHOLD_UNIT = 1_000_000  # HKD; thresholds are whole millions, as in the guide's sample file


class FilledCounter(msgspec.Struct, frozen=True):
    """A counter some of whose scenarios were made by the proxy, because it had no prices then."""

    instrument: str
    hvar_filled: int
    svar_filled: int


class ParameterNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the parameter file must know: the data, the windows and what was assumed."""

    valuation_date: date
    hvar_from: date  # first start day of an HVaR return
    stress_from: date  # first start day of an SVaR return
    stress_to: date  # last day an SVaR return may end
    stress_found: bool  # the most volatile window was looked for, not named
    index: str  # what betas are measured against
    proxy: str
    filled: tuple[FilledCounter, ...]
    stale: tuple[str, ...]  # no close on the valuation date: the last one before it is the price
    thresholds: str  # where liquidity thresholds come from
    hedge: str  # where the hedge instrument's row comes from


class HistoryParameters(msgspec.Struct, frozen=True, eq=False):
    """Parameters made from a price history, and the notes on them."""

    parameters: Parameters
    notes: ParameterNotes


def parameters_from_history(
    history: PriceHistory, settings: FilterSettings, valuation_date: date | None = None
) -> HistoryParameters:
    """Return the parameters of one valuation date (default: the last day) and the notes on them.

    FieldTypes 1 and 2 by filtered historical simulation (see :mod:`history_scenarios`), FieldType 4 from betas,
    traded values and closing prices; returns are rounded to 1e-10. Raises Rejected when the date is no day of the
    history, the history is too short, or a counter has too few returns of its own.
    """
    row = history.row_of(valuation_date)
    source = scenario_source(history.until(row), settings)
    refuse_unpriced(source, row)
    window = source.stress_window(row)
    hvar, svar = source.hvar(row), source.svar(row, window)
    parameters = Parameters(
        valuation_date=to_date(int(history.dates[row])),
        hvar_weight_e10=settings.hvar_weight_e10,
        svar_weight_e10=settings.svar_weight_e10,
        hvar_confidence_e10=settings.hvar_confidence_e10,
        svar_confidence_e10=settings.svar_confidence_e10,
        rounding=settings.rounding,
        holiday_factor_e10=settings.holiday_factor_e10,
        instruments=tuple(file_instrument_id(code) for code in history.instruments),
        hvar_returns_e10=_rounded(hvar.returns),
        svar_returns_e10=_rounded(svar.returns),
        beta_hedges=_beta_hedges(source, row),
        hvar_dates=_labels(source, hvar),
        svar_dates=_labels(source, svar),
    )
    return HistoryParameters(check_parameters(parameters), _notes(source, row, window, hvar, svar))


def _rounded(returns: Floats) -> Integers:
    """Return [scenarios, m] returns as integers x 10**10 in rows of instruments, [m, scenarios]."""
    return np.ascontiguousarray(np.rint(returns * _E10).astype(np.int64).T)


def _labels(source: ScenarioSource, scenarios: Scenarios) -> tuple[str, ...]:
    """Return the start day of each scenario."""
    first = scenarios.first_row
    days = source.history.dates[first : first + len(scenarios.returns)]
    return tuple(to_date(int(day)).isoformat() for day in days)


def _beta_hedges(source: ScenarioSource, row: int) -> dict[str, BetaHedge]:
    """Return the FieldType 4 row of each counter, and of the hedge instrument when it has no prices itself."""
    history, settings = source.history, source.settings
    betas = np.rint(source.betas(row) * _E10).astype(np.int64)
    closes_e4, _ = history.last_closing(row)
    traded = _traded_values(source, row)
    hedges = {}
    for column, code in enumerate(history.instruments):
        value = None if traded is None else int(traded[column])
        rate_e10, threshold = _liquidity(settings, value)
        price_e10 = int(closes_e4[column]) * _PRICE_E4_TO_E10
        hedges[file_instrument_id(code)] = BetaHedge(rate_e10, int(betas[column]), threshold, price_e10)
    if source.hedge_column < 0:
        total_e10 = int(closes_e4.sum()) * _PRICE_E4_TO_E10
        level_e10 = divide_half_away(total_e10, len(closes_e4))
        rate_e10, threshold = _liquidity(settings, None if traded is None else int(traded.max()))
        name = file_instrument_id(settings.hedge_instrument)
        hedges[name] = BetaHedge(rate_e10, ONE_E10, threshold, level_e10)
    return hedges


def _traded_values(source: ScenarioSource, row: int) -> Integers | None:
    """Return the average daily traded value per counter in HKD (int64 [m]), or None without volumes."""
    volumes = source.history.volumes
    if volumes is None:
        return None
    rows = slice(max(row + 1 - source.settings.traded_value_days, 0), row + 1)
    value = volumes[rows].astype(np.float64) * source.history.close_e4[rows] / 1e4
    average: Floats = np.floor(value.mean(axis=0))
    return average.astype(np.int64)


def _liquidity(settings: FilterSettings, traded_value: int | None) -> tuple[int, int]:
    """Return (bucket rate e10, threshold in HKD) of a counter that trades so much a day; None is unknown."""
    if traded_value is None:
        return settings.buckets[-1].rate_e10, settings.threshold_unknown
    rate_e10 = next(bucket.rate_e10 for bucket in settings.buckets if traded_value >= bucket.traded_value_from)
    share = traded_value * settings.threshold_share_e4 // 10_000
    return rate_e10, share // _THRESHOLD_UNIT * _THRESHOLD_UNIT


def _notes(source: ScenarioSource, row: int, window: slice, hvar: Scenarios, svar: Scenarios) -> ParameterNotes:
    history, settings = source.history, source.settings
    day = [to_date(int(each)) for each in history.dates]
    _, last_rows = history.last_closing(row)
    own = source.hedge_column >= 0
    hedge = file_instrument_id(settings.hedge_instrument)
    volumes = history.volumes is not None
    return ParameterNotes(
        valuation_date=day[row],
        hvar_from=day[hvar.first_row],
        stress_from=day[window.start],
        stress_to=day[window.stop - 1 + settings.holding_period_days],
        stress_found=settings.stress_from is None,
        index=hedge if own else "equal-weighted mean of all counters",
        proxy=settings.proxy.value,
        filled=tuple(
            FilledCounter(code, int(left), int(right))
            for code, left, right in zip(history.instruments, hvar.filled, svar.filled, strict=True)
            if left or right
        ),
        stale=tuple(code for code, last in zip(history.instruments, last_rows, strict=True) if last < row),
        thresholds=(
            f"{settings.threshold_share_e4 / 100:g}% of the traded value, average of {settings.traded_value_days} days"
            if volumes
            else f"no volumes given: HKD {settings.threshold_unknown:,} for every counter"
        ),
        hedge=(
            f"{hedge}: its own prices"
            if own
            else f"{hedge}: no prices given; stands for the index: beta 1, the average close, the largest threshold"
        ),
    )
