"""The report of a run.

Goal: the page stands alone, shows the figures it was given, escapes every name and refuses figures that do not add up.
Method: one made-up week parsed as HTML and XML; a hostile copy; one figure changed at a time.
"""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from tsingma.basics.rejection import InvariantBroken
from tsingma.reports.figures import CurrencyAmount, HouseReport, by_currency, check_report
from tsingma.reports.html import render_html
from tsingma.reports.numbers import money, percent, short, whole
from tsingma.reports.statements import Table, decimal_text, write_statements
from tsingma.reports.terminal import summary


class Page(HTMLParser):
    """Collects tags, references and shown text."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep tags and references."""
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data + " "


def pictures_of(page: str) -> list[str]:
    """Return the outermost pictures of a page: they hold smaller ones."""
    found, depth, begin = [], 0, 0
    for token in re.finditer(r"<svg|</svg>", page):
        if token.group() == "<svg":
            begin = begin if depth else token.start()
            depth += 1
        else:
            depth -= 1
            if not depth:
                found.append(page[begin : token.end()])
    return found


def test_page_stands_alone_and_shows_its_figures(report: HouseReport) -> None:
    """Goal: one file, all figures. Method: no reference leaves the page; hashes, trades and margins are in its text."""
    page = render_html(report)
    read = Page(page)
    assert all(reference.startswith("#") for reference in read.references)
    assert "script" not in read.tags
    for day in report.days:
        assert day.state_hash in read.text
        assert whole(day.trades) in read.text
    assert report.label in read.text
    assert report.margins[0].participant in read.text
    assert all(note in read.text for note in report.notes)
    targets = {reference[1:] for reference in read.references}
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_every_picture_is_well_formed(report: HouseReport) -> None:
    """Goal: pictures for every viewer and screen reader. Method: parse each as XML; title and text are there."""
    pictures = pictures_of(render_html(report))
    assert len(pictures) >= 6
    for picture in pictures:
        names = {element.tag.split("}")[-1] for element in ElementTree.fromstring(picture).iter()}
        assert {"title", "desc"} <= names


def test_hostile_names_stay_text(hostile: HouseReport) -> None:
    """Goal: a name is never markup. Method: names with a script tag, quotes and ampersands everywhere."""
    page = render_html(hostile)
    assert "<script" not in page.lower()
    assert "script" not in Page(page).tags
    assert not any("evil.example" in reference for reference in Page(page).references)
    for picture in pictures_of(page):
        ElementTree.fromstring(picture)


def test_terminal_summary(report: HouseReport) -> None:
    """Goal: the day at a glance. Method: every day's date, the last state hash and the place of the page are told."""
    lines = "\n".join(summary(report, "out/report.html"))
    assert "out/report.html" in lines
    assert report.days[-1].state_hash[:12] in lines
    assert all(str(day.day) in lines or f"{day.day:%d}" in lines for day in report.days)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("days", "due", "open"), "due .number."),
        (("days", "due", "settled_amount"), "due .amount."),
        (("days", "instructions", "cancelled"), "submitted"),
        (("margins", "aggregate_hkd"), "aggregate"),
        (("margins", "net_hkd"), "net margin"),
        (("margins", "total_hkd"), "total"),
    ],
)
def test_figures_that_do_not_add_up_are_refused(report: HouseReport, path: tuple[str, ...], text: str) -> None:
    """Goal: a report never shows a sum that is none. Method: raise one figure by one."""

    def spoil(value: object, names: tuple[str, ...]) -> object:
        if isinstance(value, tuple):
            return (spoil(value[0], names), *value[1:])
        if not names:
            return value + 1  # type: ignore[operator]
        return msgspec.structs.replace(value, **{names[0]: spoil(getattr(value, names[0]), names[1:])})

    assert check_report(report) is report
    with pytest.raises(InvariantBroken, match=text):
        check_report(spoil(report, path))  # type: ignore[arg-type]


def test_an_empty_report_is_refused(report: HouseReport) -> None:
    """Goal: no page about nothing. Method: a report without days."""
    with pytest.raises(InvariantBroken, match="at least one day"):
        check_report(msgspec.structs.replace(report, days=()))


def test_numbers_as_people_read_them() -> None:
    """Goal: signs, separators, units. Method: by hand."""
    assert (whole(1_234_567), money(-1_234_567), decimal_text(-1_234_567)) == ("1,234,567", "−12,345.67", "-12345.67")
    assert decimal_text(5) == "0.05"
    assert percent(1, 3) == "33.33 %"
    assert short(0) == "0"
    amounts = (CurrencyAmount("HKD", 5), CurrencyAmount("CNY", 2), CurrencyAmount("HKD", -7))
    assert by_currency(amounts) == (CurrencyAmount("HKD", -2), CurrencyAmount("CNY", 2))


def test_statements_disarm_formulas(tmp_path: Path) -> None:
    """Goal: a spreadsheet runs nothing. Method: cells that begin like formulas, read back."""
    rows: dict[str, list[tuple[object, ...]]] = {"P1": [("=HYPERLINK(1)", -5), ("@x", "plain")], "P2": [("+1", 2)]}
    assert write_statements(tmp_path, [Table("holdings", ("name", "amount"), rows)]) == 2
    with (tmp_path / "P1" / "holdings.csv").open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines)) == [["name", "amount"], ["'=HYPERLINK(1)", "-5"], ["'@x", "plain"]]
