"""Day numbers: dates and back, and what is none."""

from __future__ import annotations

from datetime import date

import pytest

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import Rejected


@pytest.mark.parametrize("value", [date.min, date(1970, 1, 1), date(2026, 11, 30), date.max])
def test_a_date_comes_back(value: date) -> None:
    """Goal: one number a date. Method: there and back, the ends of the calendar included."""
    assert to_date(to_day(value)) == value


@pytest.mark.parametrize("day", [to_day(date.min) - 1, to_day(date.max) + 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_a_number_that_is_no_day_is_refused(day: int) -> None:
    """Goal: a spoilt day is refused like any other fault. Method: just beyond both ends, and far beyond."""
    with pytest.raises(Rejected, match="is no day number"):
        to_date(day)
