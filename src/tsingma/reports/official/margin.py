"""Margin statements: of one portfolio at several houses, and of a participant's accounts in the house's books."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.margin.joint.explain import Explanation
from tsingma.margin.joint.history import Statement
from tsingma.reports.figures import ParticipantMargin
from tsingma.reports.numbers import percent
from tsingma.reports.official.books import Addressee, books_report
from tsingma.reports.official.model import Bar, Cell, Chart, Column, Figure, Kind, Report, Section, Table, cell_text
from tsingma.reports.official.words import Speaker, speaker


class CallLine(msgspec.Struct, frozen=True):
    """What an account must cover as last called, and what is pledged against it; HKD cents."""

    account: str
    required: int
    pledged: int


class MarginFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a margin statement of the house's books shows; ``parts`` where parameters were given."""

    whose: Addressee
    calls: tuple[CallLine, ...]
    parts: tuple[ParticipantMargin, ...] = ()


def margin_report(given: Statement, language: str) -> Report:
    """Return the statement of one portfolio; raises InvariantBroken when its parts do not add up."""
    found, say = given.explanation, speaker(language)
    shares = found.margin.by(found.allocation)
    if sum(each.called for each in shares.houses) != shares.called:
        raise InvariantBroken("the houses' calls do not add up to the statement's total")
    if sum(each.total for each in given.houses) != found.margin.standalone:
        raise InvariantBroken("the houses' components do not add up to the stand-alone margin")
    margin, saved = found.margin, found.margin.standalone - shares.called
    method = say("margin.method").format(
        convention=margin.convention, level=margin.level, scenarios=margin.scenarios, correlations=margin.correlations,
        allocation=found.allocation,
    )  # fmt: skip
    figures = (
        Figure(say("margin.called"), f"{shares.called:,}",
               say("margin.less").format(part=percent(saved, margin.standalone, 1))),
        Figure(say("margin.alone"), f"{margin.standalone:,}"),
        Figure(say("margin.one_pot"), f"{margin.one_pot:,}"),
    )  # fmt: skip
    return Report(
        name="margin",
        language=language,
        house=say("frame.house"),
        title=say("margin.title"),
        subtitle=f"{found.account}, {found.day}",
        facts=(
            (say("margin.account"), found.account),
            (say("frame.date"), found.day),
            (say("frame.currency"), "HKD"),
            (say("frame.unit"), say("frame.hkd")),
        ),
        figures=figures,
        sections=(
            Section(
                heading=say("margin.houses"),
                lead=say("margin.houses_lead"),
                tables=(_houses(found, say),),
                chart=Chart(
                    (say("margin.called"), say("margin.credit")),
                    tuple(Bar(each.house, (each.called, each.credit), f"{each.called:,}") for each in shares.houses),
                ),
            ),
            Section(heading=say("margin.components"), tables=(_components(given, say),)),
            Section(
                heading=say("margin.positions"), lead=say("margin.positions_lead"), tables=(_positions(found, say),)
            ),
            Section(heading=say("margin.tail"), lead=say("margin.tail_lead"), tables=(_tail(found, say),)),
        ),
        notes=(method,),
        date=found.day,
    )


def house_margin_report(figures: MarginFigures, language: str) -> Report:
    """Return the statement of a participant's accounts in the house's books."""
    say = speaker(language)
    sections = [
        Section(heading=say("margin.calls"), lead=say("margin.calls_lead"), tables=(_calls(figures, say),),
                chart=_chart(figures, say))
    ]  # fmt: skip
    if figures.parts:
        sections.append(
            Section(heading=say("margin.made_of"), lead=say("margin.made_of_lead"), tables=(_made_of(figures, say),))
        )
        largest = tuple(_largest(one, say) for one in figures.parts if one.top_positions)
        sections.append(Section(heading=say("margin.largest"), lead=say("margin.largest_lead"), tables=largest))
    required, pledged, lacking = _sums(figures)
    heads = tuple(
        Figure(f"{say(f'margin.{name}')}, HKD", cell_text(Kind.MONEY, cents))
        for name, cents in (("required", required), ("pledged", pledged), ("lacking", lacking))
    )
    return books_report("margin", say("margin.title"), figures.whose, say, language, heads, tuple(sections))


def _chart(figures: MarginFigures, say: Speaker) -> Chart:
    """Return calls by account: what is pledged of them, and lacking."""
    bars = (
        Bar(line.account, (min(line.pledged, line.required), max(line.required - line.pledged, 0)),
            cell_text(Kind.MONEY, line.required))
        for line in figures.calls
    )  # fmt: skip
    return Chart((say("margin.pledged"), say("margin.lacking")), tuple(bars))


def _sums(figures: MarginFigures) -> tuple[int, int, int]:
    lacking = sum(max(line.required - line.pledged, 0) for line in figures.calls)
    return sum(line.required for line in figures.calls), sum(line.pledged for line in figures.calls), lacking


