"""The bounds of custody: past one, a refusal that says what and where; every product of what is allowed is 64 bits."""

from __future__ import annotations

from datetime import date

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import RejectionReason, refuse

DAY_FIRST, DAY_LAST = to_day(date(1900, 1, 1)), to_day(date(2200, 1, 1))
UNITS_MAX = 10**12
MONEY_MAX_CENTS = 10**15
VALUE_MAX_CENTS = 10**16  # of a whole issue at its face; times 300 years of interest it still fits
PRICE_MAX_E4 = 10**7  # per 100 of face: ten times par
AMOUNT_MAX_E9 = 10**13  # of a currency unit on each unit: 10,000
ITEMS_MAX = 100_000
TEXT_MAX = 64


def require_days(**days: int) -> None:
    """Raise Rejected (out-of-range) unless every day number is from 1900 to 2200; names are fields."""
    for field, day in days.items():
        if not DAY_FIRST <= day <= DAY_LAST:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"day {day} is not from 1900 to 2200", field=field)


def require_between(field: str, value: int, least: int, most: int) -> None:
    """Raise Rejected (out-of-range) unless least <= value <= most."""
    if not least <= value <= most:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is not {least} to {most}", field=field)


def require_text(**texts: str) -> None:
    """Raise Rejected (out-of-range) unless every text has 1 to TEXT_MAX characters; names are fields."""
    for field, text in texts.items():
        if not 1 <= len(text) <= TEXT_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{len(text)} characters, 1 to {TEXT_MAX} allowed", field=field)


def require_items(field: str, count: int) -> None:
    """Raise Rejected (limit) for more than ITEMS_MAX items."""
    if count > ITEMS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{count} items, {ITEMS_MAX} at most", field=field)
