"""Commands on gross instructions: what parties change and link, and what settles at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine import settling
from tsingma.engine.house import Handlers, House
from tsingma.journal.commands import ChangeInstruction, ChangeOrder, LinkInstructions
from tsingma.journal.custody_events import DuePaid, FutureDelivered, OfferSettled, RepoChanged, UnitsDealt, UnitsIssued
from tsingma.journal.default_events import ParticipantReinstated
from tsingma.journal.events import (
    AssetsDeposited,
    Event,
    InstructionChanged,
    InstructionsLinked,
    InstructionsSettled,
    InstructionsSubmitted,
    OrderChanged,
    ReservationEnded,
)
from tsingma.journal.payment_events import (
    MainlandReceived,
    PaymentsRun,
    PaymentsSettled,
    PaymentsSubmitted,
    ReservedPaid,
)
from tsingma.settlement.instruction import BY_DELIVERER, BY_HOUSE, BY_RECEIVER
from tsingma.settlement.life import act
from tsingma.settlement.orders import ORDER_STATUSES, WAITING
from tsingma.settlement.submission import MATCHES

Int64 = npt.NDArray[np.int64]

WAKES = (
    InstructionsSubmitted,
    InstructionChanged,
    AssetsDeposited,
    ReservationEnded,
    UnitsIssued,
    OfferSettled,
    DuePaid,
    RepoChanged,
    UnitsDealt,
    FutureDelivered,
    PaymentsSubmitted,
    PaymentsRun,
    PaymentsSettled,
    MainlandReceived,
    ReservedPaid,
    ParticipantReinstated,
)


def change_instruction(house: House, command: ChangeInstruction) -> InstructionChanged:
    """Carry out one party's action on a gross instruction; refused when it is not the party's or not permitted."""
    settlement = house.settlement
    by = parties(house, command.participant, command.instruction)
    status = act(
        settlement.instructions, settlement.links, command.instruction, command.action, by, value=command.value,
        day=house.position.day,
    )  # fmt: skip
    return InstructionChanged(command.instruction, status)


def change_order(house: House, command: ChangeOrder) -> OrderChanged:
    """Change an order that has no match yet: its own side alone may cancel it, or change how it is processed."""
    sender, orders = participant(house, command.participant), house.settlement.orders
    number, table = command.order, orders.table
    if not 0 <= number < len(orders):
        raise refuse(RejectionReason.UNKNOWN, f"there is no order {number}", field="order")
    if int(table["participant"][number]) != sender:
        raise refuse(RejectionReason.NOT_ALLOWED, "the order belongs to others", subject=str(number))
    status = int(table["status"][number])
    if status != WAITING:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"it is {ORDER_STATUSES[status]}",
            subject=str(number),
            remedy="what is matched changes as an instruction",
        )
    settings = {"hold": ("hold", 1), "release": ("hold", 0), "permit-parts": ("partial", 1),
                "refuse-parts": ("partial", 0), "prioritise": ("priority", command.value)}  # fmt: skip
    if command.action == "cancel":
        orders.withdraw(np.array([number], np.int64))
    elif command.action in settings:
        name, value = settings[command.action]
        if name == "priority" and value not in (2, 3):
            raise refuse(
                RejectionReason.NOT_ALLOWED, "not a party's to give", field="value", remedy="2 high or 3 normal"
            )
        table[name][number] = value
    else:
        raise refuse(
            RejectionReason.UNKNOWN,
            f"no action '{command.action}'",
            field="action",
            remedy=f"cancel, {', '.join(settings)}; anything else: cancel it and send a new one",
        )
    table["changed_day"][number] = house.position.day
    return OrderChanged(number, ORDER_STATUSES[int(table["status"][number])])


def link_instructions(house: House, command: LinkInstructions) -> InstructionsLinked:
    """Link instructions; the participant is party to every one of them."""
    settlement = house.settlement
    participant(house, command.participant)
    for number in command.instructions:
        if 0 <= number < len(settlement.instructions) and not parties(house, command.participant, number):
            raise refuse(RejectionReason.NOT_ALLOWED, "the instruction belongs to others", subject=str(number))
    settlement.links.join(settlement.instructions, command.kind, command.instructions)
    return InstructionsLinked(command.kind, len(command.instructions))


def settle_what_woke(house: House, event: Event) -> tuple[Event, ...]:
    """Settle what an event has made ready: matched, changed, released, or waiting for what was deposited."""
    if not settling.is_continuous(house):
        return ()
    numbers, credited = np.zeros(0, np.int64), np.zeros(0, np.int64)
    table = house.settlement.instructions.table
    if isinstance(event, InstructionsSubmitted):
        taken = unpack(event.numbers, "i8").astype(np.int64)
        numbers = np.unique(taken[np.frombuffer(event.results, np.int8) == MATCHES])
    elif isinstance(event, InstructionChanged):
        numbers = np.array([event.instruction], np.int64)
    elif isinstance(event, ParticipantReinstated):
        numbers = unpack(event.released, "i8").astype(np.int64)
    else:  # something came in or is free again: whatever waits on a row that has something now
        blocked = np.unique(table["blocked_on"])
        blocked = blocked[blocked >= 0].astype(np.int64)
        credited = blocked[house.ledger.available(blocked) > 0]
    figures = settling.settle_at_once(house, numbers, credited)
    return () if figures is None else (InstructionsSettled(figures),)


def participant(house: House, code: str) -> int:
    """Return a participant's index; raises Rejected (unknown)."""
    index = house.resolved.participant_index.get(code)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{code}'", field="participant")
    return index


def parties(house: House, code: str, instruction: int) -> int:
    """Return as which parties a participant may act on an instruction (bits); the house itself may act on every one.

    Raises Rejected (unknown) for a participant the book does not have.
    """
    book, table = house.resolved, house.settlement.instructions.table
    index = participant(house, code)
    if not 0 <= instruction < table["status"].size:
        return 0
    accounts = np.array([table["deliverer"][instruction], table["receiver"][instruction]])
    mine = book.account_participant[accounts] == index
    house_too = int(book.account_participant[house.internal.house]) == index
    return BY_DELIVERER * int(mine[0]) + BY_RECEIVER * int(mine[1]) + BY_HOUSE * int(house_too)


HANDLERS: Handlers = {
    ChangeInstruction: change_instruction,
    ChangeOrder: change_order,
    LinkInstructions: link_instructions,
}
