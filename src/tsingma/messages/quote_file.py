"""Quotes of deposits and par swaps by day and curve as a file, and the zero rates that price them all to par."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

from tsingma.basics.dates import parse_date
from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.messages.rows import read_rows
from tsingma.pricing.curves import Deposit, ParSwap
from tsingma.pricing.schedule import DayCount, add_months

COLUMNS = ("date", "curve", "kind", "tenor", "rate", "months", "count")
KINDS = ("deposit", "swap")
YEAR_MAX = 2_999  # so that no tenor leads beyond the calendar

Quote = tuple[str, Deposit | ParSwap, int]  # tenor as written, what is quoted, line


def read_quotes(data: bytes, *, file: str = "quotes.csv") -> dict[tuple[str, date], list[Quote]]:
    """Return quotes by curve and day in order of their ends.

    ``kind`` deposit or swap; ``tenor`` from the day (``7D``, ``3M``, ``10Y``; a swap in months or years); ``rate`` a
    decimal; ``months`` of a swap's coupon period, 12 when empty; ``count`` a day count, ACT/365F when empty. The
    conventions of an index (HIBOR, SHIBOR, FR007, SOFR) are what its quotes say. Raises Rejected with file, line and
    field.
    """
    found: dict[tuple[str, date], list[Quote]] = {}
    for line, row in read_rows(data, file, COLUMNS, optional=("months", "count")):
        try:
            day = parse_date(row["date"], field="date")
            found.setdefault((row["curve"], day), []).append((row["tenor"], _quoted(day, row), line))
        except Rejected as wrong:
            one = wrong.rejections[0]
            raise refuse(one.reason, one.message, file=file, line=line, field=one.field, remedy=one.remedy) from None
    return {key: sorted(quotes, key=lambda quote: quote[1].end) for key, quotes in sorted(found.items())}


def _quoted(day: date, row: dict[str, str]) -> Deposit | ParSwap:
    if row["kind"] not in KINDS:
        raise refuse(RejectionReason.UNKNOWN, f"'{row['kind']}' is none of {', '.join(KINDS)}", field="kind")
    if row["count"] and row["count"] not in list(DayCount):
        message = f"'{row['count']}' is none of {', '.join(DayCount)}"
        raise refuse(RejectionReason.UNKNOWN, message, field="count")
    try:
        rate = float(row["rate"])
    except ValueError:
        rate = math.nan
    if not -0.5 < rate < 1.0:
        message = f"'{row['rate']}' is no rate"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="rate", remedy="write 0.031 for 3.1 %")
    count, end = DayCount(row["count"] or DayCount.ACT_365F), _end(day, row["tenor"])
    if row["kind"] == "deposit":
        return Deposit(end, rate, count)
    months = row["months"] or "12"
    if not is_whole(months) or not 1 <= int(months) <= 120:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{months}' is not 1 to 120 months", field="months")
    return ParSwap(end, rate, int(months), count)


def _end(day: date, tenor: str) -> date:
    number, unit = tenor[:-1], tenor[-1:]
    if not is_whole(number) or not 0 < int(number) <= 40_000 or unit not in "DWMY":
        raise refuse(
            RejectionReason.MALFORMED, f"'{tenor}' is no tenor", field="tenor", remedy="write 1D, 2W, 3M or 10Y"
        )
    if day.year > YEAR_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{day} is after {YEAR_MAX}", field="date")
    if unit in "DW":
        return day + timedelta(days=int(number) * (7 if unit == "W" else 1))
    months = int(number) * (12 if unit == "Y" else 1)
    if months > 1_200:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"'{tenor}' is beyond 100 years", field="tenor")
    return add_months(day, months)


def write_zero_rates(rates: Sequence[tuple[date, str, str, float]]) -> bytes:
    """Return (day, curve, tenor, zero rate) as the file that ``read_curves`` reads, rates to ten decimals."""
    lines = ["date,curve,tenor,rate", *(f"{day},{curve},{tenor},{rate:.10f}" for day, curve, tenor, rate in rates)]
    return ("\n".join(lines) + "\n").encode("ascii")
