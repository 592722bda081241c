"""An illustrated brief of scenarios through the house, in English or Traditional Chinese: one HTML file, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reports.clearing_sections import figure, section
from tsingma.reports.numbers import short_in, whole
from tsingma.reports.stress_figures import HouseRow, StressFigures
from tsingma.reports.stress_words import LAYERS, WORDS
from tsingma.reports.style import COMPONENT_COLOURS, style_sheet
from tsingma.reports.svg import BarRow, Segment, Step, bars, legend, waterfall
from tsingma.reports.tables import Column, table, text_column

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_TAGS = {"en": "en", "zh": "zh-Hant-HK"}
_MARKER_TIMES_MAX = 3  # who has more than so many times what it needs has no tick: it would set the scale for all


def render_brief(figures: Sequence[StressFigures], language: str = "en") -> str:
    """Return the brief; the same bytes for the same figures.

    Raises Rejected (missing) without a scenario, (unknown) for a language that is not ``en`` or ``zh``.
    """
    if not figures:
        raise refuse(RejectionReason.MISSING, "no scenario was run", field="figures")
    if language not in WORDS:
        raise refuse(RejectionReason.UNKNOWN, f"no language '{language}'", remedy="en or zh", field="language")
    words = WORDS[language]
    sections = [_overview(figures, language), *(scenario_section(one, language) for one in figures)]
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(words['title'])}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="house">{escape(words["house"])}</p>\n<h1>{escape(words["title"])}</h1>\n'
        f'<p class="lead">{escape(figures[0].day)}, HKD</p>\n</header>\n<main>\n{"".join(sections)}\n</main>\n'
        f"<footer>{escape(words['footer'])}</footer>\n</body>\n</html>\n"
    )


def _title(one: StressFigures, language: str) -> str:
    return one.title_zh if language == "zh" else one.title


def _overview(figures: Sequence[StressFigures], language: str) -> str:
    words, colours = WORDS[language], COMPONENT_COLOURS
    rows = []
    for one in figures:
        over = one.regimes[0].over_margin
        parts = tuple(
            Segment(house.over_margin, colours[place % len(colours)], f"{house.house} {whole(house.over_margin)}")
            for place, house in enumerate(one.houses)
        )
        label = one.title_zh if language == "zh" else one.id  # English titles are longer than a label may be
        rows.append(BarRow(label, parts, short_in(language, over)))
    chart = bars("overview-chart", words["over_margin"], words["over_chart"], rows)
    keys = legend([(colours[place % len(colours)], house.house) for place, house in enumerate(figures[0].houses)])
    columns = [text_column(words["scenario"]), *(Column(words[name]) for name in _OVERVIEW)]
    cells = [_overview_row(one, language) for one in figures]
    return section("overview", words["overview"], words["overview_lead"], chart + keys,
                   table(words["overview"], columns, cells))  # fmt: skip


_OVERVIEW = ("index", "over_margin", "band", "called", "fail", "fund_used", "uncovered", "to_find")


def _overview_row(one: StressFigures, language: str) -> list[str]:
    alone = one.regimes[0]
    find = sum(need.gains + need.securities for need in one.liquidity if need.currency == "HKD")
    band = f"{short_in(language, one.over_margin_low)} – {short_in(language, one.over_margin_high)}"
    return [
        _title(one, language), f"{one.index_return:+.1%}", short_in(language, alone.over_margin), band,
        short_in(language, one.called), str(one.defaults), short_in(language, alone.fund_used),
        short_in(language, alone.uncovered), short_in(language, find),
    ]  # fmt: skip


def scenario_section(one: StressFigures, language: str) -> str:
    """Return one scenario as a section: houses, participants, regimes, each house's waterfall, liquidity."""
    words = WORDS[language]
    if language == "zh":
        lead = f"{one.story_zh}{words['plausibility']}：{one.plausibility_zh}。{words['source']}：{one.source_zh}。"
    else:
        lead = f"{one.story} {words['plausibility']}: {one.plausibility}. {words['source']}: {one.source}."
    body = [_houses(one, language), _participants(one, language), _regimes(one, language)]
    body += [_waterfall(one.id, house, language) for house in one.houses if any(layer.used for layer in house.layers)]
    if one.liquidity:
        body.append(_liquidity(one, language))
    return section(one.id, _title(one, language), lead, *body)


