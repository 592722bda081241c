"""An illustrated brief of a scenario of the value chain, English or Traditional Chinese: one HTML file, no script."""

from __future__ import annotations

import math

from tsingma.reports.change_svg import ChangeRow, Part, RangeRow, changes, ranges
from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_chain_flows import flows_section
from tsingma.reports.economy_chain_shares import dividends_section, leakage_section
from tsingma.reports.economy_figures import ChainFigures, check_chain
from tsingma.reports.economy_names import name_of, said
from tsingma.reports.economy_page import check_language, page, sentence, shown, source_line, source_note, told
from tsingma.reports.economy_words import WORDS
from tsingma.reports.fan_svg import Arm, arms
from tsingma.reports.numbers import fixed
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import legend
from tsingma.reports.tables import Column, table, text_column

COUNTRIES_SHOWN = 12
_LEAST = 5e-4  # log points x 100 below which a part is not drawn


def render_chain_brief(figures: ChainFigures, language: str = "en") -> str:
    """Return the brief; the same bytes for the same figures.

    Raises Rejected (unknown) for another language, InvariantBroken where figures are not the sum of their parts.
    """
    words = WORDS[check_language(language)]
    sections = chain_sections(figures, language)
    title = figures.title_zh if language == "zh" else figures.title
    return page(title, f"{words['chain_title']}; {figures.name}" if language == "en" else
                f"{words['chain_title']}；{figures.name}", sections, language)  # fmt: skip


def chain_sections(figures: ChainFigures, language: str) -> list[tuple[str, str, str]]:
    """Return the brief's sections that have something to show: anchor, heading and HTML; raises as the brief does."""
    words = WORDS[check_language(language)]
    check_chain(figures)
    made = [
        ("summary", "chain_summary", _summary(figures, language)),
        ("levers", "levers", _levers(figures, language)),
        ("flows", "flows", flows_section(figures, language)),
        ("k", "k", _k(figures, language)),
        ("dividends", "dividends", dividends_section(figures, language)),
        ("leakage", "leakage", leakage_section(figures, language)),
        ("why", "why", _why(figures, language)),
        ("days", "days", _days(figures, language)),
        ("notes", "notes", _notes(figures, language)),
    ]
    return [(name, words[heading], content) for name, heading, content in made if content]


def _summary(figures: ChainFigures, language: str) -> str:
    words = WORDS[language]
    rows = [
        RangeRow(label=name_of(one.country, language), low=one.low, median=one.median, high=one.high,
                 point=one.real_income, value=fixed(one.real_income, 3, sign=True))
        for one in figures.countries[:COUNTRIES_SHOWN]
    ]  # fmt: skip
    chart = ranges("band-chart", words["band"], words["band_caption"], rows)
    key = legend([("tick-key", words["median"]), ("ring-key", words["point"])])
    columns = [text_column(words["country"]), *(Column(words[name]) for name in _SUMMARY)]
    cells = [
        [name_of(one.country, language), fixed(one.real_income, 3), fixed(one.real_wage, 3),
         fixed(one.chain_dividends, 2), *("–" if value is None else fixed(value, 3)
                                          for value in (one.low, one.median, one.high))]
        for one in figures.countries
    ]  # fmt: skip
    columns += [Column("5 %"), Column(words["median"]), Column("95 %")]
    return section(
        "summary", words["chain_summary"], sentence(words["chain_lead"], words["band_lead"], language=language),
        shown(words["band_caption"], chart, source_line(figures.grounds, language), key),
        table(words["by_country"], columns, cells),
    )  # fmt: skip


_SUMMARY = ("real_income", "real_wage", "chain_dividends")


def _levers(figures: ChainFigures, language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words["lever"]), Column(words["value"]),
               *(text_column(words[name]) for name in ("unit", "sector", "makers", "buyers"))]  # fmt: skip
    comma = "、" if language == "zh" else ", "
    rows = [
        [one.chinese if language == "zh" else one.english, f"{one.value:,g}", name_of(one.unit, language),
         name_of(one.sector, language) if one.sector else "–",
         *(comma.join(name_of(name, language) for name in names) or "–" for names in (one.sellers, one.buyers))]
        for one in figures.levers
    ]  # fmt: skip
    return section("levers", words["levers"], said(figures.description, language),
                   table(words["lever_rows"], columns, rows))  # fmt: skip


