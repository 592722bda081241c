"""The economy brief as tables: a scenario of the AI value chain, or a run of a model in time, and what it stands on."""

from __future__ import annotations

from tsingma.reports.economy_figures import ChainFigures, Grounds, RunFigures, check_chain, check_run
from tsingma.reports.economy_names import name_of, said
from tsingma.reports.official.model import Cell, Column, Figure, Kind, Report, Section, Table
from tsingma.reports.official.words import Speaker, speaker


def chain_report(figures: ChainFigures, language: str) -> Report:
    """Return the brief of a scenario of the chain; raises InvariantBroken when figures do not add up."""
    check_chain(figures)
    say = speaker(language)
    sections = [
        Section(heading=say("economy.levers"), lead=figures.description if language == "en" else "",
                tables=(_levers(figures, say, language),)),
        Section(heading=say("economy.countries"), tables=(_countries(figures, say, language),)),
        Section(heading=say("economy.arms"), tables=(_arms(figures, say, language),)),
        Section(heading=say("economy.by_layer"), lead=f"{say('frame.unit')}: {name_of(figures.unit, language)}",
                tables=(_dividends(figures, say, language),)),
    ]  # fmt: skip
    best = max(figures.countries, key=lambda one: one.real_income, default=None)
    worst = min(figures.countries, key=lambda one: one.real_income, default=None)
    heads = tuple(
        Figure(f"{name_of(one.country, language)}: {say('economy.real_income')}", f"{one.real_income:+.3f}")
        for one in dict.fromkeys((best, worst))
        if one is not None
    )
    title = figures.title_zh if language == "zh" else figures.title
    return _report("chain", title, figures.grounds, sections, heads, say, language)


def run_report(figures: RunFigures, language: str) -> Report:
    """Return the brief of a run in time; raises InvariantBroken when figures do not add up."""
    check_run(figures)
    say = speaker(language)
    indicator = name_of(figures.indicator, language)
    lead = say("economy.indicators_lead").format(replications=f"{figures.replications:,}")
    sections = [
        Section(heading=say("economy.indicators"), lead=lead, tables=(_indicators(figures, say, language),)),
        Section(heading=say("economy.causes"), lead=say("economy.causes_lead").format(indicator=indicator),
                tables=(_causes(figures, say, language),)),
    ]  # fmt: skip
    if figures.claims:
        sections.append(Section(heading=say("economy.claims"), tables=(_claims(figures, say, language),)))
    heads = (
        Figure(say("economy.without"), _number(figures.without), indicator),
        Figure(say("economy.with_all"), _number(figures.with_all), indicator),
    )
    title = figures.title_zh if language == "zh" else figures.title
    return _report("run", title, figures.grounds, sections, heads, say, language)


def _report(
    name: str, title: str, grounds: Grounds, sections: list[Section], figures: tuple[Figure, ...], say: Speaker,
    language: str,
) -> Report:  # fmt: skip
    data = ("、" if language == "zh" else ", ").join(said(one, language) for one in grounds.data)
    facts = [
        (say("economy.model"), said(grounds.model, language)), (say("economy.data"), data),
        (say("economy.calibration"), said(grounds.calibration, language)),
        (say("economy.uncertainty"), said(grounds.uncertainty, language)),
    ]  # fmt: skip
    if grounds.seed is not None:
        facts.append((say("economy.seed"), str(grounds.seed)))
    return Report(
        name=f"economy-{name}",
        language=language,
        house=say("frame.house"),
        title=say("economy.title"),
        subtitle=title,
        facts=tuple((label, value or "-") for label, value in facts),
        figures=figures,
        sections=tuple(sections),
        notes=(say("economy.footer"),),
    )


def _levers(figures: ChainFigures, say: Speaker, language: str) -> Table:
    columns = (
        Column(say("economy.lever")), Column(say("frame.value"), Kind.FIGURE), Column(say("frame.unit")),
        Column(say("economy.sector")), Column(say("economy.for_whom")),
    )  # fmt: skip
    rows = tuple(
        (one.chinese if language == "zh" else one.english, _number(one.value), one.unit,
         name_of(one.sector, language) if one.sector else "", _whom(one.sellers, one.buyers, language))
        for one in figures.levers
    )  # fmt: skip
    return Table(name="levers", caption="", columns=columns, rows=rows)


