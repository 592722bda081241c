"""Days of a link: common sessions and every mismatch of 2026, eves of holidays, cycles, sessions of the day."""

from __future__ import annotations

from datetime import date, time

import pytest

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.links.day_terms import day_terms, direction_of
from tsingma.links.rule_file import shipped_links, shipped_rules
from tsingma.links.rule_rows import LinkStatus
from tsingma.links.sessions import due_days, holiday_eves, mismatch_days, open_days, sessions_on, trading_days
from tsingma.reference.book import Market
from tsingma.reference.calendars import calendar
from tsingma.reference.markets import settlement_day

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
STOCK = [("stock-connect-shanghai", side) for side in ("northbound", "southbound")]
STOCK += [("stock-connect-shenzhen", side) for side in ("northbound", "southbound")]
HONG_KONG_CLOSED = ("04-03", "04-07", "05-25", "07-01", "10-19", "12-25")
MAINLAND_CLOSED = (
    "01-02", "02-16", "02-20", "02-23", "05-04", "05-05", "09-25", "10-02", "10-05", "10-06", "10-07",
)  # fmt: skip


@pytest.mark.parametrize(("link", "side"), STOCK)
def test_common_sessions_and_mismatches_of_2026(link: str, side: str) -> None:
    """Goal: 236 days both ways and every day of mismatch (hk-markets, section 8: computed from both calendars).

    Method: the rule file's days against the published closures, one side at a time.
    """
    rules = shipped_rules(link)
    direction = direction_of(rules, side)
    days = trading_days(rules, direction, FIRST, LAST)
    assert len(days) == 236
    found = mismatch_days(rules, direction, FIRST, LAST)
    closed = {
        name: [one.day.strftime("%m-%d") for one in found if one.closed[0] == name] for name in ("XHKG", "XSHG", "XSHE")
    }
    assert closed["XHKG"] == list(HONG_KONG_CLOSED)
    assert closed["XSHG"] + closed["XSHE"] == list(MAINLAND_CLOSED)
    assert not {one.day for one in found} & set(days)
    assert all(one.reason for one in found)


