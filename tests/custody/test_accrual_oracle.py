"""Accrued interest, coupons and schedules to the cent, against QuantLib.

Goal: whole cents as QuantLib's real numbers round to them, under every day count, adjusted and not, amortising or not.
Method: a few hundred drawn bonds, QuantLib as oracle; a cent figure may differ from the oracle's by half a cent at
most, which is what rounding to nearest means. Halves, where a float says nothing, are tested by hand.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import Rejected
from tsingma.custody.accrual import (
    accrued_cents,
    clean_cents,
    coupon_days,
    day_fraction,
    interest_cents,
    interest_fraction,
    outstanding_cents,
    period_at,
    period_of,
)
from tsingma.pricing.schedule import DayCount, add_months
from tsingma.reference.calendars import FIRST_DAY, LAST_DAY, calendar
from tsingma.reference.terms import Product, SecurityTerms

COUNTS = {
    "ACT/365F": ql.Actual365Fixed(),
    "ACT/360": ql.Actual360(),
    "30/360": ql.Thirty360(ql.Thirty360.BondBasis),
    "ACT/ACT ICMA": ql.ActualActual(ql.ActualActual.ISMA),
}
HALF = 0.5 + 1e-6  # of a cent, and what a float of that size cannot tell


def q(day: int) -> ql.Date:
    """Return a QuantLib date."""
    return ql.Date(to_date(day).day, to_date(day).month, to_date(day).year)


def hong_kong() -> ql.Calendar:
    """Return the house's settlement calendar for QuantLib."""
    open_days = set(calendar("XHKG.settlement").days(FIRST_DAY, LAST_DAY))
    found = ql.BespokeCalendar("Hong Kong settlement")
    found.addWeekend(ql.Saturday)
    found.addWeekend(ql.Sunday)
    for place in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=place)
        if day.weekday() < 5 and day not in open_days:
            found.addHoliday(ql.Date(day.day, day.month, day.year))
    return found


