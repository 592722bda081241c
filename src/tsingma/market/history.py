"""Prices of many counters over many days, and the closing prices of one day; neither ever changes."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse


def _frozen(values: npt.NDArray[np.generic], kind: type[np.generic], shape: tuple[int, ...], field: str) -> None:
    if values.dtype != np.dtype(kind) or values.shape != shape:
        raise refuse(
            RejectionReason.MALFORMED,
            f"{values.dtype} {values.shape} given, {np.dtype(kind)} {shape} needed",
            field=field,
        )
    values.setflags(write=False)


class ClosingPrices(msgspec.Struct, frozen=True, eq=False):
    """Closing prices of one day: ``close_e4`` int64 [m] in ten-thousandths of HKD, 0 where ``missing`` bool [m]."""

    day: int  # days since 1970-01-01
    instruments: tuple[str, ...]  # five-digit stock codes
    close_e4: npt.NDArray[np.int64]
    missing: npt.NDArray[np.bool_]

    def price_e4(self, instrument: str) -> int:
        """Return one closing price; raises Rejected for a counter that is unknown or has no close that day."""
        if instrument not in self.instruments:
            raise refuse(RejectionReason.UNKNOWN, f"no price for counter '{instrument}'", subject=instrument)
        column = self.instruments.index(instrument)
        if self.missing[column]:
            raise refuse(RejectionReason.MISSING, f"no close on {to_date(self.day)}", subject=instrument)
        return int(self.close_e4[column])


class PriceHistory(msgspec.Struct, frozen=True, eq=False):
    """Closing prices by day and counter, adjusted for dividends and splits by whoever gave them.

    ``dates`` int32 [n] day numbers, strictly increasing; ``instruments`` m distinct five-digit stock codes;
    ``close_e4`` int64 [n, m] in ten-thousandths of HKD, positive, 0 where ``missing`` bool [n, m] is true;
    ``volumes`` int64 [n, m] shares or None. The arrays are made read-only. Raises Rejected when they contradict.
    """

    dates: npt.NDArray[np.int32]
    instruments: tuple[str, ...]
    close_e4: npt.NDArray[np.int64]
    missing: npt.NDArray[np.bool_]
    volumes: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Check shapes, types, order of days and signs of prices."""
        shape = (len(self.dates), len(self.instruments))
        _frozen(self.dates, np.int32, shape[:1], "dates")
        _frozen(self.close_e4, np.int64, shape, "close_e4")
        _frozen(self.missing, np.bool_, shape, "missing")
        if self.volumes is not None:
            _frozen(self.volumes, np.int64, shape, "volumes")
        if not all(shape):
            raise refuse(RejectionReason.MISSING, "a price history needs at least one day and one counter")
        if len(set(self.instruments)) != shape[1]:
            raise refuse(RejectionReason.DUPLICATE, "a counter occurs twice", field="instruments")
        if np.any(np.diff(self.dates) <= 0):
            raise refuse(RejectionReason.MALFORMED, "days do not increase", field="dates")
        if np.any((self.close_e4 <= 0) != self.missing):
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                "a price is zero or negative, or is given where it is said to be missing",
                field="close_e4",
            )
        if self.volumes is not None and np.any(self.volumes < 0):
            raise refuse(RejectionReason.OUT_OF_RANGE, "a volume is negative", field="volumes")

    @property
    def days(self) -> int:
        """Return the number of days, n."""
        return len(self.dates)

    def row_of(self, day: date | None) -> int:
        """Return the row of a day, the last row for None; raises Rejected when the history has no such day."""
        if day is None:
            return self.days - 1
        row = int(np.searchsorted(self.dates, to_day(day)))
        if row == self.days or self.dates[row] != to_day(day):
            near = to_date(int(self.dates[max(row - 1, 0)]))
            raise refuse(
                RejectionReason.UNKNOWN, f"the prices have no day {day}", field="date", remedy=f"{near} is the nearest"
            )
        return row

    def until(self, row: int) -> PriceHistory:
        """Return the history up to and including ``row``: all that was known at that close."""
        volumes = None if self.volumes is None else self.volumes[: row + 1]
        return PriceHistory(
            self.dates[: row + 1], self.instruments, self.close_e4[: row + 1], self.missing[: row + 1], volumes
        )

    def closing(self, row: int) -> ClosingPrices:
        """Return the closing prices of one row."""
        return ClosingPrices(int(self.dates[row]), self.instruments, self.close_e4[row], self.missing[row])

    def last_closing(self, row: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return per counter the last close at or before ``row`` (e4, 0 for none) and its row (-1 for none)."""
        rows = np.where(self.missing[: row + 1], -1, np.arange(row + 1)[:, None]).max(axis=0).astype(np.int64)
        closes = self.close_e4[np.maximum(rows, 0), np.arange(len(self.instruments))]
        return np.where(rows < 0, 0, closes), rows
