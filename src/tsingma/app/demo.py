"""The main job: a market's week through the house, from the trades to the report."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.day_figures import cross_rows, day_figures, participant_margins
from tsingma.app.house_derivatives import DerivativeMargin, cross_house
from tsingma.app.house_margin import HouseMargin, with_flat_rates
from tsingma.app.market_week import run_market
from tsingma.app.parameter_file import backtest_table, build_parameters
from tsingma.app.progress import Progress
from tsingma.app.renminbi_day import run_renminbi_day
from tsingma.app.session import Session
from tsingma.app.statement_figures import StatementFigures
from tsingma.app.statements import write_house_statements
from tsingma.app.stress_figures import stress_figures
from tsingma.app.stress_rates import simulated_rates
from tsingma.app.stress_run import (
    LIQUID_MULTIPLE,
    StressSource,
    less_liquid,
    source_of_margins,
    source_with_rates,
    stress,
)
from tsingma.basics.clock import Clock
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.messages.prices import read_prices, write_prices
from tsingma.messages.rpf01 import write_parameters
from tsingma.reports.figures import BacktestRow, CrossRow, DayFigures, HouseReport, check_report
from tsingma.reports.html import render_html
from tsingma.reports.renminbi_figures import RenminbiFigures
from tsingma.reports.renminbi_terminal import summary as renminbi_summary
from tsingma.reports.stress_brief import render_brief
from tsingma.reports.stress_figures import StressFigures
from tsingma.reports.stress_terminal import summary as stress_summary
from tsingma.reports.terminal import summary
from tsingma.simulate.market import SimulatedMarket, market_on_closes, simulate_market
from tsingma.stress.scenario import shipped_scenarios

DEFAULT_START = date(2026, 1, 5)
STRESS_DRAWS = 20


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo is told; ``prices`` replaces the simulated closes by real ones."""

    trades_per_day: int
    days: int
    seed: int
    start: date | None = None
    prices: Path | None = None
    out: Path


class DemoResult(msgspec.Struct, frozen=True):
    """Where the report is, the lines to print and the figures behind them."""

    lines: list[str]
    figures: dict[str, object]


def run_demo(options: DemoOptions, clock: Clock, progress: Progress) -> DemoResult:
    """Make the market, run its days on a fresh house in ``out``, write report, prices, parameters and statements there.

    Raises Rejected when the prices are refused, or when ``out`` holds a folder that is no earlier demo.
    """
    began = clock.elapsed_ns()
    progress.stage("making the market", 0, 1)
    market = _market(options)
    parameters = build_parameters(market.history, FilterSettings())
    folder = _fresh(options.out)
    backtest = _backtest(market, progress) if options.prices else ()
    days: list[DayFigures] = []
    margin: HouseMargin | None = None
    with Session.open(folder / "house") as session:
        for record, entry, found in run_market(session, market, parameters, clock, progress):
            margin = found
            days.append(day_figures(record, entry, market.resolved))
        if margin is None:
            raise RuntimeError("the last day of a fresh house was not margined")
        progress.stage("writing the report", 1, 1)
        derivatives = DerivativeMargin(session.house, parameters)
        crossed = cross_house(session.house, margin, derivatives)
        report = _report(market, tuple(days), margin, backtest, cross_rows(crossed))
        figures = StatementFigures(session.house, session.sequencer.sequence, margin=margin)
        write_house_statements(folder / "statements", figures, days[-1].day)
        source = source_of_margins(session.house, margin, derivatives, crossed, market.history, market.label)
    progress.stage("a renminbi day", 0, 1)
    renminbi = run_renminbi_day(folder / "renminbi", options.seed)
    stressed = _stress(source, options.seed, progress)
    (folder / "stress.html").write_text(render_brief(stressed), encoding="utf-8")
    complete = with_flat_rates(parameters, market.resolved, market.dates[0])
    write_prices(folder / "prices.csv", market.history)
    (folder / "RPF01.csv").write_bytes(write_parameters(complete))
    (folder / "report.html").write_text(render_html(report), encoding="utf-8")
    seconds = (clock.elapsed_ns() - began) / 1e9
    lines = [
        *summary(report, str(folder / "report.html")),
        "",
        *renminbi_summary(renminbi),
        "",
        *stress_summary(market.label, stressed),
        f"brief of every scenario: {folder / 'stress.html'}",
        f"{seconds:.1f} s in all, journal in {folder / 'house'}",
    ]
    return DemoResult(lines, _figures(report, parameters, folder, seconds, stressed, renminbi))


