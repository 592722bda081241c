"""Goal: the economy's briefs say what the rows say, in both languages, and refuse rows that do not add up.

Method: made-up rows that add up, real runs of the models that ship, a parser for well-formedness, and faults.
"""

from __future__ import annotations

import itertools
import math
import re
from datetime import date
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from tsingma.app.economy_briefs import chain_figures, run_figures
from tsingma.app.economy_chain import read_scenario, run_chain, scenario_names
from tsingma.app.economy_run import causes_of, find_scenario, run_scenario
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.economy.chain.levers import LEVERS
from tsingma.economy.scenario import shipped_scenarios
from tsingma.reports import economy_names, economy_words
from tsingma.reports.economy_chain_brief import render_chain_brief
from tsingma.reports.economy_fan_brief import render_run_brief
from tsingma.reports.economy_figures import ChainFigures, RunFigures, SpilloverFigures
from tsingma.reports.economy_names import is_said, name_of, said
from tsingma.reports.economy_spillover_brief import render_spillover_brief
from tsingma.reports.fan_svg import Fan, fan
from tsingma.reports.flow_svg import HEIGHT, Band, Ribbon, flows, mark
from tsingma.reports.numbers import fixed, signed_percent, significant

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def chain() -> ChainFigures:
    found = run_chain("hbm-stop", None, year=None, layers=None, draws=5, seed=1)
    return chain_figures(read_scenario("hbm-stop")[1], found)


@pytest.fixture(scope="module")
def run() -> RunFigures:
    found = run_scenario(find_scenario("offshore-squeeze", "renminbi"), "renminbi", replications=200)
    return run_figures(found, causes_of(found.scenario, "renminbi"))


@pytest.fixture
def spillover() -> SpilloverFigures:
    table = ((80.0, 15.0, 5.0), (30.0, 60.0, 10.0), (2.0, 8.0, 90.0))
    return SpilloverFigures(
        paper="dy2012", source="a paper, table 2", names=("A <x>", "B", "C"), table=table,
        from_others=(20.0, 40.0, 10.0), to_others=(32.0, 23.0, 15.0), net=(12.0, -17.0, 5.0), total=70.0 / 3,
        published_total=23.3, published_table=table, largest_gap=0.03, tolerance=0.05, agrees=True, lags=4, horizon=10,
        decomposition="generalised", observations=2_771,
    )  # fmt: skip


def pages(chain: ChainFigures, run: RunFigures, spillover: SpilloverFigures, language: str) -> list[str]:
    return [render_chain_brief(chain, language), render_run_brief(run, language),
            render_spillover_brief(spillover, language)]  # fmt: skip


def parsed(page: str) -> ElementTree.Element:
    """Read a page as XML: its void elements are closed first, nothing else may be open."""
    text = page.removeprefix("<!DOCTYPE html>\n")
    return ElementTree.fromstring(re.sub(r"<meta ([^>]*)>", r"<meta \1/>", text))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_are_well_formed_and_ask_for_nothing(
    chain: ChainFigures, run: RunFigures, spillover: SpilloverFigures, language: str
) -> None:
    for page in pages(chain, run, spillover, language):
        root = parsed(page)
        assert root.attrib["lang"] == {"en": "en", "zh": "zh-Hant-HK"}[language]
        assert not re.search(r"<script|<link|<img|<iframe|https?://|@import|url\(|javascript:| on\w+=", page)
        assert "default-src 'none'" in page
        identities = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
        assert len(identities) == len(set(identities))
        for chart in (one for one in root.iter("svg") if one.attrib.get("role") == "img"):
            assert [child.tag for child in chart][:2] == ["title", "desc"]
            assert all(child.text for child in list(chart)[:2])
            assert set(chart.attrib["aria-labelledby"].split()) <= set(identities)
        for figure in root.iter("figure"):
            caption = figure.find("figcaption")
            assert caption is not None
            assert caption.text


def test_pages_are_the_same_bytes_for_the_same_figures(
    chain: ChainFigures, run: RunFigures, spillover: SpilloverFigures
) -> None:
    for language in ("en", "zh"):
        assert pages(chain, run, spillover, language) == pages(chain, run, spillover, language)


def test_every_word_is_there_in_both_languages() -> None:
    for table in (economy_words.WORDS, economy_names.NAMES):
        assert table["en"].keys() == table["zh"].keys()
        for name, english in table["en"].items():
            chinese = table["zh"][name]
            assert english, name
            assert chinese, name
            assert not CHINESE.search(english), name
            assert CHINESE.search(chinese) or not re.search(r"[A-Za-z]{3}", english), name