def drawn(rng: np.random.Generator, *, adjusted: bool, amortises: bool = False) -> SecurityTerms:
    """Return terms at random; adjusted ones live within the published calendar."""
    months = int(rng.choice([1, 2, 3, 6, 12] if adjusted else [3, 6, 12]))
    count = str(rng.choice([name for name in COUNTS if not (adjusted and name == "ACT/ACT ICMA")]))
    first = date(2024, 1, 3) if adjusted else date(2012, 1, 1)
    issue = first + timedelta(days=int(rng.integers(0, 400 if adjusted else 6_000)))
    while adjusted and not calendar("XHKG.settlement").is_business_day(issue):
        issue += timedelta(days=1)
    span = int(rng.integers(40, 600)) if adjusted else int(rng.integers(100, 10_000))
    maturity = issue + timedelta(days=span)
    if rng.random() < 0.5:  # half of them regular from the first day on
        maturity = add_months(issue, months * max(span // (31 * months), 1))
    periods = len(coupon_days(to_day(issue), to_day(maturity), months)) - 1
    parts = int(rng.integers(1, periods)) if amortises and periods > 1 else 0
    return SecurityTerms(
        isin="ZZ", product=Product.PROJECT, payer=0, currency="CNY", face_cents=10_000, issue_day=to_day(issue),
        maturity_day=to_day(maturity), coupon_e9=int(rng.integers(1, 1_000)) * 100_000, months=months, day_count=count,
        adjusted=adjusted, roll=str(rng.choice(["following", "modified-following"])),
        repaid_cents=tuple(int(part) for part in rng.multinomial(9_000, [1 / parts] * parts)) if parts else (),
    )  # fmt: skip


def oracle(terms: SecurityTerms, units: int, table: ql.Calendar) -> ql.Bond:
    """Return QuantLib's bond of a holding, its face counted in cents."""
    roll = ql.ModifiedFollowing if terms.roll == "modified-following" else ql.Following
    rule = roll if terms.adjusted else ql.Unadjusted
    ends = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    days = [q(ends[0]), *(table.adjust(q(day), rule) for day in ends[1:])]
    schedule = ql.Schedule(
        q(terms.issue_day), q(terms.maturity_day), ql.Period(terms.months, ql.Months),
        table if terms.adjusted else ql.NullCalendar(), rule, rule, ql.DateGeneration.Backward, False,
    )  # fmt: skip
    assert list(schedule) == days
    faces = [outstanding_cents(terms, number) * units for number in range(len(days) - 1)]
    rates = [terms.coupon_e9 / 1e9]
    return ql.AmortizingFixedRateBond(0, [float(face) for face in faces], schedule, rates, COUNTS[terms.day_count])


@pytest.mark.parametrize(("adjusted", "amortises"), [(False, False), (False, True), (True, False), (True, True)])
def test_coupons_and_accruals_are_quantlibs_to_the_cent(*, adjusted: bool, amortises: bool) -> None:
    """Goal: 100 bonds of each sort. Method: every coupon, and accrued interest on five days, against QuantLib."""
    rng, table = np.random.default_rng(20260105 + 2 * adjusted + amortises), hong_kong()
    compared = 0
    for _ in range(100):
        terms, units = drawn(rng, adjusted=adjusted, amortises=amortises), int(rng.integers(1, 100_000))
        bond = oracle(terms, units, table)
        flows = [flow for flow in map(ql.as_fixed_rate_coupon, bond.cashflows()) if flow is not None]
        for number, flow in enumerate(flows):
            face = outstanding_cents(terms, number)
            mine = interest_cents(units, face, terms.coupon_e9, interest_fraction(terms, number))
            assert abs(mine - flow.amount()) <= HALF, (terms, number)
            compared += 1
        for _ in range(5):
            day = int(rng.integers(terms.issue_day, terms.maturity_day))
            period = flows[period_at(terms, day)]
            theirs = period.accruedAmount(q(day))
            assert abs(accrued_cents(terms, units, day) - theirs) <= HALF, (terms, to_date(day))
    assert compared > 300


def test_payment_days_are_quantlibs() -> None:
    """Goal: coupons are paid on business days. Method: 100 adjusted schedules against QuantLib's calendar rules."""
    rng, table = np.random.default_rng(7), hong_kong()
    for _ in range(100):
        terms = drawn(rng, adjusted=True)
        roll = ql.ModifiedFollowing if terms.roll == "modified-following" else ql.Following
        days = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
        for number, day in enumerate(days[1:]):
            period = period_of(terms, number)
            assert period is not None
            assert q(period.payment_day) == table.adjust(q(day), roll)
            assert table.advance(q(period.payment_day), -terms.record_days, ql.Days) == q(period.record_day)


def test_halves_go_away_from_zero() -> None:
    """Goal: the rule that no float can show. Method: interest of exactly half a cent, and one that is just below."""
    assert interest_cents(1, 10_000, 50_000, Fraction(1)) == 1  # 0.5 cents
    assert interest_cents(1, 10_000, 49_999, Fraction(1)) == 0
    assert interest_cents(1, 10_000, -50_000, Fraction(1)) == -1
    assert clean_cents(1, 10_000, 1_000_050) == 10_001  # 100.005 a hundred
    assert clean_cents(3, 10_000, 999_949) == 29_998  # 299.9847


def test_a_day_count_without_its_period_is_refused() -> None:
    """Goal: nothing is guessed. Method: ACT/ACT ICMA without months, ACT/ACT ISDA, days outside the bond's life."""
    first, last = date(2026, 1, 5), date(2026, 7, 5)
    with pytest.raises(Rejected, match="coupon period"):
        day_fraction(first, last, DayCount.ACT_ACT_ICMA)
    with pytest.raises(Rejected, match="ISDA"):
        day_fraction(first, last, DayCount.ACT_ACT_ISDA)
    terms = drawn(np.random.default_rng(1), adjusted=False)
    for outside in (terms.issue_day - 1, terms.maturity_day):
        with pytest.raises(Rejected, match="maturity"):
            accrued_cents(terms, 1, outside)


def test_what_is_paid_beyond_the_calendar_is_not_yet_due() -> None:
    """Goal: no date is guessed beyond the published calendar. Method: a coupon at the end of 2026, and in 2027."""
    terms = SecurityTerms(
        isin="ZZ", product=Product.SOVEREIGN, payer=0, currency="CNY", face_cents=10_000,
        issue_day=to_day(date(2026, 1, 15)), maturity_day=to_day(date(2029, 1, 15)), coupon_e9=1, months=6,
    )  # fmt: skip
    assert period_of(terms, 0) is not None
    assert period_of(terms, 1) is None