def _whom(sellers: tuple[str, ...], buyers: tuple[str, ...], language: str) -> str:
    sides = [", ".join(name_of(one, language) for one in side) for side in (sellers, buyers)]
    return " → ".join(side for side in sides if side)


def _countries(figures: ChainFigures, say: Speaker, language: str) -> Table:
    drawn = figures.draws > 0
    columns = (
        Column(say("economy.country")),
        *(Column(say(f"economy.{name}"), Kind.FIGURE) for name in ("real_income", "real_wage", "dividends")),
        *(Column(say(f"economy.{name}"), Kind.FIGURE) for name in ("low", "median", "high") if drawn),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in figures.countries:
        quantiles = (_number(value) for value in (one.low, one.median, one.high)) if drawn else ()
        rows.append((name_of(one.country, language), _number(one.real_income), _number(one.real_wage),
                     _number(one.chain_dividends), *quantiles))  # fmt: skip
    return Table(name="countries", caption="", columns=columns, rows=tuple(rows))


def _arms(figures: ChainFigures, say: Speaker, language: str) -> Table:
    names = ("upper", "lower", "k", "theil_before", "theil_after")
    columns = (Column(say("economy.country")), *(Column(say(f"economy.{name}"), Kind.FIGURE) for name in names))
    rows = tuple(
        (name_of(one.country, language),
         *(f"{value:.4f}" for value in (one.upper, one.lower, one.k, *one.measures["theil"])))
        for one in figures.spread
    )  # fmt: skip
    return Table(name="arms", caption="", columns=columns, rows=rows)


def _dividends(figures: ChainFigures, say: Speaker, language: str) -> Table:
    names = ("country", "layer", "zone", "tier")
    columns = (
        *(Column(say(f"economy.{name}")) for name in names),
        *(Column(say(f"economy.{name}"), Kind.FIGURE) for name in ("before", "after")),
    )
    rows = tuple(
        (*(name_of(getattr(one, name), language) for name in names), _number(one.before), _number(one.after))
        for one in figures.dividends
    )
    return Table(name="value-added", caption="", columns=columns, rows=rows)


def _indicators(figures: RunFigures, say: Speaker, language: str) -> Table:
    levels = figures.fans[0].levels if figures.fans else ()
    columns = (
        Column(say("economy.indicator")), Column(say("frame.unit")), Column(say("economy.on_day"), Kind.CODE),
        *(Column(f"{100 * level:g} %", Kind.FIGURE) for level in levels), Column(say("economy.path"), Kind.FIGURE),
    )  # fmt: skip
    rows = tuple(
        (name_of(fan.indicator, language), name_of(fan.unit, language), str(fan.dates[-1]),
         *(_number(row[-1]) for row in fan.values), _number(fan.path[-1]))
        for fan in figures.fans
    )  # fmt: skip
    return Table(name="indicators", caption="", columns=columns, rows=rows)


def _causes(figures: RunFigures, say: Speaker, language: str) -> Table:
    columns = (
        Column(say("economy.cause")), Column(say("economy.size")), Column(say("economy.on_day"), Kind.CODE),
        Column(say("economy.effect"), Kind.FIGURE),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [(say("economy.without"), "", "", _number(figures.without))]
    rows += [
        (name_of(one.name, language), one.size, str(one.day) if one.day else "", _number(one.effect))
        for one in figures.causes
    ]
    rows.append((say("economy.together"), "", "", _number(figures.together)))
    foot = ((say("economy.with_all"), "", "", _number(figures.with_all)),)
    return Table(name="causes", caption="", columns=columns, rows=tuple(rows), foot=foot)


def _claims(figures: RunFigures, say: Speaker, language: str) -> Table:
    columns = (
        Column(say("frame.code"), Kind.CODE), Column(say("economy.claim")), Column(say("economy.result")),
        Column(say("economy.figure")),
    )  # fmt: skip
    rows = tuple(
        (one.id, one.chinese if language == "zh" else one.english, say(f"economy.{one.result}"), one.figure)
        for one in figures.claims
    )
    return Table(name="claims", caption="", columns=columns, rows=rows)


def _number(value: float | None) -> str:
    """Return a figure of a model with three decimals, or as many as leave four digits of a small one."""
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.3g}"
