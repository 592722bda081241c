"""When a jointly margined participant defaults: its books are closed out together and the result is shared.

Two rules: by margin share (what is left over or missing of the whole close-out is borne in the proportion of the
margins
called), or by a capped guarantee (a house with a surplus pays the others' deficits up to the reduction it granted).
Restated CME-FICC and older two-pot agreements work in these two ways; their full texts are not public, so amounts
follow the rule as written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.joint.allocation import share_out


class Sharing(StrEnum):
    """How the result of a joint close-out is shared."""

    MARGIN_SHARE = "margin-share"
    CAPPED_GUARANTEE = "capped-guarantee"


class CloseOut(msgspec.Struct, frozen=True, kw_only=True):
    """One house's part of a default: margin held, profit of closing out its book, and the credit it had granted."""

    house: str
    margin: int
    profit: int
    credit: int = 0


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Where a house stands: its own surplus (plus) or deficit, what it receives (plus) or pays, and the result."""

    house: str
    own: int
    transfer: int
    result: int


def share_close_out(houses: Sequence[CloseOut], sharing: Sharing) -> tuple[Settled, ...]:
    """Return every house's result; transfers add up to zero. Raises Rejected for a negative margin or no house.

    By margin share: a common surplus first makes every deficit good; a common deficit is split by margin.
    """
    if not houses:
        raise refuse(RejectionReason.MISSING, "there is no house", field="houses")
    for house in houses:
        if house.margin < 0 or house.credit < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, "is negative", field="margin or credit", subject=house.house)
    own = [house.margin + house.profit for house in houses]
    transfer = _by_margin(houses, own) if sharing is Sharing.MARGIN_SHARE else _by_guarantee(houses, own)
    if sum(transfer) != 0:
        raise InvariantBroken(f"transfers between houses add up to {sum(transfer)}")
    return tuple(
        Settled(house=house.house, own=each, transfer=moved, result=each + moved)
        for house, each, moved in zip(houses, own, transfer, strict=True)
    )


def _by_margin(houses: Sequence[CloseOut], own: list[int]) -> list[int]:
    net = sum(own)
    if net >= 0:
        return _pay(own, [max(-each, 0) for each in own])
    weights = [Fraction(house.margin) for house in houses]
    if not sum(weights):
        weights = [Fraction(1)] * len(houses)
    parts = share_out(-net, weights, [-net] * len(houses))
    return [-part - each for part, each in zip(parts, own, strict=True)]


def _by_guarantee(houses: Sequence[CloseOut], own: list[int]) -> list[int]:
    can_pay = [min(max(each, 0), house.credit) for house, each in zip(houses, own, strict=True)]
    need = [min(max(-each, 0), house.credit) for house, each in zip(houses, own, strict=True)]
    return _pay(can_pay, need)


def _pay(surplus: list[int], need: list[int]) -> list[int]:
    """Move as much as there is from surpluses (plus) to needs, both in proportion."""
    have = [max(each, 0) for each in surplus]
    moved = min(sum(have), sum(need))
    if not moved:
        return [0] * len(have)
    paid = share_out(moved, [Fraction(each) for each in have], have)
    received = share_out(moved, [Fraction(each) for each in need], need)
    return [got - gave for got, gave in zip(received, paid, strict=True)]
