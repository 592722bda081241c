"""Bonds, swaps and forwards as cash flows on one axis, valued under many curves at once.

A bond is its coupons and redemptions; a single-curve floating leg is worth its notional at the start less that at each
repayment; a currency forward is one flow in each currency. Flows on or before the day of valuation are not worth
anything any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.cash_flows import book_values, discount_axis
from tsingma.pricing.schedule import DayCount, IsOpen, Roll, adjust, schedule, year_fraction

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class Flow(msgspec.Struct, frozen=True):
    """Money on a day: plus is received."""

    day: date
    amount: float


class Bond(msgspec.Struct, frozen=True, kw_only=True):
    """A bond of ``face`` with coupons a year (0 for a zero bond) every ``months``, repaid at maturity or as ``repaid``.

    ``repaid`` are parts of the face by coupon period, first to last; what is left comes at maturity.
    """

    start: date
    maturity: date
    coupon: float
    face: float = 100.0
    months: int = 6
    count: DayCount = DayCount.ACT_365F
    roll: Roll = Roll.UNADJUSTED
    repaid: tuple[float, ...] = ()


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed-for-floating swap on one curve; ``pays_fixed`` from the holder's side, rates a year.

    ``fixing`` is the rate of the floating period that runs on the day of valuation, once the swap has started.
    """

    start: date
    maturity: date
    notional: float
    rate: float
    pays_fixed: bool = True
    fixed_months: int = 12
    fixed_count: DayCount = DayCount.ACT_365F
    floating_months: int = 3
    floating_count: DayCount = DayCount.ACT_365F
    fixing: float | None = None


class FloatingNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note of ``face`` that pays the index of its curve plus a spread; ``fixing`` as of :class:`Swap`."""

    start: date
    maturity: date
    face: float = 100.0
    spread: float = 0.0
    months: int = 3
    count: DayCount = DayCount.ACT_365F
    fixing: float | None = None


def bond_periods(bond: Bond, is_open: IsOpen | None = None) -> list[tuple[date, date, date, float]]:
    """Return (start, end, payment day, face outstanding) of every coupon period.

    Raises Rejected for parts repaid that are negative or more than the face.
    """
    days = schedule(bond.start, bond.maturity, bond.months)
    parts = bond.repaid
    if any(part < 0 for part in parts) or sum(parts) > 1 + 1e-12 or len(parts) > len(days) - 1:
        raise refuse(
            RejectionReason.OUT_OF_RANGE, "repayments are negative, too many or above the face", field="repaid"
        )
    left, periods = bond.face, []
    for number, (start, end) in enumerate(pairwise(days)):
        paid = adjust(end, bond.roll, is_open) if is_open else end
        periods.append((start, end, paid, left))
        left -= bond.face * parts[number] if number < len(parts) else 0.0
    return periods


def bond_flows(bond: Bond, is_open: IsOpen | None = None) -> list[Flow]:
    """Return coupons and redemptions of a bond in order of time."""
    periods = bond_periods(bond, is_open)
    flows = []
    for number, (start, end, paid, left) in enumerate(periods):
        after = periods[number + 1][3] if number + 1 < len(periods) else 0.0
        fraction = year_fraction(start, end, bond.count, months=bond.months)
        flows.append(Flow(paid, left * bond.coupon * fraction + left - after))
    return flows


def accrued_interest(bond: Bond, day: date) -> float:
    """Return the interest accrued to a settlement day, 0 outside the bond's life."""
    for start, end, _, left in bond_periods(bond):
        if start <= day < end:
            return left * bond.coupon * year_fraction(start, day, bond.count, months=bond.months, period_end=end)
    return 0.0


def dirty_price(bond: Bond, yield_rate: float, day: date) -> float:
    """Return the dirty price at a yield compounded with the coupons, the street convention.

    Raises Rejected (not-allowed) for a bond that has matured, (out-of-range) for a yield at or below -100 % a period.
    """
    frequency = 12.0 / bond.months
    base = 1.0 + yield_rate / frequency
    if base <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{yield_rate} is no yield", field="yield")
    flows = bond_flows(bond)
    years, value = 0.0, 0.0
    for (start, end, paid, _), flow in zip(bond_periods(bond), flows, strict=True):
        if paid <= day:
            continue
        begin = max(start, day)
        years += year_fraction(begin, end, bond.count, months=bond.months, period_end=end)
        value += flow.amount * base ** (-frequency * years)
    if not value:
        raise refuse(RejectionReason.NOT_ALLOWED, f"the bond matured on {bond.maturity}", field="maturity")
    return value


def yield_of(bond: Bond, dirty: float, day: date) -> float:
    """Return the yield at which the bond is worth a dirty price; raises Rejected when none up to 1,000 % does."""
    low, high = -0.9, 10.0
    if not dirty_price(bond, high, day) <= dirty <= dirty_price(bond, low, day):
        raise refuse(RejectionReason.OUT_OF_RANGE, f"no yield gives {dirty}", field="price")
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if dirty_price(bond, middle, day) > dirty else (low, middle)
    return 0.5 * (low + high)


