"""Stories of the regulator and the economist in Chromium: both languages, with and without scripts, by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_house import PASSWORD
from browser_pages import Visitor

Visit = Callable[..., Visitor]
WAYS = [(language, scripts) for language in ("en", "zh-Hant") for scripts in (True, False)]
HOUSES = ("HKSCC", "HKCC", "SEOCH", "OTC Clear")


def number(text: str) -> int:
    """Return the whole number of a cell."""
    return int(text.replace(",", "").replace("\u2212", "-").replace("–", "0"))


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_regulator_compares_houses_and_moves_the_market(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: houses side by side, then a harsher index loses more, with what it stands on. Method: sign in by the form,
    follow the menu, read the table, set the index by slider or number, run, compare the figures.
    """
    reader = visit("", language=language, scripts=scripts)
    reader.open("/console/sign-in?next=/console/houses")
    reader.page.fill("#name", "regulator")
    reader.page.fill("#password", PASSWORD)
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_url(lambda address: "sign-in" not in address)
    words = reader.words
    rows = {row[0]: row[1:] for row in reader.rows(words("houses.compared"))}
    assert reader.page.locator("table thead").first.inner_text().split("\t")[1:5] == list(HOUSES)
    for alone, credit, joint in zip(
        *(map(number, rows[words(f"houses.{name}")]) for name in ("margin", "credit", "joint")), strict=True
    ):
        assert joint == alone - credit
    assert sum(map(number, rows[words("houses.margin")][:4])) == number(rows[words("houses.margin")][4]) > 0
    reader.follow(words("page.stress.title"), ".menu")
    assert words("asking.calibration") in reader.text("#answer .grounds")
    reader.page.select_option("#scenario", "chosen")
    losses = {}
    for index in ("-10", "-40"):
        reader.page.fill("#index", index)
        if scripts:
            slider = reader.page.locator(".slider", has=reader.page.locator("#index")).locator("input[type=range]")
            assert float(slider.input_value()) == float(index)
        reader.ask(words("asking.run"), f"index={index}")
        houses = reader.page.locator("#answer table").first.locator("tbody tr").all()
        losses[index] = sum(number(row.locator("td").first.inner_text()) for row in houses)
    assert losses["-40"] > 2 * losses["-10"] > 0
    other = "zh-Hant" if language == "en" else "en"
    reader.page.locator(f".switches a[lang={other}]").click()  # the question stays when the language changes
    reader.page.locator(f"html[lang={other}]").wait_for()
    assert reader.page.locator("#index").input_value() == "-40"


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_an_economist_stops_a_choke_point_and_reads_the_claims(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: shock, both arms of the K, claims. Method: foundries of Taiwan stop for six months; the map, the arms and
    the days are there with their grounds; the claims with one result alone.
    """
    reader = visit("auditor", language=language, scripts=scripts).open("/console")
    words = reader.words
    reader.follow(words("page.chain.title"), ".menu")
    reader.page.select_option("#scenario", "choke")
    reader.page.select_option("#maker", "foundry:TWN")
    reader.page.fill("#months", "6")
    reader.ask(words("asking.run"), "months=6")
    for anchor, drawn in (
        ("k", "polyline.upper-arm"),
        ("flows", "path.ribbon"),
        ("dividends", "rect"),
        ("days", "rect"),
    ):
        assert reader.page.locator(f"#{anchor} svg {drawn}").count() > 0, anchor
    assert reader.page.locator("#k table").first.locator("tbody tr").count() >= 3
    for name in ("model", "calibration", "data", "uncertainty"):
        assert words(f"asking.{name}") in reader.text("#answer .grounds")
    reader.follow(words("page.claims.title"), ".menu")
    reader.page.select_option("#result", "not_supported")
    reader.page.get_by_role("button", name=words("claims.filter")).click()
    reader.page.wait_for_url("**result=not_supported**")
    shown = reader.page.locator("#register ~ tbody tr, table tbody tr")
    told = shown.locator("td").first.inner_text()
    assert words("claims.result_name.not_supported") in told
    assert words("claims.shown", count=shown.count()) in reader.text("main")


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("zh-Hant", False)])
def test_an_economist_doubles_the_pool_and_asks_for_a_duty(visit: Visit, language: str, scripts: bool) -> None:
    """Goal: levers move the fans, duty is to the dollar. Method: the pool doubled starts twice as large; a home of HKD
    12 million bears HKD 450,000 from 26 February 2026 (Budget 2026-27).
    """
    reader = visit("regulator", language=language, scripts=scripts).open("/console/economy/renminbi")
    words = reader.words

    def pool_at_start() -> float:
        row = reader.page.locator("#summary tbody tr").nth(6).locator("td").first
        return float(row.inner_text().replace(",", ""))

    once = pool_at_start()
    reader.page.fill("#pool", "2")
    reader.ask(words("asking.run"), "pool=2")
    assert pool_at_start() == 2 * once
    assert reader.page.locator("#fans svg polygon.band").count() >= 3 * 6
    reader.follow(words("page.property.title"), ".menu")
    reader.page.fill("#price", "12000000")
    reader.page.fill("#on", "2026-03-01")
    reader.page.get_by_role("button", name=words("property.ask_duty")).click()
    reader.page.wait_for_url("**price=12000000**")
    assert "HK$450,000.00" in reader.text("#duty")


def test_the_cursor_reads_what_the_table_says(visit: Visit) -> None:
    """Goal: the enhancement tells no other figure. Method: the pointer at the right edge of a chart, its last row."""
    reader = visit("regulator").open("/console/economy/property")
    figure = reader.page.locator("#fans figure").first
    over = figure.locator(".cursor .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    reader.page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    told = figure.locator(".u-legend .u-value").all_inner_texts()
    last = reader.page.locator("#fans details table").first.locator("tbody tr").last
    assert told == [text.strip() for text in last.locator("th, td").all_text_contents()]


def test_by_keyboard_alone(visit: Visit) -> None:
    """Goal: no pointer is needed. Method: Tab to the way past the menu, to the form, arrows on a slider, Enter."""
    reader = visit("regulator").open("/console/stress?scenario=chosen&index=-20")
    page, press = reader.page, reader.page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    visited = []
    for _ in range(8):
        press("Tab")
        visited.append(page.evaluate("document.activeElement.id || document.activeElement.type"))
        if page.evaluate("document.activeElement.matches('.slider input[type=range]')"):
            break
    assert visited[0] == "scenario"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    before = reader.text("#answer .figures")
    press("ArrowLeft")
    assert float(page.locator("#index").input_value()) < -20
    page.wait_for_function("before => document.querySelector('#answer .figures').innerText !== before", arg=before)
    assert "index=-20.1" in page.url


def test_on_paper(visit: Visit) -> None:
    """Goal: a page prints as a document. Method: print media: no menu, no form, no switches, dark on light."""
    reader = visit("regulator", theme="dark").open("/console/stress")
    reader.page.emulate_media(media="print")
    for hidden in (".menu", ".switches", "form.asking"):
        assert not reader.page.locator(hidden).first.is_visible(), hidden
    assert reader.page.locator("#answer table").first.is_visible()
    ink = reader.page.evaluate("getComputedStyle(document.body).color")
    assert max(map(int, ink.removeprefix("rgb(").removesuffix(")").split(","))) < 60, ink


def test_refusals_are_told_in_words(visit: Visit) -> None:
    """Goal: a wrong number is told where and what to do, nothing runs. Method: an address with one."""
    reader = visit("regulator", language="zh-Hant").open("/console/stress?index=900", status=422)
    reader.complaints.clear()  # the browser reports the status itself
    assert "index" in reader.text("main table")
    assert "-60" in reader.text("main table")
