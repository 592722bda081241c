"""How bad it has been: worst days and quantiles of the index, and falls of home prices from high to low."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.series import Series


class WorstDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day and its change in percent."""

    day: date
    percent: float


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """The left tail of daily percent changes: worst days, quantiles by linear interpolation, worst run of five days."""

    first: date
    last: date
    days: int
    worst: tuple[WorstDay, ...]
    quantile_0_1: float
    quantile_1: float
    worst_five_days: float


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """One fall of a level from its high to its later low inside a window."""

    high_day: date
    high: float
    low_day: date
    low: float
    percent: float


def tail(series: Series, *, count: int = 5) -> Tail:
    """Return the tail of daily closes with the ``count`` worst days; at least a hundred days are needed."""
    if len(series.values) < 100:
        message = f"{len(series.values)} days of {series.name}, a hundred are needed"
        raise refuse(RejectionReason.INSUFFICIENT, message, field="days")
    values = series.values
    change = 100.0 * (values[1:] / values[:-1] - 1.0)
    worst = np.argsort(change, kind="stable")[:count]
    return Tail(
        first=series.days[0].astype(object),
        last=series.days[-1].astype(object),
        days=len(values),
        worst=tuple(
            WorstDay(day=series.days[place + 1].astype(object), percent=float(change[place])) for place in worst
        ),
        quantile_0_1=float(np.quantile(change, 0.001)),
        quantile_1=float(np.quantile(change, 0.01)),
        worst_five_days=float((100.0 * (values[5:] / values[:-5] - 1.0)).min()),
    )


def cycle(series: Series, first: date, last: date) -> Cycle:
    """Return the largest fall inside a window: the low furthest below the high before it."""
    part = series.between(first, last)
    highest = np.maximum.accumulate(part.values)
    low = int(np.argmin(part.values / highest))
    high = int(np.argmax(part.values[: low + 1]))
    return Cycle(
        high_day=part.days[high].astype(object),
        high=float(part.values[high]),
        low_day=part.days[low].astype(object),
        low=float(part.values[low]),
        percent=100.0 * float(part.values[low] / part.values[high] - 1.0),
    )
