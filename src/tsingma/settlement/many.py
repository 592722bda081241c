"""Matching where three orders or more have the same mandatory fields: each, as it came, takes the best before it.

Orders that agree in every field but the amount lie in one drawer, sorted by amount, so that the nearest is found at
once: a thousand equal orders cost no more than a thousand different ones.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.settlement.growing import Column
from tsingma.settlement.instruction import DVP, DWP, PFOD
from tsingma.settlement.rules import Rules

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Entry = tuple[int, int]  # amount, order
Drawer = list[Entry]

MANDATORY = ("kind", "asset", "against", "quantity", "against_quantity", "trade_day", "intended_day", "conditions")
_OPTIONAL = ("common_reference", "account", "counterparty_account", "client", "counterparty_client")
LAST = 2**62  # above every order's number


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Greatest difference of amounts, by the deliverer's amount."""

    band: int
    up_to: int
    above: int

    def of(self, amount: int) -> int:
        """Return the tolerance for a deliverer's amount."""
        return self.up_to if amount <= self.band else self.above


def match_many(table: Mapping[str, Column], members: Int64, is_fresh: Bools, rules: Rules) -> Int64:
    """Return pairs [2, n] (first and second to come) among ``members``, in order of entry; all are waiting.

    ``is_fresh`` says of each member whether it came in last and looks for another.
    """
    order = np.argsort(members)
    members, is_fresh = members[order], is_fresh[order]
    columns = {name: table[name][members].tolist() for name in (*MANDATORY, *_OPTIONAL)}
    mandatory = list(zip(*(columns[name] for name in MANDATORY), strict=True))
    optional = list(zip(*(columns[name] for name in _OPTIONAL), strict=True))
    sides = [table[name][members].tolist() for name in ("delivers", "participant", "counterparty", "currency")]
    amounts, fresh = table["amount_cents"][members].tolist(), is_fresh.tolist()
    drawers: dict[tuple[object, ...], dict[tuple[int, ...], Drawer]] = {}
    found: list[Entry] = []
    for place, number in enumerate(members.tolist()):
        delivers, own, other, currency = (side[place] for side in sides)
        terms = mandatory[place]
        if fresh[place]:
            facing = drawers.get((not delivers, other, own, terms), {})
            tolerance = _tolerance(rules, terms[0], currency)
            taken = _best(facing, optional[place], amounts[place], tolerance, delivers=bool(delivers))
            if taken is not None:
                found.append((taken, number))
                continue
        mine = drawers.setdefault((bool(delivers), own, other, terms), {})
        insort(mine.setdefault(optional[place], []), (amounts[place], number))
    return np.array(found, np.int64).reshape(-1, 2).T


def _tolerance(rules: Rules, kind: int, currency: int) -> Tolerance:
    if kind not in (DVP, DWP, PFOD):
        return Tolerance(0, 0, 0)
    bands = (rules.tolerance_band_cents, rules.tolerance_up_to_cents, rules.tolerance_above_cents)
    return Tolerance(*(int(cents[currency]) for cents in bands))


def _best(
    drawers: dict[tuple[int, ...], Drawer], asked: tuple[int, ...], amount: int, tolerance: Tolerance, *, delivers: bool
) -> int | None:
    """Take the nearest amount out of the drawers that agree, of equally near the last to come; return its order."""
    candidates = [
        (abs(entry[0] - amount), -entry[1], entry, drawer)
        for terms, drawer in drawers.items()
        if drawer and _agree(terms, asked)
        for entry in _nearest(drawer, amount, None if delivers else tolerance.band)
        if abs(entry[0] - amount) <= tolerance.of(amount if delivers else entry[0])
    ]
    if not candidates:
        return None
    _, _, entry, drawer = min(candidates, key=lambda one: one[:2])
    del drawer[bisect_left(drawer, entry)]
    return entry[1]


def _nearest(drawer: Drawer, amount: int, band: int | None) -> list[Entry]:
    """Return the entries nearest to an amount: below, above and, with a ``band``, on both sides of it.

    What decides the tolerance of a receipt is the deliverer's amount: the nearest may be out where another is in.
    """
    split = [len(drawer)] if band is None else [bisect_right(drawer, (band, LAST)), len(drawer)]
    found, low = [], 0
    for high in split:
        place = bisect_right(drawer, (amount, LAST), low, high)
        if place > low:
            found.append(drawer[place - 1])
        if place < high:
            found.append(drawer[bisect_right(drawer, (drawer[place][0], LAST), place, high) - 1])
        low = high
    return found


def _agree(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """Return whether optional fields agree: equal where both are filled, the account and client the other one names."""
    reference, account, asked_account, client, asked_client = one
    return (
        (reference == two[0] or not reference or not two[0])
        and asked_account in (-1, two[1])
        and two[2] in (-1, account)
        and (not asked_client or not two[3] or asked_client == two[3])
        and (not two[4] or not client or two[4] == client)
    )
