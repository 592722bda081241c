"""A brief of a published spillover table computed again: a heat table with its figures, the net, and the gaps."""

from __future__ import annotations

from html import escape

from tsingma.reports.change_svg import ChangeRow, Part, changes
from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_figures import SpilloverFigures, check_spillover
from tsingma.reports.economy_page import check_language, page, shown
from tsingma.reports.economy_words import WORDS
from tsingma.reports.numbers import fixed
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.tables import Column, details, table, text_column

SHADES = 4
WIDE = 10  # markets from which a table is set smaller


def render_spillover_brief(figures: SpilloverFigures, language: str = "en") -> str:
    """Return the brief; the same bytes for the same figures.

    Raises Rejected (unknown) for another language, InvariantBroken where a row is not 100 % or margins do not add up.
    """
    words = WORDS[check_language(language)]
    check_spillover(figures)
    sections = [
        ("table", words["spillover"], _table(figures, language)),
        ("net", words["net"], _net(figures, language)),
        ("published", words["published"], _published(figures, language)),
    ]
    gap = "" if language == "zh" else " "
    return page(f"{words['spillover_title']}{gap}{figures.paper}", figures.source, sections, language)


def _source(figures: SpilloverFigures, language: str) -> str:
    words = WORDS[language]
    gap = "" if language == "zh" else " "
    colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
    way = words.get(figures.decomposition, figures.decomposition)
    parts = [
        f"{words['model']}{colon}{words['var']}", f"{figures.lags}{gap}{words['lags']}",
        f"{words['horizon']}{colon}{figures.horizon}",
        way, f"{figures.observations:,}{gap}{words['rows_read']}", f"{words['data']}{colon}{figures.source}",
    ]  # fmt: skip
    return f"{words['source']}{colon}{stop.join(parts)}"


def _table(figures: SpilloverFigures, language: str) -> str:
    words = WORDS[language]
    size = len(figures.names)
    largest = max(cell for i, row in enumerate(figures.table) for k, cell in enumerate(row) if i != k)
    heads = "".join(f'<th scope="col" class="number">{escape(name)}</th>'
                    for name in (*figures.names, words["from_others"]))  # fmt: skip
    rows = "\n".join(
        f'<tr><th scope="row">{escape(figures.names[i])}</th>'
        + "".join(_cell(cell, largest, own=i == k) for k, cell in enumerate(row))
        + f'<td class="edge">{fixed(figures.from_others[i], 1)}</td></tr>'
        for i, row in enumerate(figures.table)
    )
    edges = "\n".join(
        f'<tr><th scope="row">{escape(words[name])}</th>'
        + "".join(f'<td class="edge">{fixed(cell, 1)}</td>' for cell in cells)
        + f'<td class="edge">{last}</td></tr>'
        for name, cells, last in (
            ("to_others", figures.to_others, fixed(figures.total, 2)),
            ("net", figures.net, "–"),
        )
    )
    kind = "heat wide" if size >= WIDE else "heat"
    grid = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(words["spillover"])}">\n'
        f'<table class="{kind}"><caption>{escape(words["spillover"])}, %</caption>\n'
        f'<thead><tr><th scope="col">{escape(words["of_market"])}</th>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n<tfoot>\n{edges}\n</tfoot></table></div>\n"
        f'<p class="source">{escape(_source(figures, language))}</p>'
    )
    return section("table", words["spillover"], words["spillover_lead"], grid)


def _cell(value: float, largest: float, *, own: bool) -> str:
    shade = 0 if own else min(round(SHADES * value / max(largest, 1e-9)), SHADES)
    kind = "own" if own else f"h{shade}"
    return f'<td class="{kind}">{fixed(value, 1)}</td>'


def _net(figures: SpilloverFigures, language: str) -> str:
    words = WORDS[language]
    order = sorted(range(len(figures.names)), key=lambda place: -figures.net[place])
    rows = [
        ChangeRow(figures.names[place], (Part(figures.net[place], COMPONENT_COLOURS[0 if figures.net[place] > 0 else 4],
                  fixed(figures.net[place], 2, sign=True)),), figures.net[place],
                  fixed(figures.net[place], 2, sign=True))
        for place in order
    ]  # fmt: skip
    chart = changes("net-chart", words["net"], words["net_caption"], rows)
    columns = [text_column(words["of_market"]), *(Column(words[name]) for name in ("from_others", "to_others", "net"))]
    cells = [[figures.names[place], *(fixed(row[place], 2) for row in
                                      (figures.from_others, figures.to_others, figures.net))]
             for place in order]  # fmt: skip
    return section("net", words["net"], words["net_caption"],
                   shown(words["net_caption"], chart, _source(figures, language)),
                   table(words["numbers"], columns, cells))  # fmt: skip


def _published(figures: SpilloverFigures, language: str) -> str:
    words = WORDS[language]
    verdict = words["agrees"] if figures.agrees else words["differs"]
    pairs = [
        (words["spill_total"], fixed(figures.total, 4)), (words["spill_published"], f"{figures.published_total:g}"),
        (words["largest_gap"], fixed(figures.largest_gap, 4)), (words["tolerance"], f"{figures.tolerance:g}"),
        (words["verdict"], verdict),
    ]  # fmt: skip
    parts = [table(words["published"], [text_column(words["measure"]), Column(words["total"])],
                   [list(pair) for pair in pairs])]  # fmt: skip
    if figures.published_table:
        columns = [text_column(words["of_market"]), *map(Column, figures.names)]
        gaps = [
            [name, *(fixed(ours - printed, 3, sign=True) for ours, printed in zip(row, paper, strict=True))]
            for name, row, paper in zip(figures.names, figures.table, figures.published_table, strict=True)
        ]
        parts.append(details(words["gaps"], table(words["gaps"], columns, gaps)))
    return section("published", words["published"], words["published_lead"] if figures.published_table else verdict,
                   *parts)  # fmt: skip
