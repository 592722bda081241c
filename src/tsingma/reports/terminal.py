"""The report in forty lines of plain text, for the console."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.reports.cross_sections import by_saving
from tsingma.reports.figures import CurrencyAmount, DayFigures, HouseReport, by_currency
from tsingma.reports.margin_sections import by_total
from tsingma.reports.numbers import money, percent, rate, whole

_TOP = 5
_COVERAGE_ROWS = 8


def summary(report: HouseReport, where: str) -> list[str]:
    """Return lines of at most 100 columns: days, due = settled + open, fails, charges, margin, proof, where it is."""
    lines = [f"{report.title} - {report.label}", ""]
    lines += _days(report.days)
    lines += ["", *_due(report.days[-1]), ""]
    lines += _money_lines(report)
    lines += _margins(report)
    lines += _across(report)
    lines += _coverage(report)
    lines += ["", *_proof(report.days[-1]), f"report: {where}"]
    return lines


def _days(days: Sequence[DayFigures]) -> list[str]:
    lines = [f"{'day':<12}{'trades':>10}{'legs':>10}{'net':>8}{'fails':>7}{'buy-ins':>9}{'unpaid':>8}{'seconds':>9}"]
    for day in days:
        seconds = sum(stage.milliseconds for stage in day.stages) / 1000
        lines.append(
            f"{day.day!s:<12}{whole(day.trades):>10}{whole(day.netting.legs_before):>10}"
            f"{whole(day.netting.positions_after):>8}{sum(fail.positions for fail in day.fails):>7}"
            f"{day.buy_in_requests:>9}{day.payment_failures:>8}{seconds:>9.2f}"
        )
    return lines


def _due(day: DayFigures) -> list[str]:
    lines = [f"due = settled + open on {day.day}"]
    for row in day.due:
        shown = whole if row.unit == "shares" else money
        lines.append(
            f"  {row.side:<6}{row.unit:<7}{shown(row.due_amount):>24} ={shown(row.settled_amount):>24} "
            f"+{shown(row.open_amount):>22}"
        )
    return lines


def _money_lines(report: HouseReport) -> list[str]:
    charges = by_currency(
        CurrencyAmount(charge.currency, charge.amount_cents) for day in report.days for charge in day.charges
    )
    text = ", ".join(f"{amount.currency} {money(amount.amount_cents)}" for amount in charges) or "none"
    return [f"fees, levies and duties: {text}"]


def _margins(report: HouseReport) -> list[str]:
    if not report.margins:
        return []
    total = sum(margin.total_hkd for margin in report.margins)
    lines = [f"margin of {len(report.margins)} accounts: HKD {whole(total)}; the largest:"]
    lines.extend(
        f"  {margin.participant + '/' + margin.account_class:<22}{whole(margin.total_hkd):>16}"
        f"   portfolio {whole(margin.portfolio_hkd)}, flat {whole(margin.flat_rate_hkd)}"
        for margin in by_total(report.margins)[:_TOP]
    )
    return lines


def _across(report: HouseReport) -> list[str]:
    if not report.cross:
        return []
    rows = by_saving(report.cross)
    alone, called = sum(row.alone for row in rows), sum(row.called for row in rows)
    lines = [
        f"across houses, {len(rows)} accounts: alone HKD {whole(alone)}, one portfolio HKD {whole(called)} "
        f"({percent(alone - called, alone, 1)} less); most saved:"
    ]
    lines.extend(
        f"  {row.account:<22}{whole(row.alone - row.called):>16}   of {whole(row.alone)} at {', '.join(row.houses)}"
        for row in rows[:_TOP]
    )
    return lines


def _coverage(report: HouseReport) -> list[str]:
    if not report.backtest:
        return []
    tested = sum(row.days for row in report.backtest)
    missed = sum(row.exceedances for row in report.backtest)
    worst = sorted(report.backtest, key=lambda row: (row.coverage, row.name))[:_COVERAGE_ROWS]
    lines = [
        f"Tier P rates of {len(report.backtest)} names, out of sample: coverage {percent(tested - missed, tested)} "
        f"(99 % asked for), worse side; the lowest:"
    ]
    lines.extend(
        f"  {row.name:<8} long {rate(row.rate_long):>8}  short {rate(row.rate_short):>8}  coverage "
        f"{rate(row.coverage):>8}  {row.exceedances} of {row.days} days"
        for row in worst
    )
    return lines


def _proof(day: DayFigures) -> list[str]:
    held = sum(one.held for one in day.invariants)
    return [
        f"proof: {held} of {len(day.invariants)} invariants held every day; state hash {day.state_hash[:32]}",
        f"journal: {day.journal_sequence} records, head {day.journal_hash[:32]}",
    ]