def test_eves_of_hong_kong_holidays() -> None:
    """Goal: H-1 of 2026. Method: the last settlement day before each holiday of Hong Kong alone, counted by hand."""
    rules = shipped_rules("stock-connect-shanghai")
    eves = holiday_eves(rules, direction_of(rules, "northbound"), FIRST, LAST)
    assert [(eve.strftime("%m-%d"), day.strftime("%m-%d")) for eve, day in eves] == [
        ("04-02", "04-03"), ("04-02", "04-07"), ("05-22", "05-25"), ("06-30", "07-01"), ("10-16", "10-19"),
        ("12-24", "12-25"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("side", "traded", "stock", "money"),
    [
        ("northbound", "2026-01-05", "2026-01-05", "2026-01-06"),
        ("northbound", "2026-04-02", "2026-04-02", "2026-04-08"),  # H-1: Hong Kong pays again on the eighth
        ("northbound", "2026-02-13", "2026-02-13", "2026-02-24"),  # over the Lunar New Year
        ("southbound", "2026-01-05", "2026-01-07", "2026-01-07"),
        ("southbound", "2026-02-13", "2026-02-20", "2026-02-20"),  # Hong Kong settles while the Mainland is closed
        ("southbound", "2026-09-24", "2026-09-28", "2026-09-28"),
    ],
)
def test_cycles_of_both_directions(side: str, traded: str, stock: str, money: str) -> None:
    """Goal: A-shares T and T+1, Hong Kong stocks T+2 for Mainland holders, over holidays of one side.

    Method: dates counted by hand.
    """
    rules = shipped_rules("stock-connect-shanghai")
    due = due_days(rules, direction_of(rules, side), date.fromisoformat(traded))
    assert [day.isoformat() for day in due] == [stock, money]


@pytest.mark.parametrize(("side", "market"), [("northbound", Market.XSHG), ("southbound", Market.XHKG)])
def test_the_rule_file_has_the_cycle_of_the_house(side: str, market: Market) -> None:
    """Goal: one cycle, two descriptions. Method: every trading day of 2024 to 2026 against ``settlement_day``."""
    rules = shipped_rules("stock-connect-shanghai")
    direction = direction_of(rules, side)
    for day in trading_days(rules, direction, date(2024, 1, 2), date(2026, 12, 18)):
        assert due_days(rules, direction, day) == settlement_day(day, market), day


def test_half_days_end_at_noon_southbound_and_not_northbound() -> None:
    """Goal: each direction keeps its market's hours. Method: 24 December 2026, a half day of Hong Kong alone."""
    rules = shipped_rules("stock-connect-shanghai")
    eve = date(2026, 12, 24)
    assert calendar("XHKG").is_half_day(eve)
    assert sessions_on(rules, direction_of(rules, "southbound"), eve)[-1].end == time(12)
    assert sessions_on(rules, direction_of(rules, "northbound"), eve)[-1].end == time(15)


def test_terms_of_a_northbound_day() -> None:
    """Goal: a day resolved. Method: quota of 52 bn, no cancels 09:20-09:25 and 14:57-15:00, input windows wait."""
    terms = day_terms(shipped_rules("stock-connect-shanghai"), "northbound", date(2026, 1, 5))
    assert [one.amount_cents for one in terms.quotas] == [52 * 10**11]
    assert (terms.brokers_max, terms.client_days, terms.pre_trade) == (20, 1, "snapshot-of-segregated-accounts")
    hour = [f"{one.start_s // 3600:02d}:{one.start_s // 60 % 60:02d}" for one in terms.sessions]
    assert hour == ["09:10", "09:15", "09:20", "09:25", "09:30", "12:55", "13:00", "14:57"]
    assert [one.cancels for one in terms.sessions] == [True, True, False, True, True, True, True, False]
    waits, closes = "refuse-until-positive", "refuse-rest-of-day"
    assert [one.zero for one in terms.sessions] == [waits, waits, waits, closes, closes, closes, closes, closes]


@pytest.mark.parametrize(
    ("link", "side", "day", "reason"),
    [
        ("stock-connect-shanghai", "northbound", date(2026, 2, 16), RejectionReason.NOT_ALLOWED),
        ("stock-connect-shanghai", "northbound", date(2027, 1, 4), RejectionReason.BEYOND_HORIZON),
        ("stock-connect-shanghai", "westbound", date(2026, 1, 5), RejectionReason.UNKNOWN),
        ("etf-connect", "northbound-shanghai", date(2026, 1, 5), RejectionReason.NOT_ALLOWED),
        ("commodity-connect", "northbound", date(2025, 6, 3), RejectionReason.BEYOND_HORIZON),
    ],
)
def test_days_without_terms_are_refused(link: str, side: str, day: date, reason: RejectionReason) -> None:
    """Goal: no terms for a day without trading. Method: a holiday, a year without table, no such direction ..."""
    with pytest.raises(Rejected) as refused:
        day_terms(shipped_rules(link), side, day)
    assert refused.value.rejections[0].reason is reason
    assert refused.value.rejections[0].remedy


@pytest.mark.parametrize("link", shipped_links())
def test_every_direction_has_every_day_of_2026(link: str) -> None:
    """Goal: no shipped file stops in the year. Method: terms and due days of each trading day, but the last few."""
    rules = shipped_rules(link)
    for direction in rules.directions:
        days = trading_days(rules, direction, FIRST, date(2026, 12, 21))
        assert len(days) > 220
        for day in days:
            stock, money = due_days(rules, direction, day)
            assert day <= stock
            assert day <= money
        if not direction.quota_of:
            assert day_terms(rules, direction.name, days[-1], fx_e6=920_000).sessions
        if rules.status is LinkStatus.PROPOSAL:
            assert all(row.assumed for row in (*direction.quotas, *direction.fees, *direction.margins))


def test_days_of_several_calendars() -> None:
    """Goal: arithmetic of open days. Method: the Easter of 2026 and both ends of the table."""
    common = open_days(shipped_rules("stock-connect-shanghai"), ("XHKG", "XSHG"))
    assert common.add(date(2026, 4, 2), 1) == date(2026, 4, 8)
    assert common.add(date(2026, 4, 4), 0) == date(2026, 4, 4)
    assert common.last_before(date(2026, 4, 8)) == date(2026, 4, 2)
    for beyond in (lambda: common.add(date(2026, 12, 31), 1), lambda: common.last_before(date(2024, 1, 1))):
        with pytest.raises(Rejected) as refused:
            beyond()
        assert refused.value.rejections[0].reason is RejectionReason.BEYOND_HORIZON
