"""Interest in whole cents: day counts as exact fractions, coupon periods, accrued interest.

Nothing is rounded but the amount of one holding: half a cent away from zero. Sources of the day counts: ISDA 2006
Definitions, section 4.16 (ACT/365F, ACT/360, 30/360 "bond basis"); ICMA rule 251 (ACT/ACT ICMA). Chinese government
bonds accrue actual/actual on the coupon period (China Foreign Exchange Trade System and CFFEX, notice of 3 September
2013: "actual days / actual days"). That each holding is rounded by itself, to nearest, is assumed: it is how paying
agents pay, and no public rule of the CMU says otherwise.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from fractions import Fraction
from functools import cache

import msgspec

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import PRICE_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.pricing.schedule import DayCount, Roll, add_months, adjust, schedule
from tsingma.reference.calendars import LAST_DAY, calendar
from tsingma.reference.terms import SecurityTerms

RATE_ONE_E9 = 1_000_000_000


class Period(msgspec.Struct, frozen=True):
    """One coupon period: where interest starts and ends, when it is paid and who held at the close of which day."""

    start_day: int
    end_day: int
    payment_day: int
    record_day: int


def day_fraction(
    start: date, end: date, count: DayCount, *, months: int = 0, period_end: date | None = None
) -> Fraction:
    """Return the exact part of a year from ``start`` to ``end`` (the arguments of ``pricing.schedule.year_fraction``).

    Raises Rejected (missing) when ACT/ACT ICMA lacks its coupon period, (not-allowed) for ACT/ACT ISDA, which no
    security of this room uses.
    """
    days = (end - start).days
    if count is DayCount.ACT_365F:
        return Fraction(days, 365)
    if count is DayCount.ACT_360:
        return Fraction(days, 360)
    if count is DayCount.THIRTY_360:
        first = min(start.day, 30)
        last = 30 if end.day == 31 and first == 30 else end.day
        return Fraction(360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first, 360)
    if count is DayCount.ACT_ACT_ISDA:
        raise refuse(RejectionReason.NOT_ALLOWED, "no security accrues ACT/ACT ISDA", field="day_count")
    if not months:
        raise refuse(RejectionReason.MISSING, "ACT/ACT ICMA needs the months of the coupon period", field="months")
    whole = period_end or end
    return Fraction(months * days, 12 * (whole - add_months(whole, -months)).days)


@cache
def coupon_days(issue_day: int, maturity_day: int, months: int) -> tuple[int, ...]:
    """Return the unadjusted period ends from issue to maturity as day numbers, a short period first."""
    if not months:
        return issue_day, maturity_day
    return tuple(to_day(day) for day in schedule(to_date(issue_day), to_date(maturity_day), months))


def period_of(terms: SecurityTerms, number: int) -> Period | None:
    """Return coupon period ``number`` (0 is the first), or None when it is paid beyond the published calendar.

    Payment moves to a business day by the terms' roll; the record day is ``record_days`` business days before it.
    Raises Rejected (beyond-horizon) when it starts before the published calendar and its dates are to be adjusted.
    """
    days = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    start, end = days[number : number + 2]
    if to_date(end) > _last_business_day(terms.calendar):
        return None
    payment = _moved(end, terms)
    record = to_date(payment)
    for _ in range(terms.record_days):
        record = calendar(terms.calendar).previous_before(record)
    return Period(_accrual_day(start, terms), _accrual_day(end, terms), payment, to_day(record))


def period_at(terms: SecurityTerms, day: int) -> int:
    """Return the number of the coupon period that a day accrues in; its first day belongs to it.

    Raises Rejected (out-of-range) before issue and from maturity on.
    """
    days = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    if not days[0] <= day < days[-1]:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{to_date(day)} is not from issue {to_date(days[0])} to before maturity {to_date(days[-1])}",
            field="day",
            subject=terms.isin,
        )
    number = bisect_right(days, day) - 1
    if number and day < _accrual_day(days[number], terms):  # the payment day is still to come
        number -= 1
    return number


def interest_fraction(terms: SecurityTerms, number: int, until: int | None = None) -> Fraction:
    """Return the exact part of a year that accrues in a coupon period, up to day ``until`` (None: the whole)."""
    days = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    start, end = days[number : number + 2]
    first = _accrual_day(start, terms)
    last = _accrual_day(end, terms) if until is None else until
    count = DayCount(terms.day_count)
    return day_fraction(to_date(first), to_date(last), count, months=terms.months, period_end=to_date(end))


def outstanding_cents(terms: SecurityTerms, number: int) -> int:
    """Return the face of one unit that is still owed while coupon period ``number`` runs, cents."""
    return terms.face_cents - sum(terms.repaid_cents[:number])


def interest_cents(units: int, face_cents: int, rate_e9: int, fraction: Fraction) -> int:
    """Return the interest of a holding: units x face x rate x part of a year, half a cent away from zero."""
    return divide_half_away(units * face_cents * rate_e9 * fraction.numerator, RATE_ONE_E9 * fraction.denominator)


def accrued_cents(terms: SecurityTerms, units: int, day: int) -> int:
    """Return the interest accrued on a holding at a settlement day, cents; 0 on the first day of a period."""
    number = period_at(terms, day)
    fraction = interest_fraction(terms, number, day)
    return interest_cents(units, outstanding_cents(terms, number), terms.coupon_e9, fraction)


def clean_cents(units: int, face_cents: int, price_e4: int) -> int:
    """Return the price of a holding without interest, ``price_e4`` per 100 of face, half a cent away from zero."""
    return divide_half_away(units * face_cents * price_e4, 100 * PRICE_SCALE)


@cache
def _last_business_day(name: str) -> date:
    return calendar(name).days(date(LAST_DAY.year, LAST_DAY.month, 1), LAST_DAY)[-1]


def _accrual_day(day: int, terms: SecurityTerms) -> int:
    """Return where interest really starts or ends: the issue day as it is, the others moved when ``adjusted``."""
    return _moved(day, terms) if terms.adjusted and day != terms.issue_day else day


def _moved(day: int, terms: SecurityTerms) -> int:
    return to_day(adjust(to_date(day), Roll(terms.roll), calendar(terms.calendar).is_business_day))
