"""Figures and dates as Hong Kong writes them."""

from __future__ import annotations

from datetime import date

import pytest

pytest.importorskip("litestar")

from tsingma.console.formats import Formats
from tsingma.console.language import Language
from tsingma.reports.numbers import short_in

EN, ZH = Formats(Language.EN), Formats(Language.ZH)


def test_money_and_dates_of_hong_kong() -> None:
    """Goal: the forms of CLDR's en-HK and zh-Hant-HK. Method: the examples of the task, and a minus."""
    assert EN.money(6_123_450) == ZH.money(6_123_450) == "HK$61,234.50"
    assert EN.money(-1, "CNY") == "\u2212CN¥0.01"
    assert EN.money(5, "XAU") == "XAU\u00a00.05"
    assert EN.day(date(2026, 11, 23)) == "23 Nov 2026"
    assert ZH.day("2026-11-23") == "2026年11月23日"
    assert ZH.day("") == ""


@pytest.mark.parametrize(
    ("cents", "english", "chinese"),
    [
        (1_234_567_890_100, "HK$12.35 bn", "HK$123.5億"),
        (1_234_500, "HK$12,345", "HK$1.23萬"),
        (-99_900, "\u2212HK$999", "\u2212HK$999"),
        (0, "HK$0", "HK$0"),
        (123_456_789_012_345_600, "HK$1,234.6 tn", "HK$1,234.6萬億"),
    ],
)
def test_short_money(cents: int, english: str, chinese: str) -> None:
    """Goal: large sums by the steps of each language. Method: cases on every step."""
    assert EN.short_money(cents) == english
    assert ZH.short_money(cents) == chinese


def test_other_figures() -> None:
    """Goal: quantities, clock and shares. Method: one of each, with their ends."""
    assert (EN.quantity(123_450, "HKD"), EN.quantity(1_234, "ZZ0000000016")) == ("1,234.50", "1,234")
    assert (EN.clock(0), EN.clock(34_205)) == ("00:00", "09:30:05")
    assert (EN.percent(999, 1000), EN.percent(9_999, 10_000), EN.percent(1, 1), EN.percent(0, 0)) == (
        "99.9%", "99.9%", "100.0%", "–",
    )  # fmt: skip
    assert (EN.signed_money(150), EN.signed_money(-150), EN.signed_money(0)) == ("+HK$1.50", "\u2212HK$1.50", "HK$0.00")


def test_a_language_shortens_in_its_own_units() -> None:
    """Goal: no English units on a Chinese chart. Method: sizes about each step, both signs."""
    told = [
        (9_999, "9,999"),
        (15_340_000, "1,534.0萬"),
        (-79_624_213, "\N{MINUS SIGN}7,962.4萬"),
        (372_000_000, "3.72億"),
    ]
    assert [short_in("zh", size) for size, _ in told] == [text for _, text in told]
    assert short_in("en", 15_340_000) == "15.34 m"


def test_ends_of_ranges_are_short_and_keep_their_minus() -> None:
    """Goal: a range reads as other numbers do. Method: whole, broken, negative and vanishing ends."""
    told = [EN.bound(value) for value in (-60.0, 60.0, 0.25, 0.05, 100.0, -0.00001, 0.0)]
    assert told == ["\u221260", "60", "0.25", "0.05", "100", "0", "0"]
