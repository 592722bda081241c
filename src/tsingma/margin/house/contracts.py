"""Swaps, bonds and bond futures as terms, and what a face of one is worth under many curves at once.

A maturity of so many months makes a contract of constant maturity, rewritten each day, and no rate means the rate at
which it is worth nothing (a swap) or its face (a bond): what a study through time needs. A bond future is worth the
cheapest of its basket: forward clean price over conversion factor, the factor being the clean price of a face of one
at the notional coupon on the day of delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.margin.house.holdings import Product
from tsingma.pricing.cash_flows import (
    Bond,
    FloatingNote,
    Flow,
    FlowBook,
    Swap,
    accrued_interest,
    bond_flows,
    dirty_price,
    floating_note_flows,
    flow_book,
    swap_flows,
)
from tsingma.pricing.schedule import DayCount, add_months

Float64 = npt.NDArray[np.float64]


class ContractKind(StrEnum):
    """Kinds of contract."""

    SWAP = "swap"
    BOND = "bond"  # fixed, zero (rate 0) or amortising (repaid)
    FLOATER = "floater"
    BOND_FUTURE = "bond-future"


PRODUCT_OF = {
    ContractKind.SWAP: Product.SWAP,
    ContractKind.BOND: Product.BOND,
    ContractKind.FLOATER: Product.BOND,
    ContractKind.BOND_FUTURE: Product.BOND_FUTURE,
}


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of one contract.

    ``start`` None: the day of valuation; ``maturity`` a day, or months from the start (of a bond future: delivery).
    ``rate`` the fixed rate, coupon, spread (of a floater) or notional coupon (of a bond future), None for par.
    ``repaid`` parts of the face by period; ``basket`` ids of the bonds that a future may be delivered in.
    """

    id: str
    kind: ContractKind
    curve: str
    maturity: date | int
    rate: float | None
    start: date | None = None
    months: int = 12
    count: DayCount = DayCount.ACT_365F
    floating_months: int = 3
    fixing: float | None = None
    repaid: tuple[float, ...] = ()
    basket: tuple[str, ...] = ()
    line: int = 0

    def starts(self, day: date) -> date:
        """Return the day on which it starts, as seen from a day."""
        return self.start or day

    def matures(self, day: date) -> date:
        """Return the day on which it ends, as seen from a day."""
        return add_months(self.starts(day), self.maturity) if isinstance(self.maturity, int) else self.maturity


def check_contracts(contracts: Sequence[Contract], *, file: str = "") -> dict[str, Contract]:
    """Return contracts by id; raises Rejected naming the line of an id twice, or a basket that is not of bonds."""
    found: dict[str, Contract] = {}
    for one in contracts:
        if one.id in found:
            raise refuse(RejectionReason.DUPLICATE, f"'{one.id}' stands twice", file=file, line=one.line, field="id")
        found[one.id] = one
    for one in contracts:
        if (one.kind is ContractKind.BOND_FUTURE) != bool(one.basket):
            message = "a bond future needs a basket, and nothing else has one"
            raise refuse(RejectionReason.MISSING, message, file=file, line=one.line, field="basket")
        for name in one.basket:
            bond = found.get(name)
            if bond is None or bond.kind is not ContractKind.BOND or bond.rate is None or bond.curve != one.curve:
                message = f"'{name}' is no bond with a coupon on {one.curve}"
                raise refuse(RejectionReason.UNKNOWN, message, file=file, line=one.line, field="basket")
    return found


def _bond(one: Contract, day: date, rate: float) -> Bond:
    return Bond(
        start=one.starts(day), maturity=one.matures(day), coupon=rate, face=1.0, months=one.months, count=one.count,
        repaid=one.repaid,
    )  # fmt: skip


def _flows(one: Contract, day: date, rate: float) -> list[Flow]:
    """Return the flows of a face of one; a swap pays fixed."""
    start, end = one.starts(day), one.matures(day)
    if end <= day:
        raise refuse(RejectionReason.NOT_ALLOWED, f"it matured on {end}", field="maturity")
    if one.kind is ContractKind.SWAP:
        swap = Swap(
            start=start, maturity=end, notional=1.0, rate=rate, fixed_months=one.months, fixed_count=one.count,
            floating_months=one.floating_months, floating_count=one.count, fixing=one.fixing,
        )  # fmt: skip
        return swap_flows(swap, None if one.start is None else day)
    if one.kind is ContractKind.FLOATER:
        note = FloatingNote(
            start=start, maturity=end, face=1.0, spread=rate, months=one.floating_months, count=one.count,
            fixing=one.fixing,
        )  # fmt: skip
        return floating_note_flows(note, None if one.start is None else day)
    return bond_flows(_bond(one, day, rate))