def _stress(source: StressSource, seed: int, progress: Progress) -> list[StressFigures]:
    """Run the shipped scenarios through the house as the week left it, with invented swaps and bonds beside."""
    poorer = less_liquid(source_with_rates(source, simulated_rates(seed, source.book)), LIQUID_MULTIPLE)
    runs = stress(poorer, shipped_scenarios(), draws=STRESS_DRAWS, seed=seed, progress=progress)
    return [stress_figures(poorer.book, run) for run in runs]


def _market(options: DemoOptions) -> SimulatedMarket:
    if options.prices is None:
        start = options.start or DEFAULT_START
        return simulate_market(options.seed, start, options.days, options.trades_per_day)
    return market_on_closes(options.seed, read_prices(options.prices), options.days, options.trades_per_day)


def _fresh(out: Path) -> Path:
    """Clear what an earlier demo left in the folder, and nothing else."""
    for name in ("house", "statements", "renminbi"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("report.html", "stress.html", "RPF01.csv", "prices.csv"):
        (out / name).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    return out


def _backtest(market: SimulatedMarket, progress: Progress) -> tuple[BacktestRow, ...]:
    table = backtest_table(market.history, FilterSettings(), progress=progress)
    return tuple(
        BacktestRow(
            name=row.instrument,
            rate_long=row.margin_rate_long,
            rate_short=row.margin_rate_short,
            days=row.days_tested,
            exceedances=max(row.exceedances_long, row.exceedances_short),
            coverage=min(row.coverage_long, row.coverage_short),
            p_value=min(row.kupiec_p_long, row.kupiec_p_short),
        )
        for row in table.rows
    )


def _report(
    market: SimulatedMarket,
    days: tuple[DayFigures, ...],
    margin: HouseMargin,
    backtest: tuple[BacktestRow, ...],
    crossed: tuple[CrossRow, ...],
) -> HouseReport:
    return check_report(
        HouseReport(
            title="A week through the house",
            label=market.label,
            period=market.dates,
            days=days,
            simulated=True,
            margins=participant_margins(margin, market.resolved),
            backtest=backtest,
            cross=crossed,
            backtest_note="The worse side of long and short; out of sample, two-day holding period, 99 % asked for.",
            notes=(
                "Participants, trades and opening books are simulated; a stated share of deliveries is made to fail.",
                "Margin is called once a day, after the last settlement run, on everything not yet settled.",
                "Northbound trades settle on the Mainland cycle: stock on the day, money at noon of the next.",
            ),
        )
    )


def _figures(
    report: HouseReport,
    parameters: Parameters,
    folder: Path,
    seconds: float,
    stressed: list[StressFigures],
    renminbi: RenminbiFigures,
) -> dict[str, object]:
    last = report.days[-1]
    return {
        "label": report.label,
        "days": [str(day.day) for day in report.days],
        "trades": sum(day.trades for day in report.days),
        "margin_total_hkd": sum(margin.total_hkd for margin in report.margins),
        "accounts_margined": len(report.margins),
        "parameters": {"valuation_date": str(parameters.valuation_date), "instruments": len(parameters.instruments)},
        "cross_house": [msgspec.to_builtins(row) for row in report.cross],
        "backtest": [msgspec.to_builtins(row) for row in report.backtest],
        "day_figures": [msgspec.to_builtins(day) for day in report.days],
        "stress": [msgspec.to_builtins(one) for one in stressed],
        "renminbi_day": msgspec.to_builtins(renminbi),
        "state_hash": last.state_hash,
        "journal_sequence": last.journal_sequence,
        "report": str(folder / "report.html"),
        "seconds": round(seconds, 2),
    }
