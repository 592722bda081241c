"""Commands on gross instructions: what parties send, change and link, and what settles at once."""

from __future__ import annotations

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.journal.commands import ChangeInstruction
from tsingma.journal.events import InstructionChanged
from tsingma.settlement.instruction import BY_DELIVERER, BY_HOUSE, BY_RECEIVER
from tsingma.settlement.life import act


def change_instruction(house: House, command: ChangeInstruction) -> InstructionChanged:
    """Carry out one party's action on a gross instruction; refused when it is not the party's or not permitted."""
    settlement = house.settlement
    by = parties(house, command.participant, command.instruction)
    status = act(
        settlement.instructions, settlement.links, command.instruction, command.action, by, value=command.value,
        day=house.position.day,
    )  # fmt: skip
    return InstructionChanged(command.instruction, status)


def parties(house: House, participant: str, instruction: int) -> int:
    """Return as which parties a participant may act on an instruction (bits); the house itself may act on every one.

    Raises Rejected (unknown) for a participant the book does not have.
    """
    book, table = house.resolved, house.settlement.instructions.table
    index = book.participant_index.get(participant)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    if not 0 <= instruction < table["status"].size:
        return 0
    accounts = np.array([table["deliverer"][instruction], table["receiver"][instruction]])
    mine = book.account_participant[accounts] == index
    house_too = int(book.account_participant[house.internal.house]) == index
    return BY_DELIVERER * int(mine[0]) + BY_RECEIVER * int(mine[1]) + BY_HOUSE * int(house_too)
