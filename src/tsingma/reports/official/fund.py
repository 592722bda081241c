"""The default-fund notice: what a participant pays into the fund, what the fund covers, and who pays the rest."""

from __future__ import annotations

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.resources.default_fund import E4, Fund, FundRules
from tsingma.reports.official.model import Bar, Cell, Chart, Column, Figure, Kind, Report, Section, Table
from tsingma.reports.official.words import Speaker, speaker

BARS_MAX = 12


def fund_report(fund: Fund, rules: FundRules, house: str, participant: str, language: str) -> Report:
    """Return the notice of one participant, or with "" the house's own list of all.

    Raises Rejected (unknown) for one that pays nothing into it, InvariantBroken when contributions do not add up.
    """
    if participant and participant not in fund.contributions:
        raise refuse(RejectionReason.UNKNOWN, f"'{participant}' pays nothing into this fund", field="participant",
                     remedy=f"one of {', '.join(sorted(fund.contributions)[:10])}")  # fmt: skip
    paid = sum(fund.contributions.values())
    least = rules.least_contribution * len(fund.contributions)
    if paid != max(fund.size - fund.house_part, least):
        raise InvariantBroken(f"contributions of {paid} and the house's {fund.house_part} are not {fund.size}")
    say = speaker(language)
    facts = (
        (say("frame.participant"), participant or say("margin.all")), (say("fund.worst_day"), fund.worst_day),
        (say("frame.house_name"), house), (say("fund.worst"), fund.worst_scenario),
        (say("frame.currency"), "HKD"), (say("frame.unit"), say("frame.hkd")),
    )  # fmt: skip
    sections = [
        Section(heading=say("fund.covers"), lead=say("fund.covers_lead"), tables=(_covers(fund, participant, say),)),
        Section(heading=say("fund.who"), lead=say("fund.own_lead" if participant else "fund.who_lead"),
                tables=(_who(fund, participant, say),), chart=_chart(fund, participant, say)),
    ]  # fmt: skip
    notes = []
    if fund.extra_margin and participant:
        notes.append(say("fund.extra_note").format(count=len(fund.extra_margin),
                                                   amount=f"{sum(fund.extra_margin.values()):,}"))  # fmt: skip
    elif fund.extra_margin:
        sections.append(Section(heading=say("fund.extra"), lead=say("fund.extra_lead"), tables=(_extra(fund, say),)))
    rule = say("fund.rules").format(
        cover=rules.cover, minimum=f"{rules.minimum:,}", threshold=f"{rules.threshold:,}",
        least=f"{rules.least_contribution:,}",
    )  # fmt: skip
    return Report(
        name="fund",
        language=language,
        house=say("frame.house"),
        title=say("fund.title"),
        subtitle=f"{participant or house}, {fund.worst_day}",
        facts=facts,
        figures=_figures(fund, participant, say),
        sections=tuple(sections),
        notes=(*notes, rule),
    )


def _figures(fund: Fund, participant: str, say: Speaker) -> tuple[Figure, ...]:
    found = [Figure(say("fund.size"), f"{fund.size:,}"), Figure(say("fund.house_part"), f"{fund.house_part:,}")]
    if participant:
        mine, all_of_them = fund.contributions[participant], sum(fund.contributions.values())
        part = f"{mine * E4 // all_of_them / 100:.2f} %" if all_of_them else "0.00 %"
        found = [Figure(say("fund.contribution"), f"{mine:,}", f"{part}, {say('fund.share')}"), *found]
    return tuple(found)


def _covers(fund: Fund, participant: str, say: Speaker) -> Table:
    """Return whose losses are covered; a participant is not told who the groups are."""
    names = (say("fund.largest"), say("fund.second")) if participant else fund.defaulters
    columns = (Column(say("fund.group")), Column(say("fund.loss"), Kind.WHOLE))
    rows = tuple(zip(names, fund.largest_losses, strict=False))
    foot = ((say("frame.total"), sum(fund.largest_losses)),)
    return Table(name="covers", caption="", columns=columns, rows=rows, foot=foot)


def _chart(fund: Fund, participant: str, say: Speaker) -> Chart:
    """Return the fund by who pays it: the house, and each participant, or the one the notice is for and all others."""
    parts = [(say("fund.the_house"), fund.house_part)]
    if participant:
        mine = fund.contributions[participant]
        others = {name: amount for name, amount in fund.contributions.items() if name != participant}
        parts.append((participant, mine))
        if others:
            parts.append((say("fund.others").format(count=f"{len(others):,}"), sum(others.values())))
    else:
        largest = sorted(fund.contributions.items(), key=lambda item: (-item[1], item[0]))
        parts += largest[:BARS_MAX]
    return Chart((say("fund.amount"),), tuple(Bar(name, (amount,), f"{amount:,}") for name, amount in parts))


def _who(fund: Fund, participant: str, say: Speaker) -> Table:
    columns = (
        Column(say("frame.participant")),
        Column(say("fund.amount"), Kind.WHOLE),
        Column(say("fund.part"), Kind.RATE),
    )
    total = fund.house_part + sum(fund.contributions.values())
    rows: list[tuple[Cell, ...]] = [_part(say("fund.the_house"), fund.house_part, total)]
    if participant:  # what others pay is theirs to know
        others = [amount for name, amount in fund.contributions.items() if name != participant]
        rows.append(_part(participant, fund.contributions[participant], total))
        if others:
            rows.append(_part(say("fund.others").format(count=f"{len(others):,}"), sum(others), total))
    else:
        rows += [_part(name, amount, total) for name, amount in fund.contributions.items()]
    return Table(
        name="contributions",
        caption="",
        columns=columns,
        rows=tuple(rows),
        foot=(_part(say("frame.total"), total, total),),
    )


def _part(name: str, amount: int, total: int) -> tuple[Cell, ...]:
    return name, amount, amount * E4 // total if total else 0


def _extra(fund: Fund, say: Speaker) -> Table:
    columns = (Column(say("fund.group")), Column(say("fund.amount"), Kind.WHOLE))
    return Table(name="extra", caption="", columns=columns, rows=tuple(fund.extra_margin.items()))
