"""Report sections on margin: every participant by component, the largest one explained, rates and their coverage."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.reports.clearing_sections import figure, section
from tsingma.reports.figures import BacktestRow, DayFigures, HouseReport, ParticipantMargin
from tsingma.reports.numbers import day_text, money, percent, rate, short, whole
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import BarRow, DotRow, Segment, Step, bars, dots, legend, waterfall
from tsingma.reports.tables import Column, details, table, text_column

TOP = 20
COVERAGE_TARGET = 0.99  # principle 6 of the Principles for financial market infrastructures (CPSS-IOSCO, April 2012)
SIGNIFICANCE = 0.05
_PLOTTED_MAX = 40


def by_total(margins: Sequence[ParticipantMargin]) -> list[ParticipantMargin]:
    """Return the margins, largest total first; equal totals in order of name."""
    return sorted(margins, key=lambda one: (-one.total_hkd, one.participant, one.account_class))


def margin_section(report: HouseReport) -> str:
    """Return margin by participant and component (chart of the largest, full table) and the margin calls."""
    ordered = by_total(report.margins)
    total = sum(one.total_hkd for one in ordered)
    top = sum(one.total_hkd for one in ordered[:5])
    lead = (
        f"{whole(len(ordered))} accounts owe HKD {short(total)} of margin at the last close; "
        f"the five largest owe {percent(top, total, 1)} of it."
    )
    return section(
        "margin",
        "Margin",
        lead,
        _component_chart(ordered[:TOP]),
        _total_table(ordered),
        _calls_table(report.days),
        details(f"All {len(ordered)} accounts", _account_table(ordered)),
    )


def _pieces(one: ParticipantMargin) -> list[tuple[str, int]]:
    """Return the parts drawn for one account: components, rounding up and what is added after netting."""
    addons = dict(one.addons())
    other = addons["Position limit"] + addons["Credit risk"] + addons["Ad hoc"]
    parts = dict(one.components())
    parts["Structured, actions, holiday"] = one.structured_hkd + one.corporate_action_hkd + one.holiday_hkd
    kept = ("Portfolio margin", "Flat rate margin", "Liquidation risk", "Structured, actions, holiday")
    drawn = [(name, parts[name]) for name in kept]
    drawn.append(("Mark to market", addons["Mark to market"]))
    return [*drawn, ("Position limit, other add-ons", other), ("Rounding up", one.rounded_hkd - one.aggregate_hkd)]


def _component_chart(ordered: Sequence[ParticipantMargin]) -> str:
    rows = []
    for one in ordered:
        pieces = tuple(
            Segment(amount, colour, f"{one.participant}, {name}: HKD {whole(amount)}")
            for (name, amount), colour in zip(_pieces(one), COMPONENT_COLOURS, strict=True)
        )
        rows.append(BarRow(f"{one.participant} {one.account_class}", pieces, short(one.total_hkd), one.total_hkd))
    names = [name for name, _ in _pieces(ordered[0])]
    title = f"Margin by component, the {len(rows)} largest accounts, HKD"
    text = "; ".join(f"{row.label}: {row.value}" for row in rows)
    caption = f"{title}. The tick is the total, after favourable marks and margin credit."
    return figure(
        caption,
        bars("margin-components", title, f"{text}.", rows),
        legend(list(zip(COMPONENT_COLOURS, names, strict=True))),
    )


def _total_table(ordered: Sequence[ParticipantMargin]) -> str:
    names = [name for name, _ in (*ordered[0].components(), *ordered[0].addons())]
    sums = {name: sum(dict((*one.components(), *one.addons()))[name] for one in ordered) for name in names}
    sums["Rounding up"] = sum(one.rounded_hkd - one.aggregate_hkd for one in ordered)
    sums["Favourable mark to market used"] = sum(one.net_hkd - one.rounded_hkd for one in ordered)
    sums["Margin credit used"] = sum(-min(one.credit_hkd, one.net_hkd) for one in ordered)
    rows = [[name, whole(amount)] for name, amount in sums.items()]
    foot = [["Total", whole(sum(one.total_hkd for one in ordered))]]
    return table("Margin of all accounts by component", [text_column("Component"), Column("HKD")], rows, foot)


def _account_table(ordered: Sequence[ParticipantMargin]) -> str:
    headings = [
        "Portfolio",
        "Flat rate",
        "Liquidation",
        "Structured",
        "Corporate action",
        "Holiday",
        "Aggregate",
        "Rounded",
        "Mark to market",
        "Net",
        "Credit",
        "Position limit",
        "Credit risk",
        "Ad hoc",
        "Total",
    ]
    columns = [text_column("Participant"), text_column("Account"), *(Column(heading) for heading in headings)]
    figures = [_account_figures(one) for one in ordered]
    rows = [
        [one.participant, one.account_class, *(whole(amount) for amount in amounts)]
        for one, amounts in zip(ordered, figures, strict=True)
    ]
    sums = [sum(amounts) for amounts in zip(*figures, strict=True)]
    return table("Margin by account, HKD", columns, rows, [["Total", "", *(whole(amount) for amount in sums)]])


def _account_figures(one: ParticipantMargin) -> list[int]:
    parts = [amount for _, amount in one.components()]
    after = [one.aggregate_hkd, one.rounded_hkd, one.mtm_hkd, one.net_hkd, one.credit_hkd]
    return [*parts, *after, one.position_limit_hkd, one.credit_risk_hkd, one.ad_hoc_hkd, one.total_hkd]


def _calls_table(days: Sequence[DayFigures]) -> str:
    calls = [(day.day, day.margin_call) for day in days if day.margin_call]
    columns = [text_column("Day"), Column("Accounts"), Column("Requirement, HKD"), Column("Pledged, HKD")]
    rows = [
        [
            day_text(day),
            whole(call.accounts),
            money(call.requirement_cents),
            money(call.pledged_cents),
            money(call.shortfall_cents),
        ]
        for day, call in calls
    ]
    return table("Margin calls by day", [*columns, Column("Shortfall, HKD")], rows) if rows else ""


def explained_section(report: HouseReport) -> str:
    """Return the largest margin explained: its steps, its positions and its tail scenarios."""
    one = by_total(report.margins)[0]
    steps = _steps(one)
    name = f"{one.participant} {one.account_class}"
    lead = (
        f"The largest account, {name}, owes HKD {whole(one.total_hkd)} on {whole(one.positions)} positions. "
        "Each step below starts where the one before ends."
    )
    text = "; ".join(f"{step.label}: {step.value}" for step in steps)
    chart = waterfall("explained-steps", f"Margin of {name}, step by step", f"{text}.", steps)
    return section(
        "explained",
        "One margin explained",
        lead,
        figure("From portfolio margin to the total, HKD", chart),
        _step_table(one),
        _position_table(one),
        _tail_text(one),
    )


def _moves(one: ParticipantMargin) -> list[tuple[str, int]]:
    credit = min(one.credit_hkd, one.net_hkd)
    return [
        *one.components(),
        ("Rounding up", one.rounded_hkd - one.aggregate_hkd),
        ("Favourable marks", one.net_hkd - one.rounded_hkd),
        ("Margin credit", -credit),
        *one.addons(),
    ]


def _steps(one: ParticipantMargin) -> list[Step]:
    steps, level = [], 0
    for name, move in _moves(one):
        if move:
            steps.append(Step(name, level, level + move, "c1" if move > 0 else "c3", whole(move)))
            level += move
    return [*steps, Step("Total", 0, one.total_hkd, "c0", whole(one.total_hkd))]


def _step_table(one: ParticipantMargin) -> str:
    rows = [[name, whole(move)] for name, move in _moves(one)]
    foot = [["Total", whole(one.total_hkd)]]
    return table(f"Margin of {one.participant}", [text_column("Step"), Column("HKD")], rows, foot)


def _position_table(one: ParticipantMargin) -> str:
    if not one.top_positions:
        return ""
    columns = [text_column("Instrument"), Column("Quantity"), Column("Market value, HKD"), Column("Contribution, HKD")]
    columns.append(Column("Share of portfolio margin"))
    rows = [
        [
            item.instrument,
            whole(item.quantity),
            whole(item.market_value_hkd),
            whole(item.contribution_hkd),
            percent(item.contribution_hkd, one.portfolio_hkd, 1),
        ]
        for item in one.top_positions
    ]
    rest = one.portfolio_hkd - sum(item.contribution_hkd for item in one.top_positions)
    rows.append(["All others, floor, rounding", "", "", whole(rest), percent(rest, one.portfolio_hkd, 1)])
    share = percent(one.portfolio_hkd, one.portfolio_hkd, 1)
    foot = [["Portfolio margin", "", "", whole(one.portfolio_hkd), share]]
    return table("Positions that make the portfolio margin", columns, rows, foot)


def _tail_text(one: ParticipantMargin) -> str:
    named = [("HVaR", one.hvar_tail_scenarios), ("SVaR", one.svar_tail_scenarios)]
    rows = [[name, whole(len(tail)), ", ".join(map(str, tail))] for name, tail in named if tail]
    columns = [text_column("Measure"), Column("Scenarios"), Column("Numbers in the file, worst first", False, True)]
    return details("Tail scenarios", table("Scenarios the mean is taken over", columns, rows)) if rows else ""


def coverage_section(report: HouseReport) -> str:
    """Return Tier P margin rates and whether history supports 99 % coverage, name by name."""
    rows = report.backtest
    refuted = [row for row in rows if not is_supported(row)]
    tested, exceeded = sum(row.days for row in rows), sum(row.exceedances for row in rows)
    lead = (
        f"{len(rows) - len(refuted)} of {len(rows)} names: 99 % coverage is not rejected at the 5 % level; "
        f"all names together were covered on {percent(tested - exceeded, tested)} of {whole(tested)} tests. "
        f"{report.backtest_note}"
    ).strip()
    shown = sorted(rows, key=lambda row: (row.coverage, row.name))[:_PLOTTED_MAX]
    points = [DotRow(row.name, row.rate_long, row.rate_short, row.coverage, not is_supported(row)) for row in shown]
    title = "Margin rates and coverage by name"
    text = "; ".join(f"{row.name}: coverage {rate(row.coverage)}" for row in shown)
    left = f"Rate, 0 to {rate(max(max(row.rate_long, row.rate_short) for row in shown), 1)}"
    chart = dots("coverage-dots", title, f"{text}.", points, (left, "Coverage, line at 99 %"), COVERAGE_TARGET)
    key = legend([("dot-key", "long"), ("ring-key", "short"), ("c4", "99 % coverage not supported")])
    caption = f"{title}, lowest coverage first" + ("" if len(shown) == len(rows) else f" ({len(shown)} of {len(rows)})")
    return section("coverage", "Rates and coverage", lead, figure(caption, chart, key), _coverage_table(rows))


def is_supported(row: BacktestRow) -> bool:
    """Return whether the row does not refute 99 % coverage: enough days covered, or too few misses to reject at 5 %."""
    return row.coverage >= COVERAGE_TARGET or row.p_value >= SIGNIFICANCE


def _coverage_table(rows: Sequence[BacktestRow]) -> str:
    columns = [text_column("Name"), Column("Rate, long"), Column("Rate, short"), Column("Days"), Column("Exceedances")]
    columns += [Column("Coverage"), Column("p value"), text_column("99 % coverage")]
    cells = [
        [
            row.name,
            rate(row.rate_long),
            rate(row.rate_short),
            whole(row.days),
            whole(row.exceedances),
            rate(row.coverage),
            f"{row.p_value:.3f}",
            "not rejected" if is_supported(row) else "not supported",
        ]
        for row in rows
    ]
    return details(f"All {len(rows)} names", table("Tier P margin rates and their backtest", columns, cells))
