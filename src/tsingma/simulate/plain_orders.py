"""What the auditor does on orders of one side: each as it comes takes the nearest before it that says the same.

Deliveries against payment alone; what late or failing orders cost in penalties the auditor does not foretell.
Source: T2S UDFS R2026.JUN, section 1.6.1.2.3. Written as a search through everything that waits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason
from tsingma.journal.commands import SubmitInstructions
from tsingma.settlement.rules import Rules, rules_on
from tsingma.simulate.plain_settlement import PlainInstruction

if TYPE_CHECKING:
    from tsingma.simulate.plain_house import Figures, PlainHouse

WAITS, MATCHES, NO_QUANTITY, REPEATED = 0, 1, 10, 17
TYPES = {
    "reference": "q", "account": "i", "counterparty": "i", "delivers": "b", "trade_day": "i", "intended_day": "i",
    "security": "i", "currency": "b", "quantity": "q", "amount_cents": "q", "partial": "b", "hold": "b",
}  # fmt: skip
_AGREED = ("trade_day", "intended_day", "security", "currency", "quantity")


@dataclass(slots=True)
class PlainOrder:
    """One order, and the instruction it became (-1 while it waits)."""

    participant: int
    reference: int
    account: int
    counterparty: int
    delivers: int
    trade_day: int
    intended_day: int
    security: int
    currency: int
    quantity: int
    amount_cents: int
    partial: int
    hold: int
    instruction: int = -1

    def faces(self, other: PlainOrder, rules: Rules) -> bool:
        """Return whether the two describe one instruction."""
        same = all(getattr(self, name) == getattr(other, name) for name in _AGREED)
        mutual = (self.participant, self.counterparty) == (other.counterparty, other.participant)
        if not (same and mutual and self.delivers != other.delivers):
            return False
        amount = (self if self.delivers else other).amount_cents
        small = amount <= int(rules.tolerance_band_cents[self.currency])
        most = rules.tolerance_up_to_cents if small else rules.tolerance_above_cents
        return abs(self.amount_cents - other.amount_cents) <= int(most[self.currency])


def submit_orders(house: PlainHouse, command: SubmitInstructions) -> Figures:
    """Judge each order, match it, and settle at once what that made ready."""
    book = house.known
    house.require(house.is_open, RejectionReason.NOT_ALLOWED)
    house.require(command.time_s < 86_400, RejectionReason.OUT_OF_RANGE)
    house.require(not command.participant or command.participant in book.participants, RejectionReason.UNKNOWN)
    count = len(command.columns["reference"]) // 8
    columns = [struct.unpack(f"<{count}{kind}", command.columns[name]) for name, kind in TYPES.items()]
    rows = [dict(zip(TYPES, row, strict=True)) for row in zip(*columns, strict=True)]
    known = {(one.participant, one.reference) for one in house.orders}
    results, numbers, fresh = [WAITS] * count, [-1] * count, list[int]()
    for place, row in enumerate(rows):
        order = PlainOrder(book.account_owner[row["account"]], **row)
        if row["quantity"] < 1:
            results[place] = NO_QUANTITY
        elif (order.participant, order.reference) in known:
            results[place] = REPEATED
        else:
            numbers[place] = len(house.orders)
            fresh.append(len(house.orders))
            house.orders.append(order)
        known.add((order.participant, order.reference))
    matched = _match(house, fresh)
    for place, number in enumerate(numbers):
        if number >= 0 and house.orders[number].instruction >= 0:
            results[place], numbers[place] = MATCHES, house.orders[number].instruction
    return {
        "waiting": results.count(WAITS),
        "matched": results.count(MATCHES),
        "refused": sum(code > MATCHES for code in results),
        "results": bytes(results),
        "numbers": struct.pack(f"<{count}q", *numbers),
        **house.woken(tuple(map(id, matched)), set()),
    }


def _match(house: PlainHouse, fresh: list[int]) -> list[PlainInstruction]:
    rules, book = rules_on(to_date(house.day)), house.known
    matched = []
    for number in fresh:
        order = house.orders[number]
        facing = [
            (abs(order.amount_cents - other.amount_cents), -place, other)
            for place, other in enumerate(house.orders[:number])
            if other.instruction < 0 and order.faces(other, rules)
        ]
        if not facing:
            continue
        other = min(facing, key=lambda one: one[:2])[2]
        gives, takes = (order, other) if order.delivers else (other, order)
        sides = (("deliverer", gives), ("receiver", takes))
        holds = frozenset(side for side, one in sides if one.hold)
        market = book.counters[book.settlement_counter[order.security]][2]
        order.instruction = other.instruction = len(house.instructions)
        house.instructions.append(
            PlainInstruction(
                gives.account,
                takes.account,
                order.security,
                market,
                order.currency,
                order.quantity,
                gives.amount_cents,
                order.intended_day,
                "on-hold" if holds else "matched",
                holds=holds,
            )
        )
        matched.append(house.instructions[-1])
    return matched
