"""Who earns the chain, in the chain brief: dividends by country, layer, zone and tier, and what leaks abroad."""

from __future__ import annotations

from collections.abc import Sequence

from tsingma.reports.change_svg import MoveRow, moves
from tsingma.reports.clearing_sections import section
from tsingma.reports.economy_figures import ChainFigures, DividendRow
from tsingma.reports.economy_names import name_of
from tsingma.reports.economy_page import sentence, shown, source_note, unit_text
from tsingma.reports.economy_words import WORDS
from tsingma.reports.numbers import fixed, signed_percent
from tsingma.reports.svg import BarRow, Segment, bars, legend
from tsingma.reports.tables import Column, details, table, text_column

COUNTRIES_SHOWN = 12
OUTSIDE = "rest"  # the layer that is no part of the chain
_COLOURS = {("core", "leaders"): "c0", ("core", "small"): "c1", ("whole", "leaders"): "c0", ("whole", "small"): "c1",
            ("periphery", "leaders"): "c3", ("periphery", "small"): "c5"}  # fmt: skip
_THOUSANDTHS = 1_000  # bars are drawn from whole numbers


def dividends_section(figures: ChainFigures, language: str) -> str:
    """Return a picture for each layer of the chain, the sums by country, and every cell."""
    words = WORDS[language]
    layers = [one for one in dict.fromkeys(row.layer for row in figures.dividends) if one != OUTSIDE]
    pictures = [_layer(figures, layer, language) for layer in layers]
    key = legend([*_groups(figures.dividends, language), ("tick-key", words["before"])])
    source = source_note(figures.grounds, language)
    columns = [text_column(words["layer"]), Column(f"{words['hhi']}, {words['before'].lower()}"),
               Column(f"{words['hhi']}, {words['after'].lower()}")]  # fmt: skip
    packed = table(words["hhi"], columns, [[name_of(one.layer, language), fixed(one.hhi_before, 4),
                                            fixed(one.hhi_after, 4)] for one in figures.concentration])  # fmt: skip
    return section("dividends", words["dividends"], words["dividends_lead"], *pictures, key, source,
                   _by_country(figures, layers, language), packed, _cells(figures.dividends, language))  # fmt: skip


def _group(zone: str, tier: str, language: str) -> str:
    gap = "" if language == "zh" else " "
    tail = name_of(tier, language)
    return f"{name_of(zone, language)}{gap}{tail if language == 'zh' else tail.lower()}"


def _groups(rows: Sequence[DividendRow], language: str) -> list[tuple[str, str]]:
    """Return each colour with the groups that have it: the core, and countries that are whole, share theirs."""
    found: dict[str, list[str]] = {}
    for (zone, tier), colour in _COLOURS.items():
        if any((row.zone, row.tier) == (zone, tier) for row in rows):
            found.setdefault(colour, []).append(_group(zone, tier, language))
    return [(colour, " / ".join(names)) for colour, names in found.items()]


def _layer(figures: ChainFigures, layer: str, language: str) -> str:
    words = WORDS[language]
    rows = []
    for country in _countries(figures.dividends)[:COUNTRIES_SHOWN]:
        mine = [row for row in figures.dividends if (row.country, row.layer) == (country, layer)]
        before, after = sum(row.before for row in mine), sum(row.after for row in mine)
        if before <= 0 and after <= 0:
            continue
        pieces = tuple(
            Segment(round(_THOUSANDTHS * row.after), _COLOURS[row.zone, row.tier],
                    f"{_group(row.zone, row.tier, language)}: {fixed(row.before, 2)} → {fixed(row.after, 2)}")
            for row in mine
        )  # fmt: skip
        change = signed_percent(after / before - 1.0) if before > 0 else "–"
        rows.append(BarRow(name_of(country, language), pieces, f"{fixed(after, 1)} ({change})",
                           marker=round(_THOUSANDTHS * before)))  # fmt: skip
    caption = sentence(words["dividends_caption"], unit_text(figures.unit, language), language=language)
    chart = bars(f"dividends-{layer}", name_of(layer, language), caption, rows)
    return shown(caption, chart, "", heading=name_of(layer, language))


