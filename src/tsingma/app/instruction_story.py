"""One instruction as it stands: both orders, what it is linked to, what would free it.

Its past is told in ``instruction_past``. Amounts are cents or units, seconds those of the business day.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.instruction_reads import InstructionState, OrderState, instruction_state, order_state
from tsingma.basics.dates import to_date
from tsingma.engine.house import House
from tsingma.engine.settling import now
from tsingma.settlement.instruction import CANCELLED, ORIGINS, SETTLED
from tsingma.settlement.remedy import what_frees


class Entered(msgspec.Struct, frozen=True):
    """An order of the instruction, with the day and second at which it came in."""

    order: OrderState
    day: str
    second: int


class Lack(msgspec.Struct, frozen=True):
    """What must come in on an account before it can settle."""

    account: str
    asset: str
    lack: int


class Freeing(msgspec.Struct, frozen=True):
    """What settling it at the next run asks for; nothing of it: it is covered and settles then.

    ``members`` are all that settle with or before it, itself too; ``until`` is the last intended day of ``early`` ones.
    """

    members: tuple[int, ...]
    lacks: tuple[Lack, ...]
    on_hold: tuple[int, ...]
    early: tuple[int, ...]
    until: str
    cancelled: tuple[int, ...]


class Story(msgspec.Struct, frozen=True):
    """An instruction as it stands, and how it came there; ``freeing`` is None once it is settled or cancelled."""

    state: InstructionState
    security_name: str
    origin: str
    matched_day: str
    settled_day: str
    orders: tuple[Entered, ...]
    earlier: tuple[int, ...]
    later: tuple[int, ...]
    together: tuple[int, ...]
    freeing: Freeing | None


def story_of(house: House, number: int) -> Story:
    """Return the story of an instruction as of now; raises Rejected (unknown)."""
    state = instruction_state(house, number)
    settlement, table = house.settlement, house.settlement.instructions.table
    cell = {name: int(column[number]) for name, column in table.items()}
    group = cell["together"]
    members = np.flatnonzero(table["together"] == group).tolist() if group else []
    return Story(
        state=state,
        security_name=_security_name(house, cell["asset"]),
        origin=ORIGINS[cell["origin"]],
        matched_day=day_text(cell["matched_day"]),
        settled_day=day_text(cell["settled_day"]),
        orders=tuple(_entered(house, cell[side]) for side in ("deliverer_order", "receiver_order") if cell[side] >= 0),
        earlier=tuple(settlement.links.earlier[settlement.links.later == number].tolist()),
        later=tuple(settlement.links.later[settlement.links.earlier == number].tolist()),
        together=tuple(one for one in members if one != number),
        freeing=None if cell["status"] in (SETTLED, CANCELLED) else _freeing(house, number),
    )


def _freeing(house: House, number: int) -> Freeing:
    settlement, table = house.settlement, house.settlement.instructions.table
    lender = now(house).lender(settlement)
    freed = what_frees(settlement.instructions, settlement.links, settlement.reservations, house.ledger, lender, number)
    book = house.resolved
    lacks = tuple(Lack(book.account_name(owner), book.asset_name(asset), lack) for owner, asset, lack in freed.lacks)
    until = max((int(table["intended_day"][one]) for one in freed.early), default=0)
    return Freeing(tuple(freed.members.tolist()), lacks, freed.on_hold, freed.early, day_text(until), freed.cancelled)


def _entered(house: House, order: int) -> Entered:
    table = house.settlement.orders.table
    return Entered(
        order_state(house, order), day_text(int(table["entered_day"][order])), int(table["entered_s"][order])
    )


def _security_name(house: House, asset: int) -> str:
    book = house.resolved
    security = asset - (book.asset_count - len(book.securities))
    return book.book.counters[int(book.settlement_counter[security])].name if security >= 0 else ""


def day_text(day: int) -> str:
    """Return a day's ISO form; "" for none."""
    return str(to_date(day)) if day else ""
