"""The page that every brief of the economy is: frame, navigation, figures with their source line, one style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reports.economy_figures import Grounds
from tsingma.reports.economy_names import is_said, name_of, said
from tsingma.reports.economy_words import WORDS
from tsingma.reports.style import style_sheet

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_TAGS = {"en": "en", "zh": "zh-Hant-HK"}

_STYLE = """
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 40px; }
.pair > figure { margin: 18px 0 14px; min-width: 0; }
figure h3 { margin: 0 0 6px; font-size: 14.5px; font-weight: 600; }
.source { font-size: 12px; color: var(--soft); margin: 8px 0 0; max-width: none; }
.chart .small { font-size: 12px; } .chart .node { fill: var(--c6); }
.chart .ribbon { fill-opacity: 0.38; stroke: none; vector-effect: non-scaling-stroke; }
.chart .ribbon:hover { fill-opacity: 0.75; }
.chart .ribbon.grew { stroke: var(--ink); stroke-width: 1px; }
.chart .ribbon.shrank { stroke: var(--bad); stroke-width: 1.2px; stroke-dasharray: 5 4; }
.chart .band { fill: var(--c1); } .chart .band-0 { fill-opacity: 0.2; } .chart .band-1 { fill-opacity: 0.28; }
.chart .band-2 { fill-opacity: 0.42; } .chart .middle { stroke: var(--accent); stroke-width: 2.4px; }
.chart .one-path { stroke: var(--open); stroke-width: 1.6px; stroke-dasharray: 5 3; }
.chart .upper-arm { stroke: var(--c0); stroke-width: 2.6px; }
.chart .lower-arm { stroke: var(--c4); stroke-width: 2.6px; stroke-dasharray: 6 4; }
.chart .nil { stroke: var(--soft); } .chart .span { stroke: var(--c1); stroke-width: 6px; stroke-opacity: 0.55; }
.swatch.band-0, .swatch.band-1, .swatch.band-2 { background: var(--c1); }
.swatch.band-0 { opacity: 0.3; } .swatch.band-1 { opacity: 0.55; } .swatch.band-2 { opacity: 0.9; }
.swatch.line-key { height: 3px; width: 18px; background: var(--accent); vertical-align: middle; border-radius: 0; }
.swatch.dash-key { height: 0; width: 18px; background: none; border-top: 2px dashed var(--open);
  vertical-align: middle; border-radius: 0; }
.swatch.solid-edge { background: none; border: 1.5px solid var(--ink); }
.swatch.dashed-edge { background: none; border: 1.5px dashed var(--bad); }
.swatch.tick-key { width: 2px; background: var(--ink); border-radius: 0; margin-left: 5px; }
.heat td { padding: 6px 9px; text-align: right; } .heat th { padding: 6px 9px; }
.heat td.own { outline: 1px solid var(--soft); outline-offset: -3px; } .heat .edge { font-weight: 600; }
.heat .h1 { background: color-mix(in srgb, var(--c1) 14%, transparent); }
.heat .h2 { background: color-mix(in srgb, var(--c1) 28%, transparent); }
.heat .h3 { background: color-mix(in srgb, var(--c1) 42%, transparent); }
.heat .h4 { background: color-mix(in srgb, var(--c1) 56%, transparent); }
.heat.wide { font-size: 10.5px; table-layout: fixed; }
.heat.wide td, .heat.wide th { padding: 4px 5px 4px 1px; min-width: 0; white-space: normal; font-size: inherit; }
td.said { white-space: normal; min-width: 12em; }
@media (max-width: 900px) { .pair { grid-template-columns: 1fr; } }
@media print { .pair { gap: 0 20px; } .pair > figure { break-inside: avoid; } }
"""


def page(title: str, lead: str, sections: Sequence[tuple[str, str, str]], language: str) -> str:
    """Return a brief of sections (anchor, heading, HTML): one file, no script, the same bytes for the same input."""
    words = WORDS[language]
    links = "".join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading, _ in sections)
    body = "\n".join(content for _, _, content in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style_sheet()}{_STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="house">{escape(words["house"])}</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="lead">{escape(lead)}</p>\n<nav><ul>{links}</ul></nav>\n</header>\n<main>\n{body}\n</main>\n'
        f"<footer>{escape(words['footer'])}</footer>\n</body>\n</html>\n"
    )


def check_language(language: str) -> str:
    """Return the language, or raise Rejected (unknown) for one that is not ``en`` or ``zh``."""
    if language not in WORDS:
        raise refuse(RejectionReason.UNKNOWN, f"no language '{language}'", remedy="en or zh", field="language")
    return language


def source_line(grounds: Grounds, language: str) -> str:
    """Return what a figure stands on in one line: model, calibration, data, uncertainty, seed."""
    words = WORDS[language]
    data = ("、" if language == "zh" else ", ").join(said(one, language) for one in grounds.data)
    pairs = [("model", grounds.model), ("calibration", grounds.calibration), ("data", data),
             ("uncertainty", grounds.uncertainty),
             ("seed", "" if grounds.seed is None else str(grounds.seed))]  # fmt: skip
    colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
    parts = [f"{words[name]}{colon}{said(value, language)}" for name, value in pairs if value]
    return f"{words['source']}{colon}{stop.join(parts)}"


def source_note(grounds: Grounds, language: str) -> str:
    """Return the source line below several figures that share it."""
    return f'<p class="source">{escape(source_line(grounds, language))}</p>'


def shown(caption: str, chart: str, source: str, key: str = "", heading: str = "") -> str:
    """Return a chart with its heading and caption above, its key and its source line below."""
    head = f"<h3>{escape(heading)}</h3>\n" if heading else ""
    line = f'\n<p class="source">{escape(source)}</p>' if source else ""
    return f"<figure>\n{head}<figcaption>{escape(caption)}</figcaption>\n{chart}\n{key}{line}</figure>"


def unit_text(unit: str, language: str) -> str:
    """Return ``Unit: billion USD`` in the language."""
    colon = "：" if language == "zh" else ": "
    return f"{WORDS[language]['unit']}{colon}{name_of(unit, language)}"


def sentence(*parts: str, language: str) -> str:
    """Return parts that are sentences or become one each, joined as the language joins them."""
    stop, gap = ("。", "") if language == "zh" else (".", " ")
    return gap.join(part if part.endswith(stop) else f"{part}{stop}" for part in parts if part)


def told(text: str, language: str) -> str:
    """Return what a model says as HTML; English that has no Chinese is marked as English for readers and voices."""
    marked = escape(said(text, language))
    return marked if is_said(text, language) else f'<span lang="en">{marked}</span>'
