"""The day report: trades, netting, runs, what is due, settled and open, fails, charges, margin, and the proof."""

from __future__ import annotations

from tsingma.reports.figures import DayFigures, HouseReport, by_currency, check_report
from tsingma.reports.numbers import percent
from tsingma.reports.official.model import Bar, Cell, Chart, Column, Figure, Kind, Report, Section, Table, cell_text
from tsingma.reports.official.words import Speaker, speaker


def day_report(report: HouseReport, language: str) -> Report:
    """Return the report of one or more days; raises InvariantBroken when figures do not add up."""
    check_report(report)
    say, days = speaker(language), report.days
    first, last = days[0], days[-1]
    period = str(last.day) if len(days) == 1 else say("day.to").format(first=first.day, last=last.day)
    sections = [
        Section(heading=say("day.by_day"), tables=(_trades(days, say),)),
        Section(heading=say("day.due"), tables=(_due(days, say),)),
        Section(heading=say("day.runs"), tables=(_runs(last, say),), chart=_chart(last, say)),
        Section(heading=say("day.instructions"), tables=(_instructions(days, say),)),
        Section(heading=say("day.fails"), tables=(_fails(days, say),)),
        Section(heading=say("day.charges"), tables=(_charges(days, say),)),
    ]
    if report.margins:
        sections.append(Section(heading=say("day.margins"), tables=(_margins(report, say),)))
    sections.append(Section(heading=say("day.proof"), lead=say("day.proof_lead"), tables=(_proof(days, say),)))
    return Report(
        name="day",
        language=language,
        house=say("frame.house"),
        title=say("day.title"),
        subtitle=period,
        facts=(
            (say("frame.date"), period), (say("frame.record"), f"{last.journal_sequence:,}"),
            (say("frame.name"), report.title), (say("frame.state"), last.state_hash[:16]),
        ),
        figures=_figures(days, say),
        sections=tuple(sections),
        notes=(*((report.label,) if report.label else ()), *report.notes),
        badge=say("frame.simulated") if report.simulated else "",
        date=str(last.day),
    )  # fmt: skip


def _figures(days: tuple[DayFigures, ...], say: Speaker) -> tuple[Figure, ...]:
    gross = by_currency(amount for day in days for amount in day.gross)
    stock = [row for day in days for row in day.due if row.side == "stock"]
    settled, due = sum(row.settled_amount for row in stock), sum(row.due_amount for row in stock)
    checks = [one for day in days for one in day.invariants]
    found = [Figure(say("day.trades"), f"{sum(day.trades for day in days):,}")]
    found += [
        Figure(say("day.gross").format(currency=one.currency), f"{one.amount_cents // 100:,}") for one in gross[:1]
    ]
    found += [
        Figure(say("day.settled"), percent(settled, due) if due else "-"),
        Figure(say("day.checks"), f"{sum(one.held for one in checks):,}", say("day.of").format(all=f"{len(checks):,}")),
    ]
    return tuple(found)


def _trades(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    columns = (
        Column(say("frame.date"), Kind.CODE),
        *(Column(say(f"day.{name}"), Kind.WHOLE) for name in ("trades", "legs", "positions")),
        *(Column(say(f"day.{name}"), Kind.MONEY) for name in ("gross_value", "net_value")),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(day.day), day.trades, day.netting.legs_before, day.netting.positions_after, day.netting.gross_value_cents,
         day.netting.net_value_cents)
        for day in days
    ]  # fmt: skip
    return Table(name="trades", caption="", columns=columns, rows=tuple(rows), foot=_total(rows, say))


