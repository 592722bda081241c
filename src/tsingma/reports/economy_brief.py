"""An illustrated brief of one economic scenario, in English or Traditional Chinese: one HTML file, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.attribution import Attribution
from tsingma.economy.ensemble import Fan
from tsingma.economy.path import Path
from tsingma.economy.scenario import Scenario
from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_words import INDICATORS, WORDS
from tsingma.reports.fan_chart import fan_chart
from tsingma.reports.style import style_sheet
from tsingma.reports.tables import Column, table, text_column

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_TAGS = {"en": "en", "zh": "zh-Hant-HK"}


def render_economy_brief(
    scenario: Scenario, path: Path, fans: Sequence[Fan], causes: Attribution, language: str = "en"
) -> str:
    """Return the brief; the same bytes for the same figures.

    Raises Rejected (missing) without a fan, (unknown) for a language that is not ``en`` or ``zh``.
    """
    if language not in WORDS:
        raise refuse(RejectionReason.UNKNOWN, f"no language '{language}'", remedy="en or zh", field="language")
    if not fans:
        raise refuse(RejectionReason.MISSING, "there is no fan to show", field="fans")
    words = WORDS[language]
    title = scenario.chinese if language == "zh" else scenario.english
    sections = [_fans(fans, language), _causes(causes, language)]
    if path.shocks:
        sections.append(_shocks(path, language))
    sections.append(_made(scenario, path, language))
    lead = f"{scenario.name}, {path.dates[0]} – {path.dates[-1]}"
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="house">{escape(words["house"])}</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="lead">{escape(lead)}</p>\n</header>\n<main>\n{"".join(sections)}\n</main>\n'
        f"<footer>{escape(words['footer'])}</footer>\n</body>\n</html>\n"
    )


def _named(indicator: str, language: str) -> str:
    return INDICATORS[language].get(indicator, indicator)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"


def _fans(fans: Sequence[Fan], language: str) -> str:
    words = WORDS[language]
    charts = []
    for place, fan in enumerate(fans):
        low, middle, high = (fan.values[fan.levels.index(level)] for level in (0.05, 0.5, 0.95))
        if max(high) == min(low):
            continue  # nothing moves: a line says no more than the table
        name = _named(fan.indicator, language)
        ends = f"{words['end']}: {_number(middle[-1])} ({_number(low[-1])} – {_number(high[-1])})"
        figures = (_number(max(high)), _number(min(low)))
        chart = fan_chart(f"fan-{place}", name, ends, fan, figures)
        charts.append(f"<figure>\n<figcaption>{escape(name)}; {escape(ends)}</figcaption>\n{chart}\n</figure>")
    return section("fans", words["fans"], words["fans_lead"], *charts)


def _causes(causes: Attribution, language: str) -> str:
    words = WORDS[language]
    name = f"{_named(causes.indicator, language)}, {words['end']}"
    rows = [[words["without"], _number(causes.without)]]
    rows += [[one.cause, f"{one.effect:+,.4g}"] for one in causes.causes]
    rows.append([words["together"], f"{causes.together:+,.4g}"])
    foot = [[words["with_all"], _number(causes.with_all)]]
    return section(
        "causes", words["causes"], words["causes_lead"],
        table(name, [text_column(words["cause"]), Column(words["effect"])], rows, foot),
    )  # fmt: skip


def _shocks(path: Path, language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words[name]) for name in ("day", "indicator")] + [Column(words["size"])]
    columns += [text_column(words[name]) for name in ("why", "source")]
    rows = [
        [one.day.isoformat(), _named(one.name, language), f"{one.size:+g} {one.unit}", one.why, one.source]
        for one in path.shocks
    ]
    return section("shocks", words["shocks"], words["shocks_lead"], table(words["shocks"], columns, rows))


def _made(scenario: Scenario, path: Path, language: str) -> str:
    words, made = WORDS[language], path.provenance
    rows = [
        [words["model"], made.model],
        [words["calibration"], made.calibration],
        [words["uncertainty"], made.uncertainty],
        [words["likelihood"], f"{path.likelihood.value:.1%}, {path.likelihood.basis}"],
        [words["seed"], str(scenario.seed)],
    ]
    columns = [text_column(""), text_column("")]
    return section("made", words["made"], "", table(words["made"], columns, rows))
