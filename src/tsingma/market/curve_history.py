"""Zero curves of many days: what a rate was at every tenor, by curve and day; none ever changes."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]

STALE_DAYS_MAX = 7
RATE_MIN, RATE_MAX = -0.10, 1.0  # decimals; a rate outside is one in per cent


class CurveSeries(msgspec.Struct, frozen=True, eq=False):
    """One curve by day: ``dates`` int32 [n] increasing, ``years`` float64 [k] increasing, ``rates`` float64 [n, k].

    Rates are zero rates as decimals, compounded continuously, years ACT/365. ``name`` begins with the currency:
    ``HKD.HIBOR``, ``CNY.FR007``, ``USD.SOFR``. The arrays are made read-only. Raises Rejected when they contradict.
    """

    name: str
    dates: npt.NDArray[np.int32]
    years: Float64
    rates: Float64

    def __post_init__(self) -> None:
        """Check the name, shapes, order and size of rates."""
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            remedy = "write CURRENCY.INDEX, such as HKD.HIBOR"
            raise refuse(RejectionReason.MALFORMED, "does not name its currency", subject=self.name, remedy=remedy)
        if self.rates.shape != (self.dates.size, self.years.size) or not self.rates.size:
            message = f"rates {self.rates.shape} for {self.dates.size} days and {self.years.size} tenors"
            raise refuse(RejectionReason.MALFORMED, message, subject=self.name, field="rates")
        if (np.diff(self.years) <= 0).any() or self.years[0] <= 0 or (np.diff(self.dates) <= 0).any():
            message = "tenors or days do not increase: the curve is singular"
            raise refuse(RejectionReason.MALFORMED, message, subject=self.name, field="tenor")
        bad = np.argwhere(~((self.rates >= RATE_MIN) & (self.rates <= RATE_MAX)))
        if bad.size:
            day, rate = to_date(int(self.dates[bad[0, 0]])), self.rates[tuple(bad[0])]
            message = f"{rate} on {day} is not from {RATE_MIN} to {RATE_MAX}"
            remedy = "rates are decimals: 0.031 for 3.1 %"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, subject=self.name, field="rate", remedy=remedy)
        for values in (self.dates, self.years, self.rates):
            values.setflags(write=False)

    @property
    def currency(self) -> str:
        """Return the currency that the name begins with."""
        return self.name.partition(".")[0]

    def on(self, dates: npt.NDArray[np.int32]) -> CurveSeries:
        """Return the curve on other days: the last one known on or before each, at most seven days old.

        Raises Rejected (missing) naming the first day without one.
        """
        place = np.searchsorted(self.dates, dates, side="right") - 1
        fresh = (place >= 0) & (dates - self.dates[np.maximum(place, 0)] <= STALE_DAYS_MAX)
        if not fresh.all():
            message = (
                f"there is no curve within {STALE_DAYS_MAX} days before {to_date(int(dates[int(fresh.argmin())]))}"
            )
            remedy = f"it runs from {to_date(int(self.dates[0]))} to {to_date(int(self.dates[-1]))}"
            raise refuse(RejectionReason.MISSING, message, subject=self.name, field="date", remedy=remedy)
        return CurveSeries(self.name, dates.astype(np.int32), self.years, self.rates[place])