def _due(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    columns = (
        Column(say("frame.date"), Kind.CODE), Column(say("day.kind")), Column(say("frame.unit")),
        *(Column(say(f"day.number_{name}"), Kind.WHOLE) for name in ("due", "settled", "open", "cancelled")),
        Column(say("day.amount_due"), Kind.FIGURE), Column(say("day.amount_open"), Kind.FIGURE),
    )  # fmt: skip
    rows = tuple(
        (str(day.day), say(f"day.{row.side}"), say("day.shares") if row.unit == "shares" else row.unit, row.due,
         row.settled, row.open, row.cancelled, _amount(row.unit, row.due_amount), _amount(row.unit, row.open_amount))
        for day in days
        for row in day.due
    )  # fmt: skip
    return Table(name="due", caption="", columns=columns, rows=rows)


def _amount(unit: str, amount: int) -> str:
    """Return shares whole, cents with their decimals; thousands are not set apart, so that machines read it."""
    if unit == "shares":
        return str(amount)
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def _runs(day: DayFigures, say: Speaker) -> Table:
    columns = (
        Column(say("day.step")), Column(say("day.number_settled"), Kind.WHOLE),
        Column(say("day.delivered"), Kind.WHOLE),
        Column(say("day.value"), Kind.MONEY), Column(say("day.open_after"), Kind.WHOLE),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (say(f"step.{run.step}"), run.positions_settled, run.shares_delivered, run.value_cents, run.open_after)
        for run in day.runs
    ]
    return Table(name="runs", caption=str(day.day), columns=columns, rows=tuple(rows))


def _chart(day: DayFigures, say: Speaker) -> Chart:
    """Return what each run settled, by value, where it settled something."""
    bars = (
        Bar(say(f"step.{run.step}"), (run.value_cents,), cell_text(Kind.MONEY, run.value_cents))
        for run in day.runs
        if run.value_cents > 0
    )
    return Chart((say("day.value"),), tuple(bars))


def _instructions(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    columns = (
        Column(say("frame.date"), Kind.CODE), Column(say("day.kind")),
        *(Column(say(f"day.{name}"), Kind.WHOLE)
          for name in ("submitted", "number_settled", "number_open", "number_cancelled")),
    )  # fmt: skip
    rows = tuple(
        (str(day.day), say(f"kind.{one.kind}"), one.submitted, one.settled, one.open, one.cancelled)
        for day in days
        for one in day.instructions
    )
    return Table(name="instructions", caption="", columns=columns, rows=rows)


def _fails(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    columns = (
        Column(say("frame.date"), Kind.CODE), Column(say("day.fails_positions"), Kind.WHOLE),
        Column(say("day.fails_value"), Kind.MONEY), Column(say("day.late_fees"), Kind.MONEY),
        Column(say("day.buy_ins"), Kind.WHOLE), Column(say("day.call_required"), Kind.MONEY),
        Column(say("day.call_short"), Kind.MONEY),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (str(day.day), sum(one.positions for one in day.fails), sum(one.value_cents for one in day.fails),
         sum(one.amount_cents for one in day.late_fees), day.buy_in_requests,
         day.margin_call.requirement_cents if day.margin_call else None,
         day.margin_call.shortfall_cents if day.margin_call else None)
        for day in days
    ]  # fmt: skip
    return Table(name="fails", caption="", columns=columns, rows=tuple(rows))


def _charges(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    sums: dict[tuple[str, str], int] = {}
    for day in days:
        for one in day.charges:
            sums[one.line, one.currency] = sums.get((one.line, one.currency), 0) + one.amount_cents
    columns = (
        Column(say("day.line")), Column(say("frame.currency"), Kind.CODE), Column(say("settlement.amount"), Kind.MONEY)
    )  # fmt: skip
    rows = tuple((say(f"charge.{line}"), currency, cents) for (line, currency), cents in sums.items())
    return Table(name="charges", caption="", columns=columns, rows=rows)


def _margins(report: HouseReport, say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")),
        *(Column(say(f"margin.{name}"), Kind.WHOLE) for name in ("Portfolio margin", "aggregate", "requirement")),
    )
    rows = tuple(
        (f"{one.participant}/{one.account_class}", one.portfolio_hkd, one.aggregate_hkd, one.total_hkd)
        for one in report.margins
    )
    sums = (
        sum(getattr(one, name) for one in report.margins) for name in ("portfolio_hkd", "aggregate_hkd", "total_hkd")
    )
    return Table(
        name="margins", caption=say("frame.hkd"), columns=columns, rows=rows, foot=((say("frame.total"), *sums),)
    )


def _proof(days: tuple[DayFigures, ...], say: Speaker) -> Table:
    columns = (
        Column(say("frame.date"), Kind.CODE), Column(say("frame.name")), Column(say("day.held")),
        Column(say("frame.record"), Kind.WHOLE),
    )  # fmt: skip
    rows = tuple(
        (str(day.day), say(f"proof.{one.name}"), say("day.yes" if one.held else "day.no"), day.journal_sequence)
        for day in days
        for one in day.invariants
    )
    return Table(name="proof", caption="", columns=columns, rows=rows)


def _total(rows: list[tuple[Cell, ...]], say: Speaker) -> tuple[tuple[Cell, ...], ...]:
    """Return the row of sums of all columns but the first, where there are several rows."""
    if len(rows) < 2:
        return ()
    sums = [sum(cell for cell in column if isinstance(cell, int)) for column in list(zip(*rows, strict=True))[1:]]
    return ((say("frame.total"), *sums),)
