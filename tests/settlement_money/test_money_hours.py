"""Hours of the gross systems at any second: days, weekends, holidays, past midnight, beyond the calendars.

Goal: money is final only while its system settles. Method: published and assumed rows by hand at their edges; the first
common hour against a search minute by minute.
"""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.settlement.gross_money.systems import DAY_S, money_is_open, money_opens

HKD, CNY, USD, EUR = range(len(CURRENCIES))


def at(text: str) -> int:
    """Return a Hong Kong time in seconds."""
    moment = datetime.fromisoformat(text)
    return to_day(moment.date()) * DAY_S + moment.hour * 3_600 + moment.minute * 60 + moment.second


@pytest.mark.parametrize(
    ("currency", "moment", "is_open"),
    [
        (HKD, "2025-11-13 08:29:59", False),
        (HKD, "2025-11-13 08:30:00", True),
        (HKD, "2025-11-13 18:29:59", True),
        (HKD, "2025-11-13 18:30:00", False),
        (HKD, "2025-11-15 12:00:00", False),  # a Saturday
        (HKD, "2025-12-25 12:00:00", False),  # Christmas Day
        (CNY, "2024-11-13 04:59:59", True),  # to five of the next morning, from 2015 to December 2024
        (CNY, "2024-11-13 05:00:00", False),
        (CNY, "2024-11-16 04:59:59", True),  # Saturday morning still belongs to Friday
        (CNY, "2024-11-18 04:59:59", False),  # Monday morning belongs to Sunday
        (CNY, "2025-11-13 03:00:00", True),  # round the clock from Monday to Friday since then
        (CNY, "2025-11-15 03:00:00", False),
        (USD, "2025-11-13 19:00:00", False),
        (HKD, "2029-11-13 12:00:00", True),  # beyond the calendars weekdays work
        (HKD, "2029-11-17 12:00:00", False),
    ],
)
def test_hours_at_their_edges(currency: int, moment: str, is_open: bool) -> None:
    """Goal and method: see the module."""
    assert money_is_open(currency, at(moment)) is is_open


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(at("2024-11-01 00:00") // 60, at("2026-02-20 00:00") // 60),
    currencies=st.sets(st.integers(0, 3), min_size=1).map(lambda found: tuple(sorted(found))),
)
def test_the_first_common_hour_is_the_first(start: int, currencies: tuple[int, ...]) -> None:
    """Goal: no hour is missed and none is told that is none. Method: every minute before it has a closed system."""
    found = money_opens(currencies, start * 60)
    assert found is not None
    assert all(money_is_open(currency, found) for currency in currencies)
    assert not any(
        all(money_is_open(currency, minute * 60) for currency in currencies)
        for minute in range(start, -(-found // 60))
        if minute * 60 < found
    )
    assert date.fromordinal(date(1970, 1, 1).toordinal() + found // DAY_S).weekday() < 5
