"""The use case behind ``tsingma margin parameters``: a price history becomes a risk parameter file and a backtest."""

from __future__ import annotations

from datetime import date

from tsingma.app.progress import Progress
from tsingma.margin.hkscc.backtest import BacktestTable, backtest
from tsingma.margin.hkscc.history import HistoryParameters, parameters_from_history
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.market.history import PriceHistory


def build_parameters(history: PriceHistory, settings: FilterSettings, valuation_date: date | None = None) -> Parameters:
    """Return the risk parameters of one valuation date (default: the last day of the history).

    Raises Rejected when the history is too short, has no such day, or a counter has too few returns of its own.
    """
    return build_with_notes(history, settings, valuation_date).parameters


def build_with_notes(
    history: PriceHistory, settings: FilterSettings, valuation_date: date | None = None
) -> HistoryParameters:
    """Return what :func:`build_parameters` does, with the notes on windows, proxies and assumptions."""
    return parameters_from_history(history, settings, valuation_date)


def backtest_table(
    history: PriceHistory,
    settings: FilterSettings,
    valuation_date: date | None = None,
    progress: Progress | None = None,
) -> BacktestTable:
    """Return margin rates and out-of-sample coverage of every counter, up to the valuation date.

    Raises Rejected when fewer than 20 days can be tested.
    """
    known = history.until(history.row_of(valuation_date))
    if progress is None:
        return backtest(known, settings)
    return backtest(known, settings, lambda done, total: progress.stage("backtest", done, total))
