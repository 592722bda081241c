"""Why an instruction in the books has not settled, and what would free it: all of it, so that doing it settles it.

What it is linked to is taken with it: what must settle together, and what must settle before. So is the credit the
books would lend for it against securities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.auto_collateral import Lender
from tsingma.settlement.instruction import CANCELLED, ON_HOLD, SETTLED, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.recycling import legs_of
from tsingma.settlement.reservation import Reservations

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Freed:
    """What settling ``members`` at one instant asks for: amounts (account, asset, lack), releases, days to come.

    ``cancelled`` are linked instructions that will never settle: then nothing frees it but taking it out of its links.
    """

    members: Int64
    lacks: tuple[tuple[int, int, int], ...]
    on_hold: tuple[int, ...]
    early: tuple[int, ...]
    cancelled: tuple[int, ...]


def what_frees(
    instructions: Instructions, links: Links, reservations: Reservations, ledger: Ledger, lender: Lender, number: int
) -> Freed:
    """Return what an instruction that has not settled needs beside its links, credit and what is reserved for it.

    Raises Rejected (unknown) for a number that is none.
    """
    if not 0 <= number < len(instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
    members = _bound(instructions, links, number)
    status, intended = instructions.table["status"][members], instructions.table["intended_day"][members]
    reserved, rows = reservations.of(members), ledger.count
    reservations.free(ledger, reserved)
    try:  # whatever fails in between, the books are as they were
        lacks = lender.lacks(instructions, ledger, members, legs_of(instructions, ledger, members))
        named = tuple((int(ledger.owner[row]), int(ledger.asset[row]), lack) for row, lack in lacks.items())
    finally:
        ledger.close_rows(rows)
        reservations.put_back(ledger, reserved)
    return Freed(
        members=members,
        lacks=named,
        on_hold=tuple(members[status == ON_HOLD].tolist()),
        early=tuple(members[intended > lender.day].tolist()),
        cancelled=tuple(members[status == CANCELLED].tolist()),
    )


def _bound(instructions: Instructions, links: Links, number: int) -> Int64:
    """Return an instruction and all that must settle with or before it and has not settled, numbers rising."""
    table, found, asked = instructions.table, {number}, [number]
    while asked:
        one = asked.pop()
        near = links.earlier[links.later == one].tolist()
        if table["together"][one]:
            near += np.flatnonzero(table["together"] == table["together"][one]).tolist()
        fresh = [other for other in near if other not in found and table["status"][other] != SETTLED]
        found.update(fresh)
        asked.extend(fresh)
    return np.array(sorted(found), np.int64)
