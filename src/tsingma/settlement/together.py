"""Settling many gross instructions at one instant: what an optimiser proposed, verified in integers and booked or not.

Only the balances after all of them count (technical netting over gross bookings: T2S, delivery versus payment model 1
with continuous optimisation, feasibility annex on the settlement engine). Holds and pledges stay untouchable, no row
ends below its floor, and the set settles whole or not at all, whoever proposed it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.instruction import SETTLED, STATUSES, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.recycling import Legs, legs_of, ready
from tsingma.settlement.reservation import USED, Reservations

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Together:
    """What settled at one instant: instructions, shares, cents per currency."""

    settled: int
    shares: int
    amount_cents: tuple[int, ...]


def settle_together(
    instructions: Instructions, links: Links, reservations: Reservations, ledger: Ledger, day: int,
    kinds: tuple[int, ...], chosen: Int64,
) -> Together:  # fmt: skip
    """Settle the chosen instructions at one instant; all of them, or Rejected and none.

    What is reserved for one of them is available to it, and used up with it. ``chosen`` int64 [n] rises. Raises
    Rejected: malformed (not rising), unknown (no such instruction), not-allowed (not to be settled now, being none of
    the ``kinds`` or parted from what it is linked to), insufficient (naming the row that would end below its floor).
    """
    if chosen.size and (np.diff(chosen) <= 0).any():
        raise refuse(RejectionReason.MALFORMED, "the numbers of the instructions do not rise", field="instruction")
    if chosen.size and not 0 <= int(chosen[0]) <= int(chosen[-1]) < len(instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there are {len(instructions)} instructions", field="instruction")
    picked = np.zeros(len(instructions), np.bool_)
    picked[chosen] = True
    _require_ready(instructions, day, kinds, picked)
    _require_links(instructions, links, picked)
    legs = _book(instructions, reservations, ledger, day, chosen)
    instructions.table["settled_day"][chosen] = day
    instructions.change(chosen, SETTLED)
    assets = np.stack([instructions.table["asset"][chosen], instructions.table["against"][chosen]], axis=1)
    cents = tuple(int(legs.amount[assets == unit].sum()) for unit in range(len(CURRENCIES)))
    return Together(int(chosen.size), int(legs.amount[assets >= len(CURRENCIES)].sum()), cents)


def _book(instructions: Instructions, reservations: Reservations, ledger: Ledger, day: int, chosen: Int64) -> Legs:
    """Book the legs of the chosen instructions, or raise Rejected and leave no trace."""
    rows, reserved = ledger.count, reservations.of(chosen)
    reservations.free(ledger, reserved)
    legs = legs_of(instructions, ledger, chosen)
    try:
        short = ledger.post_together(legs.debit[legs.moves], legs.credit[legs.moves], legs.amount[legs.moves])
        if short is not None:
            owner, asset = int(ledger.owner[short]), int(ledger.asset[short])
            message = f"account {owner} would end below its floor in asset {asset}"
            raise refuse(RejectionReason.INSUFFICIENT, message, field="instruction", remedy="propose again")
    except Rejected:
        reservations.put_back(ledger, reserved)
        ledger.close_rows(rows)
        raise
    reservations.end(reserved, USED, day)
    return legs


def _require_ready(instructions: Instructions, day: int, kinds: tuple[int, ...], picked: Bools) -> None:
    allowed = np.zeros(picked.size, np.bool_)
    if kinds:
        allowed[ready(instructions, day, EVERY_MARKET, kinds)] = True
    refused = np.flatnonzero(picked & ~allowed)
    if refused.size:
        number = int(refused[0])
        status = STATUSES[int(instructions.table["status"][number])]
        message = (
            f"it is {status}, intended for day {int(instructions.table['intended_day'][number])}, or past its cut-off"
        )
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="instruction", subject=str(number))


def _require_links(instructions: Instructions, links: Links, picked: Bools) -> None:
    """Refuse a set that settles a part of a group, or what comes after something that does not settle."""
    table = instructions.table
    parted = np.zeros(0, np.int64)
    if links.later.size:
        done = picked[links.earlier] | (table["status"][links.earlier] == SETTLED)
        parted = links.later[picked[links.later] & ~done]
    group = table["together"]
    if group.any():
        here = np.zeros(int(group.max()) + 1, np.bool_)
        here[group[picked]] = True
        here[0] = False
        alone = picked & np.isin(group, links.incomplete())  # a pool that still misses a member
        parted = np.concatenate([parted, np.flatnonzero((here[group] & ~picked) | alone)])
    if parted.size:
        message = "it would be parted from an instruction it is linked to"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="instruction", subject=str(int(parted[0])))