def _houses(one: StressFigures, language: str) -> str:
    words = WORDS[language]
    names = ("losses", "over_margin", "accounts_over", "fund", "fund_used", "fund_use", "gains_cut")
    columns = [text_column(words["house_name"]), *(Column(words[name]) for name in names)]
    cells = [
        [each.house, whole(each.losses), whole(each.over_margin), str(each.accounts_over), whole(each.fund),
         whole(each.fund_used), f"{each.fund_use:.1%}", whole(each.gains_cut)]
        for each in one.houses
    ]  # fmt: skip
    return table(words["houses"], columns, cells)


def _participants(one: StressFigures, language: str) -> str:
    words = WORDS[language]
    names = ("losses", "more_margin", "for_clients", "replenishment", "needed", "liquid", "round")
    columns = [text_column(words["participant"]), *(Column(words[name]) for name in names)]
    cells = [
        [each.participant, whole(each.losses), whole(each.more_margin), whole(each.for_clients),
         whole(each.replenishment), whole(each.needed), whole(each.liquid),
         str(each.default_round) if each.default_round else "–"]
        for each in one.participants
    ]  # fmt: skip
    return table(words["participants"], columns, cells)


def calls_chart(one: StressFigures, language: str) -> str:
    """Return what each participant must bring by cause, with what it has as a tick; "" where nobody is called."""
    words, colours = WORDS[language], COMPONENT_COLOURS
    causes = [
        (colours[0], words["own_calls"]),
        (colours[1], words["for_clients"]),
        (colours[3], words["replenishment"]),
    ]
    rows = []
    for each in one.participants:
        own = each.needed - each.for_clients - each.replenishment
        sizes = (own, each.for_clients, each.replenishment)
        parts = tuple(Segment(size, colour, f"{cause} {whole(size)}")
                      for size, (colour, cause) in zip(sizes, causes, strict=True))  # fmt: skip
        marker = each.liquid if each.liquid <= _MARKER_TIMES_MAX * each.needed else None
        rows.append(BarRow(each.participant, parts, short_in(language, each.needed), marker=marker))
    if not rows:
        return ""
    chart = bars(f"calls-{one.id}", words["participants"], words["calls_chart"], rows)
    return chart + legend([*causes, ("tick-key", words["liquid"])])


def _regimes(one: StressFigures, language: str) -> str:
    words = WORDS[language]
    names = ("margin", "over_margin", "accounts_over", "fail", "fund_used", "uncovered")
    columns = [text_column(words["regime"]), *(Column(words[name]) for name in names)]
    cells = [
        [words[each.regime], *(whole(value) for value in (each.margin, each.over_margin, each.accounts_over,
                                                          each.defaults, each.fund_used, each.uncovered))]
        for each in one.regimes
    ]  # fmt: skip
    return table(words["regimes"], columns, cells)


def _waterfall(name: str, house: HouseRow, language: str) -> str:
    """Draw a defaulters' loss at one house going down layer by layer to what nothing bears."""
    words = WORDS[language]
    loss = sum(layer.used for layer in house.layers)
    colours, level = COMPONENT_COLOURS, loss
    steps = [Step(words["loss"], 0, loss, colours[0], short_in(language, loss))]
    for place, layer in enumerate(each for each in house.layers if each.used):
        colour = colours[(place + 1) % len(colours)]
        steps.append(
            Step(LAYERS[language][layer.kind], level - layer.used, level, colour, short_in(language, layer.used))
        )
        level -= layer.used
    title = f"{words['waterfall']}, {house.house}"
    return figure(title, waterfall(f"{name}-{house.house.replace(' ', '-')}", title, words["waterfall_chart"], steps))


def _liquidity(one: StressFigures, language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words["day"]), text_column(words["currency"]),
               *(Column(words[name]) for name in ("gains", "securities"))]  # fmt: skip
    cells = [[need.day, need.currency, whole(need.gains), whole(need.securities)] for need in one.liquidity]
    return table(words["liquidity"], columns, cells)
