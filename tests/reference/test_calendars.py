"""Calendars: our own tables against two libraries, known counts, and refusal beyond the table."""

from __future__ import annotations

from datetime import date, timedelta

import exchange_calendars
import holidays
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.reference.book import Market
from tsingma.reference.calendars import FIRST_DAY, LAST_DAY, calendar
from tsingma.reference.markets import settlement_day

YEARS = (2024, 2025, 2026)


@pytest.mark.parametrize("name", ["XHKG", "XSHG"])
def test_sessions_agree_with_exchange_calendars(name: str) -> None:
    """Goal: no wrong session in 2024-2026. Method: compare with exchange_calendars, which has no known error."""
    theirs = exchange_calendars.get_calendar(name, start=str(FIRST_DAY), end=str(LAST_DAY))
    assert calendar(name).days(FIRST_DAY, LAST_DAY) == [moment.date() for moment in theirs.sessions]


@pytest.mark.parametrize("name", ["XHKG", "XSHG"])
def test_closures_agree_with_holidays(name: str) -> None:
    """Goal: a second witness. Method: every weekday is closed in our table exactly when ``holidays`` says so."""
    theirs = holidays.financial_holidays(name, years=YEARS)
    ours = calendar(name)
    for place in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=place)
        if day.weekday() < 5:
            assert ours.is_business_day(day) == (day not in theirs), day


def test_half_days_agree_with_holidays() -> None:
    """Goal: the nine half days of 2024-2026. Method: compare with ``holidays``; a half day is a business day."""
    theirs = set(holidays.financial_holidays("XHKG", years=YEARS, categories=("half_day",)))
    ours = calendar("XHKG")
    days = ours.days(FIRST_DAY, LAST_DAY)
    assert {day for day in days if ours.is_half_day(day)} == theirs
    assert {day for day in theirs if day.year == 2026} == {date(2026, 2, 16), date(2026, 12, 24), date(2026, 12, 31)}


def test_money_days_agree_with_public_holidays() -> None:
    """Goal: bank days. Method: compare with public holidays; the typhoon of 6 Sep 2024 closed no bank calendar."""
    general = holidays.country_holidays("HK", years=YEARS, categories=("public", "optional"))
    mainland = holidays.country_holidays("CN", years=YEARS)
    for name, theirs in (("HKD.money", general), ("CNY.money", mainland)):
        for day in (FIRST_DAY + timedelta(days=place) for place in range((LAST_DAY - FIRST_DAY).days + 1)):
            if day.weekday() < 5:
                assert calendar(name).is_business_day(day) == (day not in theirs), (name, day)
    assert calendar("HKD.money").is_business_day(date(2024, 9, 6))
    assert not calendar("XHKG.settlement").is_business_day(date(2024, 9, 6))


def test_counts_of_2026() -> None:
    """Goal: published counts. Method: 247 Hong Kong, 242 Mainland, 236 common sessions and every day of mismatch."""
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    hong_kong, mainland = (set(calendar(name).days(first, last)) for name in ("XHKG", "XSHG"))
    assert (len(hong_kong), len(mainland), len(hong_kong & mainland)) == (247, 242, 236)
    assert calendar("connect.northbound").days(first, last) == sorted(hong_kong & mainland)
    only_mainland = {day.strftime("%m-%d") for day in mainland - hong_kong}
    only_hong_kong = {day.strftime("%m-%d") for day in hong_kong - mainland}
    assert only_mainland == {"04-03", "04-07", "05-25", "07-01", "10-19", "12-25"}
    assert only_hong_kong == {
        *("01-02", "02-16", "02-20", "02-23", "05-04", "05-05", "09-25", "10-02", "10-05", "10-06", "10-07"),
    }


def test_settlement_days() -> None:
    """Goal: cycles over holidays. Method: T+2 in Hong Kong, stock T and money T+1 for A-shares, around New Year."""
    assert settlement_day(date(2026, 1, 5), Market.XHKG) == (date(2026, 1, 7), date(2026, 1, 7))
    assert settlement_day(date(2026, 2, 13), Market.XHKG) == (date(2026, 2, 20), date(2026, 2, 20))
    assert settlement_day(date(2026, 2, 13), Market.XSHG) == (date(2026, 2, 13), date(2026, 2, 24))
    assert settlement_day(date(2026, 4, 2), Market.CMU) == (date(2026, 4, 9), date(2026, 4, 9))


@pytest.mark.parametrize("day", [date(2023, 12, 29), date(2027, 1, 4)])
def test_beyond_the_table_is_refused(day: date) -> None:
    """Goal: never guess. Method: every question about a day outside the table is refused with the horizon named."""
    ours = calendar("XHKG")
    for ask in (ours.is_business_day, ours.is_half_day, ours.reason, ours.next_after, ours.previous_before):
        with pytest.raises(Rejected, match="2024-01-01 to 2026-12-31"):
            ask(day)
    with pytest.raises(Rejected, match="beyond the table"):
        ours.add(LAST_DAY, 1)
    with pytest.raises(Rejected, match="beyond the table"):
        ours.previous_before(FIRST_DAY)


def test_questions_a_calendar_answers() -> None:
    """Goal: names and reasons. Method: ask for reasons, an unknown calendar and a wrong count."""
    assert calendar("XHKG").reason(date(2026, 12, 25)) == "Christmas Day"
    assert calendar("XHKG").reason(date(2026, 12, 26)) == "weekend"
    assert calendar("XHKG").reason(date(2026, 12, 28)) == ""
    assert calendar("XHKG").previous_before(date(2026, 12, 28)) == date(2026, 12, 24)
    with pytest.raises(Rejected, match="one of XHKG"):
        calendar("XNYS")
    with pytest.raises(Rejected, match="1 or more"):
        calendar("XHKG").add(date(2026, 1, 5), 0)
