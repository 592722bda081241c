"""Zero curves: held as rates at nodes, or bootstrapped from deposits and par swaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.pricing.schedule import DayCount, schedule, year_fraction

Float64 = npt.NDArray[np.float64]

ITERATIONS_MAX = 100
TOLERANCE = 1e-15


class Deposit(msgspec.Struct, frozen=True):
    """Money lent from the curve's day to ``end`` at a simple rate."""

    end: date
    rate: float
    count: DayCount = DayCount.ACT_365F


class ParSwap(msgspec.Struct, frozen=True):
    """A swap from the curve's day to ``end`` that is worth nothing at the fixed rate."""

    end: date
    rate: float
    months: int = 12
    count: DayCount = DayCount.ACT_365F


class DiscountCurve(msgspec.Struct, frozen=True, eq=False):
    """Discount factors, log-linear between days: ``years`` float64 [k] ACT/365 from 0, ``factors`` float64 [k]."""

    day: date
    years: Float64
    factors: Float64

    def factor(self, when: date) -> float:
        """Return the discount factor of a day; flat forward beyond the last. Raises Rejected for a day before today."""
        years = (when - self.day).days / 365.0
        if years < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{when} is before the curve's {self.day}", field="date")
        return _factor(years, self.years, self.factors)

    def zero_rate(self, when: date) -> float:
        """Return the continuously compounded rate to a day after today."""
        years = (when - self.day).days / 365.0
        if years <= 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{when} is not after the curve's {self.day}", field="date")
        return -float(np.log(self.factor(when))) / years


def _factor(years: float, nodes: Float64, factors: Float64) -> float:
    if years <= nodes[-1]:
        return float(np.exp(np.interp(years, nodes, np.log(factors))))
    slope = np.log(factors[-1] / factors[-2]) / (nodes[-1] - nodes[-2])
    return float(factors[-1] * np.exp(slope * (years - nodes[-1])))


def bootstrap(day: date, instruments: Sequence[Deposit | ParSwap]) -> DiscountCurve:
    """Return the curve that prices every instrument to par, each adding the factor of its end.

    Raises Rejected naming the instrument (1 is the first): none given, ends that do not increase, a rate that leaves no
    positive discount factor (a singular curve), no convergence.
    """
    if not instruments:
        raise refuse(RejectionReason.MISSING, "there is no instrument to build a curve from", field="curve")
    years, factors = [0.0], [1.0]
    for number, one in enumerate(instruments, 1):
        end = (one.end - day).days / 365.0
        if end <= years[-1]:
            message = f"instrument {number} ends on {one.end}, not after the one before: the curve is singular"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="end")
        years.append(end)
        factors.append(_solve(day, one, number, np.array(years), factors))
    return DiscountCurve(day, np.array(years), np.array(factors))


def _solve(day: date, one: Deposit | ParSwap, number: int, years: Float64, factors: list[float]) -> float:
    if isinstance(one, Deposit):
        growth = 1.0 + one.rate * year_fraction(day, one.end, one.count)
        if not np.isfinite(growth) or growth <= 0:
            raise _singular(number, one.rate)
        return float(1.0 / growth)
    days = schedule(day, one.end, one.months)
    fractions = [year_fraction(before, after, one.count, months=one.months) for before, after in pairwise(days)]
    times = [(each - day).days / 365.0 for each in days[1:]]
    known = np.array([*factors, factors[-1] * 0.99])

    def error(last: float) -> float:
        known[-1] = last
        annuity = sum(part * _factor(when, years, known) for part, when in zip(fractions, times, strict=True))
        return one.rate * annuity + last - 1.0

    low, high = 1e-12, 4.0
    if not np.isfinite(one.rate) or error(low) * error(high) > 0:
        raise _singular(number, one.rate)
    for _ in range(ITERATIONS_MAX):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if error(middle) < 0 else (low, middle)
        if high - low <= TOLERANCE:
            break
    return 0.5 * (low + high)


def _singular(number: int, rate: float) -> Exception:
    message = f"instrument {number} at {rate} leaves no positive discount factor: the curve is singular"
    return refuse(RejectionReason.OUT_OF_RANGE, message, field="rate", remedy="check the quote and its unit")
