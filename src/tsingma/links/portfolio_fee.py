"""The portfolio fee on A-shares held over a link: accrued each calendar day on 365, billed once a month in HKD.

Source: dated rows of ``reference/data/fees.toml`` (HKSCC portfolio fee, 0.008 % a year). A bill is rounded once, to
the cent; days without a value (weekends, holidays) accrue on the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.reference.fees import RATE_SCALE_E9
from tsingma.reference.tables import read_table, row_on


class PortfolioBill(msgspec.Struct, frozen=True, kw_only=True):
    """One month's bill: days accrued and the fee in HKD cents."""

    month: str
    days: int
    fee_cents: int


def month_bill(values_cents: Mapping[date, int], year: int, month: int) -> PortfolioBill:
    """Return the bill of a month for a portfolio worth ``values_cents`` (HKD cents) at the end of the days given.

    Each day of the month accrues on the value of that day, or of the last day before it that has one; before the first
    there is nothing. Raises Rejected (out-of-range) for a negative value, and for days before the fee's first row.
    """
    if any(value < 0 for value in values_cents.values()):
        raise refuse(RejectionReason.OUT_OF_RANGE, "a portfolio is worth less than nothing", field="values_cents")
    rows = read_table("fees.toml")["portfolio_fee"]
    known = sorted(values_cents)
    day = date(year, month, 1)
    total, days = Fraction(0), 0
    while day.month == month:
        held = [valued for valued in known if valued <= day]
        if held:
            row = row_on(rows, day, table="portfolio_fee")
            total += Fraction(values_cents[held[-1]] * row["rate_e9"], RATE_SCALE_E9 * row["days_a_year"])
            days += 1
        day += timedelta(days=1)
    fee = divide_half_away(total.numerator, total.denominator)
    return PortfolioBill(month=f"{year}-{month:02d}", days=days, fee_cents=fee)