def _calls(figures: MarginFigures, say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")),
        *(Column(f"{say(f'margin.{name}')}, HKD", Kind.MONEY) for name in ("required", "pledged", "lacking")),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (line.account, line.required, line.pledged, max(line.required - line.pledged, 0)) for line in figures.calls
    )
    foot: tuple[tuple[Cell, ...], ...] = ((say("frame.total"), *_sums(figures)),) if rows else ()
    return Table(name="calls", caption="", columns=columns, rows=rows, foot=foot)


def _made_of(figures: MarginFigures, say: Speaker) -> Table:
    columns = (
        Column(say("margin.component")), *(Column(one.account_class, Kind.WHOLE) for one in figures.parts)
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for place, (name, _) in enumerate(figures.parts[0].components()):
        rows.append((say(f"margin.{name}"), *(one.components()[place][1] for one in figures.parts)))
    for name, field in (("aggregate", "aggregate_hkd"), ("rounded", "rounded_hkd")):
        rows.append((say(f"margin.{name}"), *(getattr(one, field) for one in figures.parts)))
    rows.append((say("margin.favourable"), *(-max(one.mtm_hkd, 0) for one in figures.parts)))
    rows.append((say("margin.credit_line"), *(-min(one.credit_hkd, one.net_hkd) for one in figures.parts)))
    for place, (name, _) in enumerate(figures.parts[0].addons()):
        rows.append((say(f"margin.{name}"), *(one.addons()[place][1] for one in figures.parts)))
    foot: tuple[Cell, ...] = (say("margin.requirement"), *(one.total_hkd for one in figures.parts))
    return Table(name="components", caption="", columns=columns, rows=tuple(rows), foot=(foot,))


def _largest(one: ParticipantMargin, say: Speaker) -> Table:
    columns = (
        Column(say("margin.instrument"), Kind.CODE), Column(say("margin.quantity"), Kind.WHOLE),
        Column(say("holdings.market_value"), Kind.WHOLE), Column(say("margin.contribution"), Kind.WHOLE),
    )  # fmt: skip
    rows = tuple(
        (each.instrument, each.quantity, each.market_value_hkd, each.contribution_hkd) for each in one.top_positions
    )
    return Table(name=f"positions-{one.account_class}", caption=one.account_class, columns=columns, rows=rows)


def _houses(found: Explanation, say: Speaker) -> Table:
    margin, shares = found.margin, found.margin.by(found.allocation)
    names = ("standalone", "saving", "needed", "credit", "called")
    heads = ("alone", "saving", "needed", "credit", "called")
    columns = (Column(say("frame.house_name")), *(Column(say(f"margin.{name}"), Kind.WHOLE) for name in heads))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.house, *(int(getattr(each, name)) for name in names)) for each in shares.houses
    )
    saving = sum(each.saving for each in shares.houses)
    total: tuple[Cell, ...] = (
        say("margin.all"),
        margin.standalone,
        saving,
        None,
        margin.standalone - shares.called,
        shares.called,
    )
    return Table(name="houses", caption="", columns=columns, rows=rows, foot=(total,))


def _components(given: Statement, say: Speaker) -> Table:
    names = list(dict.fromkeys(name for each in given.houses for name in each.components))
    columns = (
        Column(say("frame.house_name")), Column(say("margin.model")),
        *(Column(say(f"component.{name}"), Kind.WHOLE) for name in names), Column(say("margin.all"), Kind.WHOLE),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.house, each.model, *(each.components.get(name, 0) for name in names), each.total)
        for each in given.houses
    )  # fmt: skip
    sums = (sum(each.components.get(name, 0) for each in given.houses) for name in names)
    foot: tuple[Cell, ...] = (say("margin.all"), "", *sums, sum(each.total for each in given.houses))
    return Table(name="components", caption="", columns=columns, rows=rows, foot=(foot,))


def _positions(found: Explanation, say: Speaker) -> Table:
    columns = (
        Column(say("margin.position")),
        *(Column(say(f"margin.{name}"), Kind.WHOLE) for name in ("notional", "component", "alone", "incremental")),
        Column(say("margin.marginal"), Kind.FIGURE),
    )
    rows = tuple(
        (f"{part.house} {part.product} {part.factor}", part.notional, part.component, part.component_alone,
         part.incremental, f"{part.marginal:.4f}")
        for part in found.positions
    )  # fmt: skip
    foot: list[tuple[Cell, ...]] = [(one.house, None, one.component, None, one.incremental, "") for one in found.houses]
    foot.append((say("margin.all"), None, sum(part.component for part in found.positions), None, None, ""))
    return Table(name="positions", caption="", columns=columns, rows=rows, foot=tuple(foot))


def _tail(found: Explanation, say: Speaker) -> Table:
    houses = list(found.tail[0].by_house) if found.tail else []
    columns = (
        Column(say("margin.from"), Kind.CODE), Column(say("margin.whole_book"), Kind.WHOLE),
        *(Column(house, Kind.WHOLE) for house in houses),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.day, one.profit, *(one.by_house[house] for house in houses)) for one in found.tail
    )
    return Table(name="tail", caption="", columns=columns, rows=rows)
