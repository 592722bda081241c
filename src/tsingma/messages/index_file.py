"""One series of closes as a file (``date,open,close,volume``): an index or an exchange rate beside a price history."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np

from tsingma.basics.dates import parse_date, to_day
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.market.history import PriceHistory
from tsingma.messages.rows import read_cells

COLUMNS = ("date", "open", "close", "volume")
STALE_DAYS_MAX = 7


def read_closes(path: Path) -> dict[int, int]:
    """Return closes x 10**4 by day number; empty cells are left out. Raises Rejected naming file, line and field."""
    closes: dict[int, int] = {}
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path)) from None
    for line, row in read_cells(data, str(path), COLUMNS):
        if len(row) != len(COLUMNS):
            raise refuse(RejectionReason.MALFORMED, f"{len(row)} columns", file=str(path), line=line)
        if not row[2]:
            continue
        try:
            day, close = to_day(parse_date(row[0])), float(row[2])
        except (ValueError, Rejected):
            message = f"'{row[0]}', '{row[2]}' are no day and close"
            raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line) from None
        if not math.isfinite(close) or not 0 < close < 10**8:
            message = f"{close} is no price"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, file=str(path), line=line, field="close")
        closes[day] = round(close * 10_000)
    if not closes:
        raise refuse(RejectionReason.MISSING, "there is no close in the file", file=str(path), line=2)
    return closes


def with_series(history: PriceHistory, name: str, closes: dict[int, int]) -> PriceHistory:
    """Return the history with one more column: the last close on or before each day, at most seven days old.

    Raises Rejected (duplicate) when the name is taken, (missing) when not a day has a close.
    """
    if name in history.instruments:
        raise refuse(RejectionReason.DUPLICATE, f"'{name}' is in the history already", field="index")
    days = np.array(sorted(closes), np.int64)
    values = np.array([closes[int(day)] for day in days], np.int64)
    place = np.searchsorted(days, history.dates, side="right") - 1
    fresh = (place >= 0) & (history.dates - days[np.maximum(place, 0)] <= STALE_DAYS_MAX)
    column = np.where(fresh, values[np.maximum(place, 0)], 0)
    if not fresh.any():
        raise refuse(RejectionReason.MISSING, f"'{name}' has no close on any day of the history", field="index")
    return msgspec.structs.replace(
        history,
        instruments=(*history.instruments, name),
        close_e4=np.column_stack([history.close_e4, column]),
        missing=np.column_stack([history.missing, ~fresh]),
        volumes=None,
    )
