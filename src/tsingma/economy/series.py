"""A dated series and what models take from it: the last value of each month or quarter, log changes, windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: days rising strictly (datetime64[D]) and a finite number for each."""

    name: str
    days: Days
    values: Floats

    def __post_init__(self) -> None:
        """Refuse an empty series, days out of order and numbers that are none."""
        if not len(self.days) or len(self.days) != len(self.values):
            message = f"{len(self.values)} numbers for {len(self.days)} days"
            raise refuse(RejectionReason.MISSING, message, subject=self.name)
        if (np.diff(self.days) <= np.timedelta64(0, "D")).any():
            place = int(np.argmax(np.diff(self.days) <= np.timedelta64(0, "D")))
            message = f"{self.days[place + 1]} follows {self.days[place]}"
            raise refuse(RejectionReason.CONFLICT, message, subject=self.name)
        if not np.isfinite(self.values).all():
            message = f"no number on {self.days[int(np.argmin(np.isfinite(self.values)))]}"
            raise refuse(RejectionReason.MISSING, message, subject=self.name)

    def between(self, first: date, last: date) -> Series:
        """Return the part from ``first`` to ``last``, both included; raises Rejected (missing) when it is empty."""
        kept = (self.days >= np.datetime64(first)) & (self.days <= np.datetime64(last))
        if not kept.any():
            message = f"nothing from {first} to {last}"
            raise refuse(RejectionReason.BEYOND_HORIZON, message, subject=self.name)
        return Series(self.name, self.days[kept], self.values[kept])

    def at(self, day: date) -> float:
        """Return the last value on or before a day; raises Rejected (beyond-horizon) before the first."""
        place = int(np.searchsorted(self.days, np.datetime64(day), side="right")) - 1
        if place < 0:
            raise refuse(RejectionReason.BEYOND_HORIZON, f"begins after {day}", subject=self.name)
        return float(self.values[place])

    def monthly(self) -> Series:
        """Return the last value of each month, dated the first of the month."""
        return self._last_of(self.days.astype("datetime64[M]"))

    def quarterly(self) -> Series:
        """Return the last value of each quarter, dated the first of the quarter's last month."""
        months = self.days.astype("datetime64[M]").astype(np.int64)
        return self._last_of((months - months % 3 + 2).astype("datetime64[M]"))

    def _last_of(self, periods: Days) -> Series:
        last = np.append(periods[1:] != periods[:-1], True)
        return Series(self.name, periods[last].astype("datetime64[D]"), self.values[last])


def align(series: Sequence[Series]) -> tuple[Days, Floats]:
    """Return the days all series have and their values [days, series]; raises Rejected when there is none."""
    days = series[0].days
    for other in series[1:]:
        days = np.intersect1d(days, other.days)
    if not len(days):
        names = ", ".join(one.name for one in series)
        raise refuse(RejectionReason.CONFLICT, f"{names} have no day in common", field="series")
    return days, np.column_stack([one.values[np.searchsorted(one.days, days)] for one in series])


def require_months(days: Days, *, name: str) -> None:
    """Refuse monthly days that skip a month, naming the first that is missing."""
    months = days.astype("datetime64[M]").astype(np.int64)
    gaps = np.flatnonzero(np.diff(months) != 1)
    if gaps.size:
        missing = days.astype("datetime64[M]")[gaps[0]] + 1
        raise refuse(RejectionReason.MISSING, f"month {missing} is missing", subject=name, remedy="complete the series")