def _k(figures: ChainFigures, language: str) -> str:
    if not figures.spread:
        return ""
    words = WORDS[language]
    charts = []
    for one in figures.spread[:COUNTRIES_SHOWN]:
        ends = [100.0, 100.0 * math.exp(one.upper), 100.0 * math.exp(one.lower)]
        pair = [Arm(100.0, 100.0 * math.exp(one.upper), words["upper"], upper=True),
                Arm(100.0, 100.0 * math.exp(one.lower), words["lower"], upper=False)]  # fmt: skip
        stop = "，" if language == "zh" else ", "
        heading = f"{name_of(one.country, language)}{stop}K {fixed(one.k, 4, sign=True)}"
        chart = arms(f"k-{one.country}", heading, words["k_caption"], pair, (words["before"], words["after"]),
                     (min(ends), max(ends)),
                     lambda value: fixed(value, 1))  # fmt: skip
        charts.append(shown(words["k_caption"], chart, "", heading=heading))
    return section("k", words["k"], words["k_lead"], f'<div class="pair">{"".join(charts)}</div>',
                   source_note(figures.grounds, language), _arms(figures, language),
                   _measures(figures, language))  # fmt: skip


def _arms(figures: ChainFigures, language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words["country"]), *(Column(words[name]) for name in ("upper", "lower", "gap"))]
    rows = [[name_of(one.country, language), *(fixed(value, 4, sign=True) for value in (one.upper, one.lower, one.k))]
            for one in figures.spread]  # fmt: skip
    return table(words["arms"], columns, rows)


def _measures(figures: ChainFigures, language: str) -> str:
    words = WORDS[language]
    names = list(figures.spread[0].measures)
    columns = [text_column(words["country"]), text_column(words["when"]), *(Column(words[name]) for name in names)]
    rows = [
        [name_of(one.country, language), words[when], *(fixed(one.measures[name][place], 4) for name in names)]
        for one in figures.spread
        for place, when in enumerate(("before", "after"))
    ]
    return table(words["measures"], columns, rows)


def _why(figures: ChainFigures, language: str) -> str:
    words, colours = WORDS[language], COMPONENT_COLOURS
    layers = list(figures.reasons[0].prices) if figures.reasons else []
    rows = []
    for one in figures.reasons[: 2 * COUNTRIES_SHOWN]:
        pieces = [(words["factor_income"], one.factor_income, colours[0]),
                  (words["rent"], sum(one.rent.values()), colours[3]),
                  (words["prices"], sum(one.prices.values()), colours[4])]  # fmt: skip
        rows.append(ChangeRow(
            label=name_of(one.region, language),
            parts=tuple(Part(value, colour, f"{name} {fixed(value, 3, sign=True)}")
                        for name, value, colour in pieces if abs(value) >= _LEAST),
            total=one.real_income, value=fixed(one.real_income, 3, sign=True)))  # fmt: skip
    chart = changes("why-chart", words["why"], words["why_caption"], rows)
    key = legend([(colours[0], words["factor_income"]), (colours[3], words["rent"]), (colours[4], words["prices"]),
                  ("tick-key", words["total"])])  # fmt: skip
    gap = "" if language == "zh" else " "
    heads = [words["total"], words["factor_income"],
             *(f"{words[kind]}{gap}{name_of(layer, language)}" for kind in ("rent_of", "prices_of")
               for layer in layers)]  # fmt: skip
    columns = [text_column(words["region"]), *map(Column, heads)]
    cells = [
        [name_of(one.region, language), *(fixed(value, 3) for value in (
            one.real_income, one.factor_income, *(one.rent.get(layer, 0.0) for layer in layers),
            *(one.prices[layer] for layer in layers)))]
        for one in figures.reasons
    ]  # fmt: skip
    return section("why", words["why"], words["why_lead"],
                   shown(words["why_caption"], chart, source_line(figures.grounds, language), key),
                   table(words["by_region"], columns, cells))  # fmt: skip


def _days(figures: ChainFigures, language: str) -> str:
    if figures.days is None:
        return ""
    words, days = WORDS[language], figures.days
    rows = [
        ChangeRow(label=name_of(country, language), parts=(Part(lost, COMPONENT_COLOURS[0], fixed(lost, 3)),),
                  total=lost, value=fixed(lost, 3))
        for country, lost in list(days.lost_days.items())[:COUNTRIES_SHOWN]
    ]  # fmt: skip
    chart = changes("days-chart", words["lost_days"], words["days_caption"], rows)
    totals = table(words["by_days"], [text_column(words["total"]), Column(words["lost_days"])],
                   [[words["world_lost"], fixed(days.world_lost_days, 4)],
                    [words["unmet"], fixed(days.unmet_final_days, 4)]])  # fmt: skip
    worst = table(words["worst"], [text_column(words["cell"]), Column(words["lowest"]), Column(words["on_day"])],
                  [[name_of(cell, language), fixed(low, 2), str(day)] for cell, low, day in days.worst])  # fmt: skip
    return section("days", words["days"], words["days_lead"],
                   shown(words["days_caption"], chart, source_line(figures.grounds, language)),
                   totals, worst)  # fmt: skip


def _notes(figures: ChainFigures, language: str) -> str:
    words = WORDS[language]
    items = "".join(f"<li>{told(note, language)}</li>" for note in figures.notes)
    return section("notes", words["notes"], words["notes_lead"], f'<ul class="notes">{items}</ul>')