def test_what_ships_has_its_chinese(chain: ChainFigures, run: RunFigures) -> None:
    for note in chain.notes:
        assert is_said(note, "zh"), note
    homes = run_scenario(find_scenario("homes-baseline", "property"), "property", replications=20)
    for grounds in (chain.grounds, run.grounds, run_figures(homes, causes_of(homes.scenario, "property")).grounds):
        for text in (grounds.model, grounds.calibration, grounds.uncertainty, *grounds.data):
            assert is_said(text, "zh"), text
    for name in scenario_names():
        assert is_said(read_scenario(name)[1].description, "zh"), name
    for unit in (lever.unit for lever in LEVERS.values()):
        assert unit in economy_names.NAMES["zh"]
    for scenario in shipped_scenarios().values():
        for shock in scenario.shock:
            assert is_said(shock.recorded().why, "zh"), shock.why
            assert name_of(shock.name, "zh") != shock.name
            assert shock.unit in economy_names.NAMES["zh"]
        for lever in scenario.lever:
            assert lever.name.startswith("duty_") or name_of(lever.name, "zh") != lever.name
    for fan_row in run.fans:
        assert name_of(fan_row.indicator, "zh") != fan_row.indicator
        assert fan_row.unit in economy_names.NAMES["zh"]


def test_a_sentence_without_its_chinese_is_marked_as_english(chain: ChainFigures) -> None:
    odd = msgspec.structs.replace(chain, notes=("a note nobody knows & <so>",))
    assert '<span lang="en">a note nobody knows &amp; &lt;so&gt;</span>' in render_chain_brief(odd, "zh")
    assert said("KOR core", "zh") == "韓國核心地帶"
    assert name_of("KOR core hbm", "en") == "Korea core high-bandwidth memory"


def test_chain_rows_add_up_to_the_dividends_and_the_output(chain: ChainFigures) -> None:
    result = run_chain("hbm-stop", None, year=None, layers=None, draws=0, seed=1)
    for layer in result.concentration:
        rows = [row for row in chain.dividends if row.layer == layer.layer]
        assert math.isclose(sum(row.before for row in rows), layer.dividends_before, rel_tol=1e-9)
        assert math.isclose(sum(row.after for row in rows), layer.dividends_after, rel_tol=1e-9)
    page = render_chain_brief(chain)
    sold = sum(row.after for row in chain.flows if row.layer == "upstream")
    assert f"Upstream, after: {fixed(sold, 1)}" in page


def test_levers_are_named_with_whom_they_are_for(chain: ChainFigures) -> None:
    scenario = read_scenario("eda-ban")[1]
    (lever,) = chain_figures(scenario, run_chain("eda-ban", None, year=None, layers=None, draws=0, seed=1)).levers
    page = render_chain_brief(msgspec.structs.replace(chain, levers=(lever,)), "zh")
    row = page.split('<section id="levers"')[1].split("</tbody>")[0]
    assert all(word in row for word in ("出口管制", "1,000", "貿易成本，倍", "設計工具", "美國", "中國內地"))


def test_ribbons_fill_their_bands() -> None:
    left, right = [Band("a", "A", "from", "c0"), Band("b", "B", "from", "c1")], [Band("x", "X", "to", "node")]
    ribbons = [Ribbon("a", "x", 30.0, 60.0, "a"), Ribbon("b", "x", 70.0, 40.0, "b")]
    drawn = flows("map", "title", "text", left, right, ribbons, 100.0, compare=True)
    paths = re.findall(r'class="ribbon c\d( \w+)?" d="M0 ([\d.]+) .*?0 ([\d.]+) Z"', drawn)
    assert [kind for kind, _, _ in paths] == [" shrank", " grew"]
    for (_, top, foot), part in zip(paths, (0.3, 0.7), strict=True):
        assert math.isclose(float(foot) - float(top), part * HEIGHT, abs_tol=0.02)
    assert "▼ −50 %" in drawn
    assert "▲ +75 %" in drawn
    before = flows("map", "title", "text", left, right, ribbons, 100.0, compare=False)
    assert "▼" not in before
    assert "shrank" not in before
    with pytest.raises(ValueError, match="no band for a flow from 'a' to 'nowhere'"):
        flows("map", "title", "text", left, right, [Ribbon("a", "nowhere", 1.0, 1.0, "")], 1.0, compare=False)


def test_marks_are_for_changes_alone() -> None:
    assert mark(100.5, 100.0) == ""
    assert mark(5.0, 0.0) == ""
    assert mark(23.0, 100.0) == "▼ −77 %"
    assert mark(1.05, 1.0) == "▲ +5.0 %"


def test_fan_bands_are_ordered_inside_the_axis(run: RunFigures) -> None:
    one = run.fans[0]
    drawn = fan("fan", "t", "d", Fan(one.dates, one.levels, one.values, one.path), lambda value: f"{value:g}")
    bands = re.findall(r'class="band band-(\d)" points="([^"]+)"', drawn)
    assert [place for place, _ in bands] == ["0", "1", "2"]
    dates = len(one.dates)
    outer = None
    for _, points in bands:
        pairs = np.array([[float(x) for x in point.split(",")] for point in points.split()])
        top, foot = pairs[:dates, 1], pairs[dates:, 1][::-1]
        assert (top <= foot + 0.02).all()
        assert (pairs[:, 1] >= 0).all()
        assert (pairs[:, 1] <= 240).all()
        if outer is not None:
            assert (outer[0] <= top + 0.02).all()
            assert (outer[1] >= foot - 0.02).all()
        outer = top, foot
    with pytest.raises(ValueError, match="odd number of levels"):
        fan("fan", "t", "d", Fan(one.dates, one.levels[1:], one.values[1:], one.path), str)