def _on_the_spot(flows: Sequence[Flow], day: date) -> float:
    """Return what is due today of a contract that starts today: its notional."""
    return sum(flow.amount for flow in flows if flow.day == day)


class CurveBook:
    """Contracts on one curve as seen from a day: one axis of payment days for all of them."""

    def __init__(self, contracts: Sequence[Contract], known: Mapping[str, Contract], day: date, years: Float64,
                 rates: Float64) -> None:  # fmt: skip
        """Write the flows at the curve of the day; raises Rejected naming the contract that cannot be valued."""
        self._years, self._contracts, self._day = years, tuple(contracts), day
        self._known, self._place = known, {}
        rows: list[list[Flow]] = []
        spot: list[float] = []
        for one in contracts:
            try:
                parts = self._parts(one, day, rates)
            except Rejected as wrong:
                first = wrong.rejections[0]
                raise refuse(first.reason, first.message, subject=f"contract {one.id}", field=first.field,
                             line=one.line) from None  # fmt: skip
            self._place[one.id] = slice(len(rows), len(rows) + len(parts))
            rows += parts
            spot += [0.0 if one.start else _on_the_spot(part, day) for part in parts]
        self._spot = np.array(spot)
        self._book: FlowBook = flow_book(day, rows)

    def _parts(self, one: Contract, day: date, rates: Float64) -> list[list[Flow]]:
        if one.kind is not ContractKind.BOND_FUTURE:
            return [_flows(one, day, one.rate if one.rate is not None else self._par(one, day, rates))]
        delivery = one.matures(day)
        if delivery <= day:
            raise refuse(RejectionReason.NOT_ALLOWED, f"it expired on {delivery}", field="maturity")
        bonds = [_bond(self._known[name], day, self._known[name].rate or 0.0) for name in one.basket]
        for name, bond in zip(one.basket, bonds, strict=True):
            if bond.maturity <= delivery:
                message = f"'{name}' matures on {bond.maturity}, before delivery"
                raise refuse(RejectionReason.NOT_ALLOWED, message, field="basket")
        later = [[flow for flow in bond_flows(bond) if flow.day > delivery] for bond in bonds]
        return [[Flow(delivery, 1.0)], *later]

    def _par(self, one: Contract, day: date, rates: Float64) -> float:
        """Return the rate at which a swap is worth nothing or a bond its face: values are linear in the rate."""
        flows = [_flows(one, day, rate) for rate in (0.0, 1.0)]
        spot = [0.0 if one.start else _on_the_spot(part, day) for part in flows]
        free, one_more = flow_book(day, flows).values(self._years, rates)[0] + spot
        wanted = 0.0 if one.kind is ContractKind.SWAP else 1.0
        return float((wanted - free) / (one_more - free))

    def values(self, rates: Float64) -> dict[str, Float64]:
        """Return the value of a face of one by contract, float64 [scenarios], under zero rates [scenarios, nodes]."""
        values = self._book.values(self._years, rates) + self._spot
        return {one.id: self._value(one, values[:, self._place[one.id]]) for one in self._contracts}

    def _value(self, one: Contract, parts: Float64) -> Float64:
        if one.kind is not ContractKind.BOND_FUTURE:
            plain: Float64 = parts[:, 0]
            return plain
        delivery, coupon = one.matures(self._day), one.rate or 0.0
        prices = []
        for place, name in enumerate(one.basket, 1):
            bond = _bond(self._known[name], self._day, self._known[name].rate or 0.0)
            accrued = accrued_interest(bond, delivery)
            factor = dirty_price(bond, coupon, delivery) - accrued
            prices.append((parts[:, place] / parts[:, 0] - accrued) / factor)
        cheapest: Float64 = np.min(np.stack(prices), axis=0)
        return cheapest