def _countries(rows: Sequence[DividendRow]) -> list[str]:
    return list(dict.fromkeys(row.country for row in rows))


def _by_country(figures: ChainFigures, layers: Sequence[str], language: str) -> str:
    words = WORDS[language]
    columns = [text_column(words["country"]), text_column(words["layer"]), Column(words["before"]),
               Column(words["after"]), Column(words["change"])]  # fmt: skip
    rows = []
    for country in _countries(figures.dividends):
        for layer in (*layers, OUTSIDE):
            mine = [row for row in figures.dividends if (row.country, row.layer) == (country, layer)]
            rows.append([name_of(country, language), name_of(layer, language),
                         *_pair(sum(row.before for row in mine), sum(row.after for row in mine))])  # fmt: skip
    whole = _pair(sum(row.before for row in figures.dividends), sum(row.after for row in figures.dividends))
    caption = sentence(words["dividends"], unit_text(figures.unit, language), language=language)
    return table(caption, columns, rows, [[words["total"], "", *whole]])


def _cells(rows: Sequence[DividendRow], language: str) -> str:
    words = WORDS[language]
    heads = [text_column(words[name]) for name in ("country", "layer", "zone", "tier")]
    columns = [*heads, *(Column(words[name]) for name in ("before", "after", "change"))]
    cells = [[name_of(part, language) for part in (row.country, row.layer, row.zone, row.tier)]
             + _pair(row.before, row.after) for row in rows]  # fmt: skip
    return details(words["dividends_cells"], table(words["dividends_cells"], columns, cells))


def _pair(before: float, after: float) -> list[str]:
    change = signed_percent(after / before - 1.0) if before > 0 else "–"
    return [fixed(before, 3), fixed(after, 3), change]


def leakage_section(figures: ChainFigures, language: str) -> str:
    """Return foreign shares before and after by layer, and rent that foreign owners take where it is known."""
    words = WORDS[language]
    pictures = []
    for layer in dict.fromkeys(row.layer for row in figures.leaks):
        rows = [
            MoveRow(name_of(one.country, language), one.before, one.after,
                    f"{fixed(100 * one.before, 1)} → {fixed(100 * one.after, 1)} %")
            for one in [row for row in figures.leaks if row.layer == layer][:COUNTRIES_SHOWN]
        ]  # fmt: skip
        chart = moves(f"leak-{layer}", name_of(layer, language), words["leakage_caption"], rows)
        pictures.append(shown(words["leakage_caption"], chart, "", heading=name_of(layer, language)))
    key = legend([("ring-key", words["before"]), ("dot-key", words["after"])])
    source = source_note(figures.grounds, language)
    columns = [text_column(words["country"]), text_column(words["layer"]), Column(f"{words['before']}, %"),
               Column(f"{words['after']}, %"), Column(words["change"])]  # fmt: skip
    cells = [[name_of(one.country, language), name_of(one.layer, language), fixed(100 * one.before, 3),
              fixed(100 * one.after, 3), fixed(100 * (one.after - one.before), 3, sign=True)]
             for one in figures.leaks]  # fmt: skip
    return section("leakage", words["leakage"], words["leakage_lead"], *pictures, key, source,
                   table(words["leakage_caption"], columns, cells), _rent(figures, language))  # fmt: skip


def _rent(figures: ChainFigures, language: str) -> str:
    if not figures.rent_leakage:
        return ""
    words = WORDS[language]
    columns = [text_column(words["country"]), Column(words["before"]), Column(words["after"]), Column(words["change"])]
    cells = [[name_of(country, language), *_pair(*lost)] for country, lost in figures.rent_leakage.items()]
    return table(sentence(words["rent_leakage"], unit_text(figures.unit, language), language=language), columns, cells)
