"""An illustrated brief of a run in time, the renminbi abroad or stocks and homes: fans, causes, claims; no script."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tsingma.reports.change_svg import ChangeRow, Part, changes
from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_figures import CauseRow, FanRow, RunFigures, check_run
from tsingma.reports.economy_names import name_of, said
from tsingma.reports.economy_page import (
    check_language,
    page,
    sentence,
    shown,
    source_line,
    source_note,
    told,
    unit_text,
)
from tsingma.reports.economy_words import WORDS
from tsingma.reports.fan_svg import Fan, fan
from tsingma.reports.numbers import MINUS, significant
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import legend
from tsingma.reports.tables import Column, details, table, text_column

_HUNDRED = ("share of one", "log change a period")  # shown as per cent and as log points x 100
_WHOLE = 1_000.0  # from here on figures have no decimals


def render_run_brief(figures: RunFigures, language: str = "en") -> str:
    """Return the brief; the same bytes for the same figures.

    Raises Rejected (unknown) for another language, InvariantBroken for bands out of order or causes that do not add.
    """
    words = WORDS[check_language(language)]
    sections = run_sections(figures, language)
    title = figures.title_zh if language == "zh" else figures.title
    model, gap = words[f"fan_{figures.model}"], "；" if language == "zh" else "; "
    return page(title, f"{model}{gap}{figures.name}", sections, language)


def run_sections(figures: RunFigures, language: str) -> list[tuple[str, str, str]]:
    """Return the brief's sections that have something to show: anchor, heading and HTML; raises as the brief does."""
    words = WORDS[check_language(language)]
    check_run(figures)
    made = [
        ("summary", "chain_summary", _summary(figures, language)),
        ("fans", "fans", _fans(figures, language)),
        ("causes", "causes", _causes(figures, language)),
        ("claims", "claims", _claims(figures, language)),
    ]
    return [(name, words[heading], content) for name, heading, content in made if content]


def _scale(unit: str) -> float:
    return 100.0 if unit in _HUNDRED else 1.0


def indicator_text(unit: str) -> Callable[[float], str]:
    """Return how values of a unit are written; figures of thousands are whole."""

    def write(value: float) -> str:
        value *= _scale(unit)
        if abs(value) >= _WHOLE:
            return significant(round(value), 12).split(".")[0]
        return significant(value, 3) if abs(value) >= 1e-6 else "0"

    return write


def _place(one: FanRow, level: float) -> int:
    return min(range(len(one.levels)), key=lambda k: abs(one.levels[k] - level))


def _summary(figures: RunFigures, language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words["indicator"]), *(Column(words[name]) for name in ("at_start", "at_end")),
               Column("5 %"), Column("95 %"), Column(words["path"]), text_column(words["unit"])]  # fmt: skip
    rows = []
    for one in figures.fans:
        text, middle = indicator_text(one.unit), _place(one, 0.5)
        rows.append([name_of(one.indicator, language), text(one.values[middle][0]), text(one.values[middle][-1]),
                     text(one.values[0][-1]), text(one.values[-1][-1]), text(one.path[-1]),
                     name_of(one.unit, language)])  # fmt: skip
    rank = words["rank"].format(count=f"{figures.replications:,}", indicator=name_of(figures.indicator, language))
    colon = "：" if language == "zh" else ": "
    lead = sentence(f"{words['ranked']}{colon}{100 * figures.rank:.1f} %, {rank}" if language == "en" else
                    f"{words['ranked']}{colon}{100 * figures.rank:.1f} %，{rank}", language=language)  # fmt: skip
    return section("summary", words["chain_summary"], lead, table(words["by_indicator"], columns, rows),
                   source_note(figures.grounds, language))  # fmt: skip


def _fans(figures: RunFigures, language: str) -> str:
    words = WORDS[language]
    charts, tables = [], []
    for one in figures.fans:
        name = name_of(one.indicator, language)
        caption = sentence(unit_text(one.unit, language), words["fan_caption"], language=language)
        text = indicator_text(one.unit)
        drawn = Fan(one.dates, one.levels, one.values, one.path, one.observed)
        anchor = one.indicator.replace(".", "-").replace("_", "-")
        first, last = one.dates[0].isoformat(), one.dates[-1].isoformat()
        told_by = (
            f"{name}, {first} – {last}. {caption}" if language == "en" else f"{name}，{first} 至 {last}。{caption}"
        )
        charts.append(shown(caption, fan(f"fan-{anchor}", name, told_by, drawn, text), "", heading=name))
        tables.append(details(f"{name} ({name_of(one.unit, language)})", _numbers(one, name, language)))
    keys = [("band-0", words["wide_band"]), ("band-1", words["middle_band"]), ("band-2", words["narrow_band"]),
            ("line-key", words["median"]), ("dash-key", words["path"])]  # fmt: skip
    if any(one.observed for one in figures.fans):
        keys.append(("ring-key", words["observed"]))
    return section("fans", words["fans"], words["fans_lead"], legend(keys),
                   f'<div class="pair">{"".join(charts)}</div>',
                   source_note(figures.grounds, language), f"<h3>{escape(words['numbers'])}</h3>", *tables)  # fmt: skip


