"""Days as integers: the number of days since 1970-01-01, so that arrays of dates are int32."""

from __future__ import annotations

from datetime import date, timedelta

from tsingma.basics.rejection import RejectionReason, refuse

_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = (date.min - _EPOCH).days, (date.max - _EPOCH).days


def to_day(value: date) -> int:
    """Return the day number of a date (1970-01-01 is 0)."""
    return (value - _EPOCH).days


def to_date(day: int) -> date:
    """Return the date of a day number; raises Rejected (out-of-range) for one before year 1 or after year 9999."""
    if not _FIRST <= day <= _LAST:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{day} is no day number", field="day")
    return _EPOCH + timedelta(days=int(day))


def parse_date(text: str, *, field: str = "") -> date:
    """Return the date of ``YYYY-MM-DD``; raises Rejected (malformed) for anything else."""
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise refuse(
            RejectionReason.MALFORMED, f"'{text}' is not a date", field=field, remedy="write it as YYYY-MM-DD"
        ) from None
