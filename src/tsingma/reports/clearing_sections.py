"""Report sections on the way of the trades: netting, settlement runs, due positions, fails, charges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from tsingma.reports.figures import SHARES, STOCK, CurrencyAmount, DayFigures, DueFigures, HouseReport, by_currency
from tsingma.reports.numbers import day_text, money, percent, short, short_money, whole, words
from tsingma.reports.style import OPEN_COLOUR, RUN_COLOURS
from tsingma.reports.svg import BarRow, Segment, bars, legend
from tsingma.reports.tables import Column, details, table, text_column


def figure(caption: str, chart: str, key: str = "") -> str:
    """Return a chart with its caption above and its key below."""
    return f"<figure>\n<figcaption>{escape(caption)}</figcaption>\n{chart}\n{key}</figure>"


def section(name: str, heading: str, lead: str, *content: str) -> str:
    """Return one section with its anchor, heading and finding in one sentence."""
    body = "\n".join(part for part in content if part)
    return (
        f'<section id="{name}" aria-labelledby="{name}-heading">\n<h2 id="{name}-heading">{escape(heading)}</h2>\n'
        f'<p class="lead">{escape(lead)}</p>\n{body}\n</section>'
    )


def amounts_text(amounts: Sequence[CurrencyAmount]) -> str:
    """Return amounts of several currencies in full, for example ``HKD 1,234.00, CNY 5.00``; ``0`` when none."""
    return ", ".join(f"{one.currency} {money(one.amount_cents)}" for one in amounts) or "0"


def netting_section(report: HouseReport) -> str:
    """Return netting before and after: numbers of legs and values, in total and by day."""
    days = report.days
    legs, positions = sum(d.netting.legs_before for d in days), sum(d.netting.positions_after for d in days)
    gross, net = sum(d.netting.gross_value_cents for d in days), sum(d.netting.net_value_cents for d in days)
    unit = days[0].netting.currency
    lead = (
        f"{whole(legs)} legs became {whole(positions)} positions, {percent(legs - positions, legs)} fewer to settle; "
        f"{unit} {short_money(gross)} gross became {unit} {short_money(net)} net, {percent(gross - net, gross)} less."
    )
    number = _before_after("netting-number", "Number: legs before, positions after", legs, positions, short)
    value = _before_after("netting-value", f"Value, {unit}: gross before, net after", gross, net, short_money)
    columns = [text_column("Day"), Column("Trades"), Column("Legs before"), Column("Positions after"), Column("Fewer")]
    columns += [Column(f"Gross value, {unit}"), Column(f"Net value, {unit}"), Column("Less")]
    rows = [_netting_row(day_text(day.day), day.trades, (day,)) for day in days]
    foot = [_netting_row("Total", sum(day.trades for day in days), days)] if len(days) > 1 else []
    by_day = table("Netting by day", columns, rows, foot)
    return section("netting", "Netting", lead, number, value, by_day, _gross_table(days))


def _netting_row(name: str, trades: int, days: Sequence[DayFigures]) -> list[str]:
    legs, positions = sum(d.netting.legs_before for d in days), sum(d.netting.positions_after for d in days)
    gross, net = sum(d.netting.gross_value_cents for d in days), sum(d.netting.net_value_cents for d in days)
    numbers = [name, whole(trades), whole(legs), whole(positions), percent(legs - positions, legs)]
    return [*numbers, money(gross), money(net), percent(gross - net, gross)]


def _before_after(chart: str, title: str, before: int, after: int, write: Callable[[int], str]) -> str:
    rows = [
        BarRow("Before", (Segment(before, "c6", f"before: {write(before)}"),), write(before)),
        BarRow("After", (Segment(after, "c0", f"after: {write(after)}"),), write(after)),
    ]
    return figure(title, bars(chart, title, f"Before {write(before)}, after {write(after)}.", rows))


def _gross_table(days: Sequence[DayFigures]) -> str:
    total = by_currency(amount for day in days for amount in day.gross)
    if not total:
        return ""
    rows = [[one.currency, money(one.amount_cents)] for one in total]
    return table("Gross amount of trades, one side, by currency", [text_column("Currency"), Column("Amount")], rows)


def settlement_section(report: HouseReport) -> str:
    """Return settlement by run and day, due = settled + open, isolated and real-time instructions."""
    settled, due = settled_and_due(report.days)
    last = report.days[-1]
    still = sum(row.open for row in last.due if row.side == STOCK)
    lead = (
        f"{whole(settled)} of {whole(due)} due stock positions ({percent(settled, due)}) settled on the day, "
        f"counting a position again on each day it is due; {whole(still)} stayed open at the last close."
    )
    return section(
        "settlement",
        "Settlement",
        lead,
        _run_chart(report.days),
        _run_table(report.days),
        _due_table(report.days),
        _instruction_table(report.days),
    )


def settled_and_due(days: Sequence[DayFigures]) -> tuple[int, int]:
    """Return (settled, due) numbers of stock positions, summed over the days."""
    rows = [row for day in days for row in day.due if row.side == STOCK]
    return sum(row.settled for row in rows), sum(row.due for row in rows)


def _steps(days: Sequence[DayFigures]) -> list[str]:
    return list(dict.fromkeys(run.step for day in days for run in day.runs if run.positions_settled))


def _run_chart(days: Sequence[DayFigures]) -> str:
    steps = _steps(days)
    colour = {step: RUN_COLOURS[min(place, len(RUN_COLOURS) - 1)] for place, step in enumerate(steps)}
    rows = []
    for day in days:
        if not day.runs:
            continue
        left = day.runs[-1].open_after
        settled = sum(run.positions_settled for run in day.runs)
        pieces = [
            Segment(run.positions_settled, colour[run.step], f"{words(run.step)}: {whole(run.positions_settled)}")
            for run in day.runs
            if run.positions_settled
        ]
        pieces.append(Segment(left, OPEN_COLOUR, f"open: {whole(left)}"))
        rows.append(BarRow(day_text(day.day), tuple(pieces), percent(settled, settled + left)))
    if not rows:
        return ""
    title = "Positions settled by run, and left open"
    text = "; ".join(f"{row.label}: {row.value} settled" for row in rows)
    key = legend([*((colour[step], words(step)) for step in steps), (OPEN_COLOUR, "open at day end")])
    return figure(f"{title}; share settled on the right", bars("runs", title, f"{text}.", rows), key)


def _run_table(days: Sequence[DayFigures]) -> str:
    columns = [text_column("Day"), text_column("Run"), Column("Positions settled"), Column("Shares delivered")]
    columns += [Column("Value, HKD"), Column("Open after")]
    rows = [
        [
            day_text(day.day),
            words(run.step),
            whole(run.positions_settled),
            whole(run.shares_delivered),
            money(run.value_cents),
            whole(run.open_after),
        ]
        for day in days
        for run in day.runs
    ]
    if not rows:
        return ""
    runs = [run for day in days for run in day.runs]
    foot = [
        "Total",
        "",
        whole(sum(r.positions_settled for r in runs)),
        whole(sum(r.shares_delivered for r in runs)),
        money(sum(r.value_cents for r in runs)),
        "",
    ]
    return details(f"Every run ({len(rows)})", table("Settlement by run", columns, rows, [foot]))


def _due_table(days: Sequence[DayFigures]) -> str:
    columns = [text_column("Day"), text_column("Side"), Column("Due"), Column("Settled"), Column("Open")]
    columns += [text_column("Unit"), Column("Due amount"), Column("Settled amount"), Column("Open amount")]
    cancelled = any(row.cancelled or row.cancelled_amount for day in days for row in day.due)
    if cancelled:
        columns += [Column("Cancelled"), Column("Cancelled amount")]
    rows = [_due_row(day_text(day.day), row, with_cancelled=cancelled) for day in days for row in day.due]
    if not rows:
        return ""
    end = " + cancelled" if cancelled else ""
    return table(f"Due = settled + open{end}, in number and in amount", columns, rows)


def _due_row(day: str, row: DueFigures, *, with_cancelled: bool) -> list[str]:
    write = whole if row.unit == SHARES else money
    cells = [day, words(row.side), whole(row.due), whole(row.settled), whole(row.open), row.unit]
    cells += [write(row.due_amount), write(row.settled_amount), write(row.open_amount)]
    return [*cells, whole(row.cancelled), write(row.cancelled_amount)] if with_cancelled else cells


def _instruction_table(days: Sequence[DayFigures]) -> str:
    headings = ("Submitted", "Settled", "Open", "Cancelled")
    rows = [
        [
            day_text(day.day),
            words(kind.kind),
            whole(kind.submitted),
            whole(kind.settled),
            whole(kind.open),
            whole(kind.cancelled),
        ]
        for day in days
        for kind in day.instructions
    ]
    columns = [text_column("Day"), text_column("Kind"), *(Column(heading) for heading in headings)]
    caption = "Gross instructions, delivery versus payment: submitted = settled + open + cancelled"
    return table(caption, columns, rows) if rows else ""


def fails_section(report: HouseReport) -> str:
    """Return fails by cause, with late fees, buy-in requests and payment failures."""
    days = report.days
    causes = list(dict.fromkeys(fail.cause for day in days for fail in day.fails))
    total = sum(fail.positions for day in days for fail in day.fails)
    value = sum(fail.value_cents for day in days for fail in day.fails)
    buy_ins, unpaid = sum(day.buy_in_requests for day in days), sum(day.payment_failures for day in days)
    late = by_currency(fee for day in days for fee in day.late_fees)
    lead = (
        f"{whole(total)} fails at day end, worth HKD {short_money(value)}. {whole(buy_ins)} buy-in requests, "
        f"{whole(unpaid)} payment failures, late fees {amounts_text(late)}."
    )
    columns = [
        text_column("Cause"),
        *(Column(day_text(day.day)) for day in days),
        Column("Positions"),
        Column("Value, HKD"),
    ]
    rows, totals = [], []
    for cause in causes:
        found = [[fail for fail in day.fails if fail.cause == cause] for day in days]
        numbers = [sum(fail.positions for fail in fails) for fails in found]
        worth = sum(fail.value_cents for fails in found for fail in fails)
        totals.append((words(cause), sum(numbers)))
        rows.append([words(cause), *(whole(number) for number in numbers), whole(sum(numbers)), money(worth)])
    by_day = [whole(sum(fail.positions for fail in day.fails)) for day in days]
    foot = [["Total", *by_day, whole(total), money(value)]]
    if not rows:
        return section("fails", "Fails", lead)
    pieces = [
        BarRow(name, (Segment(number, OPEN_COLOUR, f"{name}: {whole(number)}"),), whole(number))
        for name, number in totals
    ]
    text = "; ".join(f"{name}: {whole(number)}" for name, number in totals)
    chart = figure("Positions failing at day end, by cause", bars("causes", "Fails by cause", f"{text}.", pieces))
    return section("fails", "Fails", lead, chart, table("Fails by cause", columns, rows, foot), _consequences(days))


def _consequences(days: Sequence[DayFigures]) -> str:
    columns = [text_column("Day"), Column("Buy-in requests"), Column("Payment failures"), Column("Late fees")]
    rows = [
        [
            day_text(day.day),
            whole(day.buy_in_requests),
            whole(day.payment_failures),
            amounts_text(by_currency(day.late_fees)),
        ]
        for day in days
    ]
    return table("What followed from fails", columns, rows)


def charges_section(report: HouseReport) -> str:
    """Return fees and duties by line and currency with their totals."""
    sums: dict[tuple[str, str], int] = {}
    for charge in (charge for day in report.days for charge in day.charges):
        sums[charge.line, charge.currency] = sums.get((charge.line, charge.currency), 0) + charge.amount_cents
    totals = charge_totals(report)
    lead = f"Charged over the period: {amounts_text(totals)}."
    if not sums:
        return section("charges", "Fees and duties", lead)
    lines = list(dict.fromkeys(line for line, _ in sums))
    units = [total.currency for total in totals]
    rows = [
        [words(line), *(money(sums[line, unit]) if (line, unit) in sums else "" for unit in units)] for line in lines
    ]
    foot = [["Total", *(money(total.amount_cents) for total in totals)]]
    main = max(totals, key=lambda total: total.amount_cents).currency
    pieces = [
        BarRow(
            words(line),
            (Segment(sums[line, main], "c0", f"{words(line)}: {money(sums[line, main])}"),),
            short_money(sums[line, main]),
        )
        for line in sorted((line for line in lines if (line, main) in sums), key=lambda line: -sums[line, main])
    ]
    text = "; ".join(f"{piece.label}: {piece.value}" for piece in pieces)
    chart = figure(f"Charges by line, {main}", bars("lines", f"Charges by line, {main}", f"{text}.", pieces))
    columns = [text_column("Line"), *(Column(unit) for unit in units)]
    return section("charges", "Fees and duties", lead, chart, table("Fees and duties by line", columns, rows, foot))


def charge_totals(report: HouseReport) -> tuple[CurrencyAmount, ...]:
    """Return all charges of the period summed per currency."""
    charges = (charge for day in report.days for charge in day.charges)
    return by_currency(CurrencyAmount(charge.currency, charge.amount_cents) for charge in charges)