def floating_start(
    start: date, maturity: date, months: int, count: DayCount, fixing: float | None, day: date | None
) -> Flow:
    """Return the flow that a floating leg of one is worth on its own curve, without the notional at maturity.

    Before the start that is the notional on the start day; later the notional and the running coupon at the next reset.
    Raises Rejected (missing) for a leg that has started without a fixing, (not-allowed) for one that has matured.
    """
    if day is None or start > day:
        return Flow(start, 1.0)
    if maturity <= day:
        raise refuse(RejectionReason.NOT_ALLOWED, f"it matured on {maturity}", field="maturity")
    if fixing is None:
        message = f"it started on {start}: the rate of the running period is needed"
        raise refuse(RejectionReason.MISSING, message, field="fixing")
    days = schedule(start, maturity, months)
    begin, end = next((begin, end) for begin, end in pairwise(days) if end > day)
    return Flow(end, 1.0 + fixing * year_fraction(begin, end, count, months=months))


def floating_note_flows(note: FloatingNote, day: date | None = None) -> list[Flow]:
    """Return the flows that a floating note is worth on its own curve on a day (before its start without one).

    Raises Rejected as :func:`floating_start`.
    """
    first = floating_start(note.start, note.maturity, note.months, note.count, note.fixing, day)
    spreads = [
        Flow(end, note.face * note.spread * year_fraction(begin, end, note.count, months=note.months))
        for begin, end in pairwise(schedule(note.start, note.maturity, note.months))
    ]
    return [Flow(first.day, note.face * first.amount), *(spreads if note.spread else [])]


def swap_flows(swap: Swap, day: date | None = None) -> list[Flow]:
    """Return the flows that a swap is worth on one curve: the notional out and in, and the fixed coupons.

    With a ``day`` on or after the start, the running floating coupon comes with the notional at the next reset. Raises
    Rejected as :func:`floating_start`.
    """
    first = floating_start(swap.start, swap.maturity, swap.floating_months, swap.floating_count, swap.fixing, day)
    sign = -1.0 if swap.pays_fixed else 1.0
    days = schedule(swap.start, swap.maturity, swap.fixed_months)
    fixed = [
        Flow(
            end,
            sign * swap.notional * swap.rate * year_fraction(start, end, swap.fixed_count, months=swap.fixed_months),
        )
        for start, end in pairwise(days)
    ]
    return [Flow(first.day, -sign * swap.notional * first.amount), *fixed, Flow(swap.maturity, sign * swap.notional)]


class FlowBook(msgspec.Struct, frozen=True, eq=False):
    """Contracts by row over one axis of payment days: what :func:`tsingma.kernels.cash_flows.book_values` takes."""

    day: date
    years: Float64
    start: Int64
    place: Int64
    amount: Float64

    @property
    def contracts(self) -> int:
        """Return how many contracts the book holds."""
        return self.start.size - 1

    def values(self, node_years: npt.ArrayLike, zero_rates: npt.ArrayLike) -> Float64:
        """Return values float64 [scenarios, contracts] under zero curves [scenarios, nodes], linear between nodes.

        Raises Rejected (missing) for no scenarios, (malformed) for nodes that do not increase or do not fit the rates.
        """
        nodes = np.asarray(node_years, np.float64)
        rates = np.atleast_2d(np.asarray(zero_rates, np.float64))
        if not rates.size:
            raise refuse(RejectionReason.MISSING, "there are no scenarios", field="zero_rates")
        if rates.shape[1] != nodes.size or (np.diff(nodes) <= 0).any() or not np.isfinite(rates).all():
            message = f"{nodes.size} nodes in ascending order and rates {rates.shape} do not make curves"
            raise refuse(RejectionReason.MALFORMED, message, field="zero_rates")
        return book_values(self.start, self.place, self.amount, discount_axis(self.years, nodes, rates))


def flow_book(day: date, contracts: Sequence[Sequence[Flow]]) -> FlowBook:
    """Return contracts on one axis, seen from a day (ACT/365); flows on or before it are left out."""
    open_flows = [[flow for flow in flows if flow.day > day] for flows in contracts]
    axis = sorted({flow.day for flows in open_flows for flow in flows})
    places = {each: place for place, each in enumerate(axis)}
    return FlowBook(
        day=day,
        years=np.array([(each - day).days / 365.0 for each in axis]),
        start=np.cumsum([0, *(len(flows) for flows in open_flows)]).astype(np.int64),
        place=np.array([places[flow.day] for flows in open_flows for flow in flows], np.int64),
        amount=np.array([flow.amount for flows in open_flows for flow in flows], np.float64),
    )


def floating_value(
    notional: float,
    days: Sequence[date],
    count: DayCount,
    day: date,
    projection: Sequence[float],
    discount: Sequence[float],
) -> float:
    """Return the value of a floating leg on two curves.

    ``projection`` are factors of the projecting curve at every day of the schedule, ``discount`` of the discounting one
    at every period's end; periods that end on or before the day are left out.
    """
    value = 0.0
    for number, (start, end) in enumerate(pairwise(days)):
        if end <= day:
            continue
        fraction = year_fraction(start, end, count)
        forward = (projection[number] / projection[number + 1] - 1.0) / fraction
        value += notional * forward * fraction * discount[number]
    return value


def forward_value(
    notional: float, strike: float, spot: npt.ArrayLike, domestic: npt.ArrayLike, foreign: npt.ArrayLike
) -> Float64:
    """Return the value, in domestic money, of buying ``notional`` of foreign money at ``strike``.

    ``spot`` domestic per foreign, ``domestic`` and ``foreign`` discount factors to delivery, all [scenarios].
    """
    value: Float64 = notional * (np.asarray(spot, np.float64) * np.asarray(foreign) - strike * np.asarray(domestic))
    return value
