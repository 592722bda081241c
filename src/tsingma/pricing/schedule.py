"""Day counts and payment schedules.

Sources: ISDA 2006 definitions, section 4.16 (day counts) and 4.12 (business day conventions); ICMA rule 251 for
Actual/Actual on bonds. Hong Kong government bonds and offshore renminbi bonds accrue Actual/365 (fixed) with
semi-annual
coupons, Chinese government bonds Actual/Actual (ICMA); HIBOR is Actual/365, SHIBOR, FR007 and SOFR Actual/360 or 365 as
their swaps say: a convention is always an argument.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from tsingma.basics.rejection import RejectionReason, refuse

PERIODS_MAX = 2_000


class DayCount(StrEnum):
    """How the days of a period become a fraction of a year."""

    ACT_365F = "ACT/365F"
    ACT_360 = "ACT/360"
    THIRTY_360 = "30/360"  # bond basis
    ACT_ACT_ISDA = "ACT/ACT ISDA"
    ACT_ACT_ICMA = "ACT/ACT ICMA"


class Roll(StrEnum):
    """What happens to a date on which nothing is paid."""

    UNADJUSTED = "unadjusted"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified-following"


IsOpen = Callable[[date], bool]


def year_fraction(start: date, end: date, count: DayCount, *, months: int = 0, period_end: date | None = None) -> float:
    """Return the fraction of a year from ``start`` to ``end``.

    ACT/ACT ICMA needs ``months`` of the coupon period and its end, ``period_end`` (``end`` when None). Raises Rejected
    when it lacks them.
    """
    days = (end - start).days
    if count is DayCount.ACT_365F:
        return days / 365.0
    if count is DayCount.ACT_360:
        return days / 360.0
    if count is DayCount.THIRTY_360:
        first = min(start.day, 30)
        last = 30 if end.day == 31 and first == 30 else end.day
        return (360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first) / 360.0
    if count is DayCount.ACT_ACT_ISDA:
        return _isda(start, end)
    if not months:
        raise refuse(RejectionReason.MISSING, "ACT/ACT ICMA needs the months of the coupon period", field="months")
    whole = period_end or end
    length = (whole - add_months(whole, -months)).days
    return months / 12.0 * days / length


def _isda(start: date, end: date) -> float:
    if start.year == end.year:
        return (end - start).days / (366.0 if isleap(start.year) else 365.0)
    first = (date(start.year + 1, 1, 1) - start).days / (366.0 if isleap(start.year) else 365.0)
    last = (end - date(end.year, 1, 1)).days / (366.0 if isleap(end.year) else 365.0)
    return first + (end.year - start.year - 1) + last


def add_months(day: date, months: int) -> date:
    """Return the day ``months`` later (or earlier), the last of the month where there is no such day."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def adjust(day: date, roll: Roll, is_open: IsOpen) -> date:
    """Return the day itself when it is open, else the next open one by convention."""
    if roll is Roll.UNADJUSTED or is_open(day):
        return day
    later = day
    while not is_open(later):
        later += timedelta(days=1)
    if roll is Roll.MODIFIED_FOLLOWING and later.month != day.month:
        later = day
        while not is_open(later):
            later -= timedelta(days=1)
    return later


def schedule(
    start: date, end: date, months: int, roll: Roll = Roll.UNADJUSTED, is_open: IsOpen | None = None
) -> list[date]:
    """Return period ends from ``start`` to ``end``, counted back from the end, a short period first.

    Raises Rejected when the end is not after the start, months are not positive, or there are more than 2,000 periods.
    """
    if end <= start:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{end} is not after {start}", field="maturity")
    if months < 1 or (end.year - start.year + 1) * 12 / months > PERIODS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{months} months a period from {start} to {end}", field="months")
    days, back = [end], 1
    while (day := add_months(end, -months * back)) > start:
        days.append(day)
        back += 1
    days.append(start)
    days.reverse()
    return [adjust(day, roll, is_open) for day in days] if is_open else days
