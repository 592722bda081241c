"""The maps of the chain brief: one layer a pair of pictures, before and after on one scale, and every flow."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_figures import ChainFigures, FlowRow
from tsingma.reports.economy_names import name_of
from tsingma.reports.economy_page import sentence, shown, source_note, unit_text
from tsingma.reports.economy_words import WORDS
from tsingma.reports.flow_svg import Band, Ribbon, flows, mark
from tsingma.reports.numbers import fixed, signed_percent
from tsingma.reports.style import COMPONENT_COLOURS
from tsingma.reports.svg import legend
from tsingma.reports.tables import Column, details, table, text_column

COUNTRIES_SHOWN = 6  # the largest; the others are one band
CELLS_SHOWN = 400  # rows of the table of every flow, the largest first
LEAST_PART = 0.002  # of a layer's sales: smaller flows are not drawn
OTHERS = "others"
_USES = ("upstream", "midstream", "downstream", "rest", "final")  # down the chain, then out of it


def flows_section(figures: ChainFigures, language: str) -> str:
    """Return the maps of every layer that sells something, and the sums by use and by flow."""
    words = WORDS[language]
    layers = list(dict.fromkeys(row.layer for row in figures.flows))
    kept = _largest(figures.flows)
    maps = [_layer(figures, layer, kept, language) for layer in layers]
    lead = sentence(words["flows_lead"], words["flows_marks"], words["flows_small"], language=language)
    return section("flows", words["flows"], lead, *maps, _by_use(figures, layers, language),
                   _cells(figures.flows, language))  # fmt: skip


def _layer(figures: ChainFigures, layer: str, kept: Sequence[str], language: str) -> str:
    words = WORDS[language]
    rows = _folded([row for row in figures.flows if row.layer == layer], kept)
    largest = max(sum(max(row.before, 0.0) for row in rows), sum(max(row.after, 0.0) for row in rows))
    drawn = [row for row in rows if max(row.before, row.after) >= LEAST_PART * largest]
    left, right = _bands(drawn, kept, language)
    caption = sentence(words["flows_caption"], unit_text(figures.unit, language), language=language)
    pictures = []
    for when in ("before", "after"):
        ribbons = [
            Ribbon(start=row.seller, end=f"{row.use} {row.buyer}", size=max(getattr(row, when), 0.0),
                   before=max(row.before, 0.0), title=_told(row, language))
            for row in drawn
        ]  # fmt: skip
        total = fixed(sum(getattr(row, when) for row in rows), 1)
        heading = f"{name_of(layer, language)}, {words[when].lower()}: {total}"
        if language == "zh":
            heading = f"{name_of(layer, language)}，{words[when]}：{total}"
        chart = flows(f"flow-{layer}-{when}", heading, caption, left, right, ribbons, largest,
                      compare=when == "after")  # fmt: skip
        pictures.append(shown(caption, chart, "", heading=heading))
    key = legend([*((band.colour, band.label) for band in left), ("solid-edge", words["grew"]),
                  ("dashed-edge", words["shrank"])])  # fmt: skip
    source = source_note(figures.grounds, language)
    return f'<div class="pair">{"".join(pictures)}</div>\n{key}\n{source}'


def _told(row: FlowRow, language: str) -> str:
    """Return a flow in words: from, to and use, before, after and the change."""
    ends = f"{name_of(row.seller, language)} → {name_of(row.buyer, language)}"
    change = mark(row.after, row.before)
    sizes = f"{fixed(row.before, 2)} → {fixed(row.after, 2)}"
    stop = "，" if language == "zh" else ", "
    return stop.join(part for part in (ends, name_of(row.use, language), sizes, change) if part)


def _largest(rows: Sequence[FlowRow]) -> list[str]:
    """Return the countries that are drawn by name, in the order of the table."""
    size: dict[str, float] = {}
    for row in rows:
        for country in (row.seller, row.buyer):
            size[country] = size.get(country, 0.0) + max(row.before, row.after)
    first = set(sorted(size, key=lambda one: -size[one])[:COUNTRIES_SHOWN])
    return [country for country in size if country in first]


def _folded(rows: Sequence[FlowRow], kept: Sequence[str]) -> list[FlowRow]:
    """Return the flows with the countries that are not kept as one, the same on both sides."""
    sums: dict[tuple[str, str, str, str], list[float]] = {}
    for row in rows:
        ends = [one if one in kept else OTHERS for one in (row.seller, row.buyer)]
        cell = sums.setdefault((ends[0], row.layer, ends[1], row.use), [0.0, 0.0])
        cell[0] += row.before
        cell[1] += row.after
    return [
        FlowRow(seller=key[0], layer=key[1], buyer=key[2], use=key[3], before=cell[0], after=cell[1])
        for key, cell in sums.items()
    ]


def _bands(rows: Sequence[FlowRow], kept: Sequence[str], language: str) -> tuple[list[Band], list[Band]]:
    """Return makers and buyers that have a flow to draw; a country has the same colour in every map."""
    words, sellers = WORDS[language], {row.seller for row in rows}
    named = {one: words["others"] if one == OTHERS else name_of(one, language) for one in (*kept, OTHERS)}
    left = [Band(one, named[one], words["makers"], COMPONENT_COLOURS[place % len(COMPONENT_COLOURS)])
            for place, one in enumerate(named) if one in sellers]  # fmt: skip
    uses = sorted({row.use for row in rows}, key=_USES.index)
    ends = dict.fromkeys((row.use, row.buyer) for row in rows)
    right = [Band(f"{use} {buyer}", named[buyer], name_of(use, language), "node")
             for use in uses for buyer in named if (use, buyer) in ends]  # fmt: skip
    return left, right


def _by_use(figures: ChainFigures, layers: Sequence[str], language: str) -> str:
    words = WORDS[language]
    sums: dict[tuple[str, str], list[float]] = {}
    for row in figures.flows:
        cell = sums.setdefault((row.layer, row.use), [0.0, 0.0])
        cell[0] += row.before
        cell[1] += row.after
    columns = [text_column(words["layer"]), text_column(words["use"]), Column(words["before"]), Column(words["after"]),
               Column(words["change"])]  # fmt: skip
    rows = [
        [name_of(layer, language), name_of(use, language), *_pair(*cell)]
        for (layer, use), cell in sorted(sums.items(), key=lambda one: tuple(map(_USES.index, one[0])))
    ]
    foot = []
    for layer in layers:
        both = [sum(cell[place] for (one, _), cell in sums.items() if one == layer) for place in (0, 1)]
        foot.append([name_of(layer, language), words["total"], *_pair(*both)])
    return table(sentence(words["flows_table"], unit_text(figures.unit, language), language=language), columns, rows,
                 foot)  # fmt: skip


def _cells(rows: Sequence[FlowRow], language: str) -> str:
    words = WORDS[language]
    chosen = sorted(rows, key=lambda row: -max(row.before, row.after))[:CELLS_SHOWN]
    heads = [text_column(words[name]) for name in ("makers", "layer", "buyers", "use")]
    columns = [*heads, *(Column(words[name]) for name in ("before", "after", "change"))]
    cells = [[name_of(row.seller, language), name_of(row.layer, language), name_of(row.buyer, language),
              name_of(row.use, language), *_pair(row.before, row.after)] for row in chosen]  # fmt: skip
    return details(f"{words['flows_cells']} ({len(chosen)} / {len(rows)})", table(words["flows_cells"], columns, cells))


def _pair(before: float, after: float) -> list[str]:
    change = signed_percent(after / before - 1.0) if before > 0 else "–"
    return [fixed(before, 3), fixed(after, 3), change]