@pytest.mark.parametrize("end", [(1.0, 1.001, 1.002), (9.998, 9.999, 10.0), (4.0, 4.001, 7.0)])
def test_figures_at_the_edge_lie_apart_inside_the_picture(end: tuple[float, ...]) -> None:
    days = (date(2026, 1, 31), date(2026, 2, 28))
    shown = Fan(days, (0.05, 0.5, 0.95), tuple((10.0 if end[0] < 5 else 1.0, value) for value in end), (5.0, end[1]))
    drawn = fan("fan", "t", "d", shown, lambda value: f"{value:g}")
    places = [float(y) for y in re.findall(r'class="label small" x="[\d.]+%" y="([\d.]+)"', drawn)]
    assert len(places) == 3
    assert all(after - before >= 14.9 for before, after in itertools.pairwise(places))
    assert places[0] > 0
    assert places[-1] <= 240 - 20


def test_a_fan_of_one_number_is_drawn() -> None:
    days = (date(2026, 1, 31), date(2026, 2, 28))
    flat = Fan(days, (0.05, 0.5, 0.95), ((0.0, 0.0),) * 3, (0.0, 0.0), ((date(2026, 2, 15), 0.0),))
    drawn = fan("fan", "t", "d", flat, lambda value: f"{value:g}")
    assert "nan" not in drawn
    assert drawn.count("<circle") == 1


def test_what_came_is_a_ring_and_a_row(run: RunFigures) -> None:
    day = run.fans[0].dates[2]
    first = msgspec.structs.replace(run.fans[0], observed=((day, 0.031),))
    page = render_run_brief(msgspec.structs.replace(run, fans=(first, *run.fans[1:])))
    assert f"{day.isoformat()}: 3.10" in page
    assert "What came (never fitted)" in page
    assert "What came" not in render_run_brief(run)


def test_bands_out_of_order_are_refused(run: RunFigures) -> None:
    one = run.fans[0]
    turned = msgspec.structs.replace(one, values=tuple(reversed(one.values)))
    with pytest.raises(InvariantBroken, match="out of order"):
        render_run_brief(msgspec.structs.replace(run, fans=(turned,)))
    with pytest.raises(InvariantBroken, match="a number for each"):
        render_run_brief(msgspec.structs.replace(run, fans=(msgspec.structs.replace(one, path=one.path[1:]),)))


def test_parts_that_do_not_add_up_are_refused(
    chain: ChainFigures, run: RunFigures, spillover: SpilloverFigures
) -> None:
    with pytest.raises(InvariantBroken, match="at the end"):
        render_run_brief(msgspec.structs.replace(run, with_all=run.with_all + 1.0))
    wrong = msgspec.structs.replace(chain.reasons[0], factor_income=chain.reasons[0].factor_income + 0.1)
    with pytest.raises(InvariantBroken, match="real income"):
        render_chain_brief(msgspec.structs.replace(chain, reasons=(wrong,)))
    arm = msgspec.structs.replace(chain.spread[0], k=chain.spread[0].k + 0.1)
    with pytest.raises(InvariantBroken, match="K of"):
        render_chain_brief(msgspec.structs.replace(chain, spread=(arm,)))
    with pytest.raises(InvariantBroken, match="total spillover"):
        render_spillover_brief(msgspec.structs.replace(spillover, total=30.0))
    with pytest.raises(InvariantBroken, match="B net"):
        render_spillover_brief(msgspec.structs.replace(spillover, net=(12.0, 17.0, 5.0)))


def test_another_language_is_refused(chain: ChainFigures, run: RunFigures, spillover: SpilloverFigures) -> None:
    for render in (lambda: render_chain_brief(chain, "fr"), lambda: render_run_brief(run, "fr"),
                   lambda: render_spillover_brief(spillover, "fr")):  # fmt: skip
        with pytest.raises(Rejected, match="no language 'fr'"):
            render()


def test_spillover_cells_are_figures_and_names_are_escaped(spillover: SpilloverFigures) -> None:
    page = render_spillover_brief(spillover)
    body = page.split("</thead>")[1].split("</tbody>")[0]
    cells = re.findall(r'<td class="(own|h\d|edge)">([\d.]+)</td>', body)
    assert [float(cell) for kind, cell in cells if kind != "edge"] == [cell for row in spillover.table for cell in row]
    assert [kind for kind, _ in cells].count("own") == 3
    assert "A &lt;x&gt;" in page
    assert "A <x>" not in page


def test_numbers_as_text() -> None:
    assert significant(22_881.4) == "22,881"
    assert significant(-0.026491, 3) == "−0.0265"
    assert significant(0.0) == "0"
    assert fixed(-0.0001, 3) == "0.000"
    assert fixed(0.5, 2, sign=True) == "+0.50"
    assert signed_percent(-0.7721) == "−77 %"
    assert signed_percent(0.0499) == "+5.0 %"
