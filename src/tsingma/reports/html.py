"""The day report as one HTML file: no script, no request to anywhere, the same bytes for the same figures."""

from __future__ import annotations

from html import escape

from tsingma.reports.clearing_sections import (
    charge_totals,
    charges_section,
    fails_section,
    netting_section,
    settled_and_due,
    settlement_section,
)
from tsingma.reports.cross_sections import cross_section
from tsingma.reports.figures import STOCK, HouseReport, by_currency, check_report
from tsingma.reports.margin_sections import coverage_section, explained_section, margin_section
from tsingma.reports.numbers import day_text, percent, short, short_money, whole
from tsingma.reports.proof_sections import checks, proof_section, timing_section
from tsingma.reports.style import style_sheet

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_html(report: HouseReport) -> str:
    """Return the report as one self-contained HTML document.

    Deterministic: the text depends on ``report`` only. Raises InvariantBroken when figures do not add up.
    """
    check_report(report)
    sections = [netting_section(report), settlement_section(report), fails_section(report)]
    names = [("netting", "Netting"), ("settlement", "Settlement"), ("fails", "Fails")]
    if report.margins:
        sections += [margin_section(report), explained_section(report)]
        names += [("margin", "Margin"), ("explained", "One margin explained")]
    if report.cross:
        sections.append(cross_section(report))
        names.append(("cross", "Across houses"))
    if report.backtest:
        sections.append(coverage_section(report))
        names.append(("coverage", "Rates and coverage"))
    sections += [charges_section(report), proof_section(report)]
    names += [("charges", "Fees and duties"), ("proof", "Proof")]
    if any(day.stages for day in report.days):
        sections.append(timing_section(report))
        names.append(("timings", "Timings"))
    body = "\n".join(sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
        f"{_header(report, names)}\n<main>\n{_cards(report)}\n{body}\n{_notes(report)}</main>\n{_footer(report)}\n"
        "</body>\n</html>\n"
    )


def period_text(report: HouseReport) -> str:
    """Return the period in words: one day, or first to last with the number of business days."""
    days = report.period or tuple(day.day for day in report.days)
    if len(days) == 1:
        return day_text(days[0])
    return f"{day_text(days[0])} to {day_text(days[-1])}, {len(days)} business days"


def _header(report: HouseReport, names: list[tuple[str, str]]) -> str:
    badge = '<span class="badge">Simulated</span> ' if report.simulated else ""
    links = "".join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading in names)
    return (
        f'<header>\n<p class="house">Tsingma post-trade house</p>\n<h1>{escape(report.title)}</h1>\n'
        f'<p>{badge}{escape(report.label)}</p>\n<p class="lead">{escape(period_text(report))}</p>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n</header>'
    )


def _cards(report: HouseReport) -> str:
    days, last = report.days, report.days[-1]
    gross = by_currency(amount for day in days for amount in day.gross)
    legs, positions = sum(d.netting.legs_before for d in days), sum(d.netting.positions_after for d in days)
    settled, due = settled_and_due(days)
    open_now = sum(row.open for row in last.due if row.side == STOCK)
    held, checked = checks(report)
    charges = charge_totals(report)
    cards = [
        ("Trades", short(sum(day.trades for day in days)), f"{whole(len(days))} business days", False),
        *[
            (f"Gross value, {one.currency}", short_money(one.amount_cents), "one side of every trade", False)
            for one in gross[:1]
        ],
        (
            "Fewer to settle",
            percent(legs - positions, legs, 1),
            f"{short(legs)} legs, {short(positions)} positions",
            False,
        ),
        ("Due stock settled", percent(settled, due), f"{whole(open_now)} open at the last close", False),
    ]
    if report.margins:
        total = sum(one.total_hkd for one in report.margins)
        cards.append(("Margin required, HKD", short(total), f"{whole(len(report.margins))} accounts", False))
    if last.margin_call:
        call = last.margin_call
        cards.append(("Margin shortfall, HKD", short_money(call.shortfall_cents), "after the last call", False))
    cards += [
        (f"Fees and duties, {one.currency}", short_money(one.amount_cents), "all lines", False) for one in charges[:1]
    ]
    verdict = "all invariants held" if held == checked else "an invariant is broken"
    cards.append(("Checks held", f"{whole(held)} of {whole(checked)}", verdict, held != checked))
    items = "\n".join(
        f'<li class="card{" bad" if bad else ""}"><span>{escape(name)}</span>'
        f"<b>{escape(value)}</b><span>{escape(under)}</span></li>"
        for name, value, under, bad in cards
    )
    return _plain_section("headline", "The period in figures", f'<ul class="cards">\n{items}\n</ul>')


def _plain_section(name: str, heading: str, content: str) -> str:
    return (
        f'<section id="{name}" aria-labelledby="{name}-heading">\n<h2 id="{name}-heading">{escape(heading)}</h2>\n'
        f"{content}\n</section>"
    )


def _notes(report: HouseReport) -> str:
    if not report.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return _plain_section("notes", "Notes", f'<ul class="notes">{items}</ul>\n') + "\n"


def _footer(report: HouseReport) -> str:
    said = "Prices, trades and participants are simulated. " if report.simulated else ""
    when = f" Made {escape(report.generated)}." if report.generated else ""
    return f"<footer>{said}Money is exact to the cent; percentages are rounded down.{when}</footer>"
