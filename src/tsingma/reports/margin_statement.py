"""The margin statement of one account as an HTML file: houses before and after, positions, tail scenarios.

No script and no request to anywhere; the same bytes for the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tsingma.basics.rejection import InvariantBroken
from tsingma.margin.joint.explain import Explanation
from tsingma.margin.joint.history import HistoryPoint, Statement
from tsingma.reports.clearing_sections import figure, section
from tsingma.reports.numbers import percent, short, whole
from tsingma.reports.style import COMPONENT_COLOURS, OPEN_COLOUR, style_sheet
from tsingma.reports.svg import BarRow, PathLine, Segment, Step, bars, legend, paths, waterfall
from tsingma.reports.tables import Column, table, text_column

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_statement(given: Statement) -> str:
    """Return the statement; raises InvariantBroken when its parts do not add up."""
    found = given.explanation
    shares = found.margin.by(found.allocation)
    if sum(each.called for each in shares.houses) != shares.called:
        raise InvariantBroken("the houses' calls do not add up to the statement's total")
    if sum(each.total for each in given.houses) != found.margin.standalone:
        raise InvariantBroken("the houses' components do not add up to the stand-alone margin")
    parts = [_houses(found), _components(given), _steps(found), _positions(found), _tail(found)]
    body = "\n".join([*parts, _history(given.history), _method(found)])
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
        f"In one pot the portfolio would need HKD {whole(margin.one_pot)}. "
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


def _components(given: Statement) -> str:
    names = list(dict.fromkeys(name for each in given.houses for name in each.components))
    colours = dict(zip(names, COMPONENT_COLOURS, strict=False))
    rows = [
        BarRow(
            each.house,
            tuple(
                Segment(amount, colours[name], f"{each.house}, {name}: {whole(amount)}")
                for name, amount in each.components.items()
            ),
            short(each.total),
        )
        for each in given.houses
    ]
    columns = [
        text_column("House"),
        text_column("Model"),
        *(Column(name.capitalize()) for name in names),
        Column("All"),
    ]
    cells = [
        [each.house, each.model, *(whole(each.components.get(name, 0)) for name in names), whole(each.total)]
        for each in given.houses
    ]
    sums = [whole(sum(each.components.get(name, 0) for each in given.houses)) for name in names]
    foot = [["All", "", *sums, whole(sum(each.total for each in given.houses))]]
    chart = bars("components-chart", "Components of each house's own figure", "One bar a house.", rows)
    keys = legend([(colours[name], name) for name in names])
    lead = "What each house calls alone, by its own model."
    return section("components", "Components", lead, chart + keys, table("By component", columns, cells, foot))


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
    foot = [[one.house, "", whole(one.component), "", whole(one.incremental), ""] for one in found.houses]
    foot.append(["All", "", whole(total), "", "", ""])
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
    colours = dict(zip(houses, COMPONENT_COLOURS, strict=False))
    rows = [
        BarRow(
            one.day,
            tuple(
                Segment(max(-one.by_house[house], 0), colours[house], f"{house}: {whole(one.by_house[house])}")
                for house in houses
            ),
            short(one.profit),
            max(-one.profit, 0),
        )
        for one in found.tail
    ]
    chart = bars("tail-chart", "Losses in the worst scenarios", "One bar a scenario, by house.", rows)
    caption = "What houses would lose; the tick is the loss of the whole book, after what other houses gain."
    keys = legend([(colours[house], house) for house in houses])
    return section(
        "tail", "Tail scenarios", lead, figure(caption, chart, keys), table("Worst scenarios", columns, cells)
    )


def _history(points: Sequence[HistoryPoint]) -> str:
    known = [one for one in points if one.loss is not None]
    if not known:
        return ""
    over = {
        "called": sum((one.loss or 0) > one.called for one in known),
        "one pot": sum((one.loss or 0) > one.one_pot for one in known),
        "alone": sum((one.loss or 0) > one.alone for one in known),
    }
    lines = [
        PathLine(tuple(one.called for one in points), COMPONENT_COLOURS[0], "called"),
        PathLine(tuple(one.alone for one in points), COMPONENT_COLOURS[1], "alone"),
        PathLine(tuple(one.one_pot for one in points), COMPONENT_COLOURS[3], "one pot"),
    ]
    columns = [
        (
            one.loss,
            f"{one.day}: loss {whole(one.loss)}, called {whole(one.called)}" if one.loss is not None else one.day,
        )
        for one in points
    ]
    chart = paths("history-chart", "Margin against losses", "Lines are margins, columns are losses.", columns, lines)
    keys = legend([*((line.colour, line.label) for line in lines), (COMPONENT_COLOURS[6], "loss that came"),
                   (OPEN_COLOUR, "loss above what was called")])  # fmt: skip
    top = max(max(one.alone, one.called, one.loss or 0) for one in points)
    caption = f"{points[0].day} to {points[-1].day}; the top of the picture is HKD {whole(top)}."
    lead = (
        f"On {percent(len(known) - over['called'], len(known))} of {whole(len(known))} days the loss of the whole book "
        "over its longest holding period was within what the houses called for the same positions."
    )
    rows = [
        [name, whole(sum(getattr(one, name.replace(" ", "_")) for one in known) // len(known)), whole(count),
         percent(len(known) - count, len(known))]
        for name, count in over.items()
    ]  # fmt: skip
    columns_of = [text_column("Margin"), Column("Mean, HKD"), Column("Days above"), Column("Cover")]
    return section("history", "History", lead, figure(caption, chart, keys), table("Cover", columns_of, rows))


def _method(found: Explanation) -> str:
    margin = found.margin
    words = (
        f"Expected shortfall, {margin.convention}, tail {margin.level}, {margin.scenarios} scenarios; "
        f"correlations {margin.correlations}; credit by {found.allocation}."
    )
    return section("method", "Method", words)