def _numbers(one: FanRow, name: str, language: str) -> str:
    words, text = WORDS[language], indicator_text(one.unit)
    columns = [text_column(words["date"]), *(Column(f"{100 * level:g} %") for level in one.levels),
               Column(words["path"])]  # fmt: skip
    rows = [[day.isoformat(), *(text(row[place]) for row in one.values), text(one.path[place])]
            for place, day in enumerate(one.dates)]  # fmt: skip
    whole = table(name, columns, rows)
    if not one.observed:
        return whole
    came = [[day.isoformat(), text(value)] for day, value in one.observed]
    return whole + table(words["observed"], [text_column(words["date"]), Column(name)], came)


def _causes(figures: RunFigures, language: str) -> str:
    words, text = WORDS[language], indicator_text(figures.unit)
    if not figures.causes:
        return section("causes", words["causes"], words["nothing"])
    rows = [_change(_cause(one, language), one.effect, figures.unit) for one in figures.causes]
    rows.append(_change(words["together"], figures.together, figures.unit, colour=COMPONENT_COLOURS[3]))
    indicator = name_of(figures.indicator, language)
    stop = "，" if language == "zh" else ", "
    caption = sentence(words["causes_caption"], f"{indicator}{stop}{name_of(figures.unit, language)}",
                       language=language)  # fmt: skip
    chart = changes("causes-chart", words["causes"], caption, rows)
    effects = table(words["effect"], [text_column(words["cause"]), Column(words["effect"])],
                    [[words["without"], text(figures.without)], *([row.label, row.value] for row in rows)],
                    [[words["with_all"], text(figures.with_all)]])  # fmt: skip
    return section("causes", words["causes"], words["causes_lead"],
                   shown(caption, chart, source_line(figures.grounds, language)), effects,
                   _shocks(figures, language))  # fmt: skip


def _change(label: str, effect: float, unit: str, colour: str = COMPONENT_COLOURS[0]) -> ChangeRow:
    value = indicator_text(unit)(effect)
    value = f"+{value}" if effect > 0 and value != "0" else value
    return ChangeRow(label, (Part(effect, colour, f"{label}: {value}"),), effect, value)


def _cause(one: CauseRow, language: str) -> str:
    gap = "" if language == "zh" else " "
    day = f"{gap}（{one.day:%Y-%m-%d}）" if one.day and language == "zh" else f", {one.day:%Y-%m-%d}" if one.day else ""
    size = f" {one.size.replace('-', MINUS)}" if one.size else ""
    return f"{name_of(one.name, language)}{size}{day}"


def _shocks(figures: RunFigures, language: str) -> str:
    if not figures.shocks:
        return ""
    words = WORDS[language]
    heads = [text_column(words[name]) for name in ("date", "shocks")]
    heads += [Column(words["size"]), text_column(words["unit"]), text_column(words["reason"]),
              Column(words["sizes"], numeric=False, language="en" if language == "zh" else "")]  # fmt: skip
    rows = [[one.day.isoformat(), name_of(one.name, language), f"{one.size:+g}".replace("-", MINUS),
             name_of(one.unit, language), said(one.why, language), one.source] for one in figures.shocks]  # fmt: skip
    return table(words["shocks"], heads, rows)


def _claims(figures: RunFigures, language: str) -> str:
    if not figures.claims:
        return ""
    words = WORDS[language]
    head = "".join(f'<th scope="col">{escape(words[name])}</th>' for name in ("claim", "result", "found"))
    rows = "\n".join(
        f'<tr><th scope="row" class="said">{escape(one.id)} '
        f"{escape(one.chinese if language == 'zh' else one.english)}</th>"
        f"<td>{escape(words[one.result])}</td><td>{told(one.figure, language)}</td></tr>"
        for one in figures.claims
    )
    grid = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(words["results"])}"><table>'
        f"<caption>{escape(words['results'])}</caption><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )
    return section("claims", words["claims"], words["claims_lead"], grid)
