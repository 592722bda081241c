"""The margin statement of one account as an HTML file: houses before and after, positions, tail scenarios.

No script and no request to anywhere; the same bytes for the same figures.
"""

from __future__ import annotations

from html import escape

from tsingma.basics.rejection import InvariantBroken
from tsingma.margin.joint.explain import Explanation
from tsingma.reports.clearing_sections import section
from tsingma.reports.numbers import short, whole
from tsingma.reports.style import COMPONENT_COLOURS, style_sheet
from tsingma.reports.svg import BarRow, Segment, Step, bars, legend, waterfall
from tsingma.reports.tables import Column, table, text_column

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_statement(found: Explanation) -> str:
    """Return the statement; raises InvariantBroken when its parts do not add up."""
    shares = found.margin.by(found.allocation)
    if sum(each.called for each in shares.houses) != shares.called:
        raise InvariantBroken("the houses' calls do not add up to the statement's total")
    body = "\n".join([_houses(found), _steps(found), _positions(found), _tail(found), _method(found)])
    title = f"Margin statement, {found.account}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="house">Tsingma post-trade house</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="lead">{escape(found.day)}, HKD</p>\n</header>\n<main>\n{body}\n</main>\n'
        "<footer>Amounts are whole HKD.</footer>\n</body>\n</html>\n"
    )


def _houses(found: Explanation) -> str:
    margin, shares = found.margin, found.margin.by(found.allocation)
    first, second = COMPONENT_COLOURS[0], COMPONENT_COLOURS[1]
    rows = [
        BarRow(
            each.house,
            (
                Segment(each.called, first, f"called {whole(each.called)}"),
                Segment(each.credit, second, f"credit {whole(each.credit)}"),
            ),
            short(each.called),
        )
        for each in shares.houses
    ]
    saved = margin.standalone - shares.called
    lead = (
        f"Houses alone call HKD {whole(margin.standalone)}, together HKD {whole(shares.called)}: "
        f"HKD {whole(saved)} less. The common portfolio would allow HKD {whole(margin.saving)}; "
        "what is not given keeps every house covered on its own."
    )
    columns = [text_column("House"), *(Column(name) for name in ("Alone", "Saving", "Needed", "Credit", "Called"))]
    cells = [
        [each.house, *(whole(value) for value in (each.standalone, each.saving, each.needed, each.credit, each.called))]
        for each in shares.houses
    ]
    foot = [["All", whole(margin.standalone), whole(sum(each.saving for each in shares.houses)), "",
             whole(saved), whole(shares.called)]]  # fmt: skip
    chart = bars("houses-chart", "Called and credit by house", "One bar a house: called, then credit.", rows)
    keys = legend([(first, "called"), (second, "credit")])
    return section("houses", "Houses before and after", lead, chart + keys, table("By house", columns, cells, foot))


def _steps(found: Explanation) -> str:
    margin, shares = found.margin, found.margin.by(found.allocation)
    colour, other = COMPONENT_COLOURS[0], COMPONENT_COLOURS[1]
    steps, level = [], 0
    for each in shares.houses:
        steps.append(Step(each.house, level, level + each.standalone, colour, short(each.standalone)))
        level += each.standalone
    given = margin.standalone - shares.called
    steps.append(Step("Credit", level, level - given, other, short(-given)))
    steps.append(Step("Called", 0, shares.called, colour, short(shares.called)))
    chart = waterfall("steps-chart", "From stand-alone to called", "Stand-alone margins, less credit.", steps)
    return section("steps", "From alone to called", "Stand-alone margins add up; the credit comes off.", chart)


def _positions(found: Explanation) -> str:
    columns = [
        text_column("Position"),
        *(Column(name) for name in ("Notional", "Component", "Alone", "Incremental", "Marginal")),
    ]
    cells = [
        [
            f"{part.house} {part.product} {part.factor}",
            *(whole(value) for value in (part.notional, part.component, part.component_alone, part.incremental)),
            f"{part.marginal:.4f}",
        ]
        for part in found.positions
    ]
    total = sum(part.component for part in found.positions)
    foot = [["All", "", whole(total), "", "", ""]]
    lead = (
        "Component: mean loss in the joint tail; components add up to the expected shortfall of the common portfolio. "
        "Incremental: what is called with the position less what is called without it."
    )
    return section("positions", "Positions", lead, table("By position", columns, cells, foot))


def _tail(found: Explanation) -> str:
    houses = list(found.tail[0].by_house) if found.tail else []
    columns = [text_column("From"), Column("Whole book"), *(Column(house) for house in houses)]
    cells = [[one.day, whole(one.profit), *(whole(one.by_house[house]) for house in houses)] for one in found.tail]
    lead = "The worst days of the past at today's volatility: what the book would gain or lose."
    return section("tail", "Tail scenarios", lead, table("Worst scenarios", columns, cells))


def _method(found: Explanation) -> str:
    margin = found.margin
    words = (
        f"Expected shortfall, {margin.convention}, tail {margin.level}, {margin.scenarios} scenarios; "
        f"correlations {margin.correlations}; credit by {found.allocation}."
    )
    return section("method", "Method", words)
