"""Waterfalls of margin: what is called, from the houses alone to the joint margin, the terms of one house's figure.

Each is beside a table with the same figures, so that nothing is told by a picture alone.
"""

from __future__ import annotations

from tsingma.app.margin_reads import MarginFigure
from tsingma.app.margin_rule import RuleCall
from tsingma.console.page import Page
from tsingma.margin.house.holdings import House
from tsingma.margin.house.standalone import HouseFigure
from tsingma.reports.svg import Step, waterfall

_HOUSE, _CREDIT, _TOTAL = "c1", "c3", "c0"


def call_chart(page: Page, call: RuleCall) -> str:
    """Return the terms of a call as they add up, as SVG; "" where a sum on the way is below nothing."""
    say, write = page.words, page.formats
    steps, top = [], 0
    for one in call.terms:
        label = say.or_as_it_is(f"margin.term.{one.term}", one.term) if one.house == House.HKSCC else one.house
        colour = _HOUSE if one.amount > 0 else _CREDIT
        steps.append(Step(label, top, top + one.amount, colour, write.number(one.amount)))
        top += one.amount
    steps.append(Step(say("base.total"), 0, call.total, _TOTAL, write.number(call.total)))
    if min(min(step.start, step.end) for step in steps) < 0 or len(steps) == 1:
        return ""
    return waterfall("call", say("margin.call_chart"), say("margin.call_chart_text"), steps)


def joint_chart(page: Page, figure: MarginFigure) -> str:
    """Return the way from the houses' own figures over their credits to what is called, as SVG; "" of one house."""
    say, write = page.words, page.formats
    steps, top = [], 0
    for one in figure.houses:
        steps.append(Step(one.house, top, top + one.alone, _HOUSE, write.number(one.alone)))
        top += one.alone
    for one in figure.houses:
        if one.credit:
            steps.append(
                Step(
                    say("margin.credit_of", house=one.house), top, top - one.credit, _CREDIT, write.number(-one.credit)
                )
            )
            top -= one.credit
    steps.append(Step(say("margin.called"), 0, figure.called, _TOTAL, write.number(figure.called)))
    if len(figure.houses) < 2 or min(min(step.start, step.end) for step in steps) < 0:
        return ""
    return waterfall("joint", say("margin.joint_chart"), say("margin.joint_chart_text"), steps)


def terms_chart(page: Page, place: int, figure: HouseFigure) -> str:
    """Return the terms of one house's figure as they add up, as SVG; "" of one term, and where a sum on the way
    is below nothing.
    """
    say, write = page.words, page.formats
    steps, top = [], 0
    for name, amount in figure.components.items():
        if amount:
            label = say.or_as_it_is(f"margin.term.{name}", name)
            steps.append(Step(label, top, top + amount, _HOUSE if amount > 0 else _CREDIT, write.number(amount)))
            top += amount
    steps.append(Step(say("base.total"), 0, figure.total, _TOTAL, write.number(figure.total)))
    if min(min(step.start, step.end) for step in steps) < 0 or len(steps) <= 2:
        return ""
    title = say("margin.terms_chart", house=figure.house)
    return waterfall(f"terms-{place}", title, say("margin.terms_chart_text", house=figure.house), steps)
