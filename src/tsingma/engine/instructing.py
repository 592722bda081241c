"""Commands on gross instructions: what parties send, change and link, and what settles at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack, unpack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine import settling
from tsingma.engine.cycle import settlement_days_between
from tsingma.engine.house import Handlers, House
from tsingma.journal.commands import ChangeInstruction, ChangeOrder, LinkInstructions, SubmitInstructions
from tsingma.journal.custody_events import DuePaid, FutureDelivered, OfferSettled, RepoChanged, UnitsDealt, UnitsIssued
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
from tsingma.settlement.growing import Column
from tsingma.settlement.instruction import BY_DELIVERER, BY_HOUSE, BY_RECEIVER
from tsingma.settlement.life import act
from tsingma.settlement.orders import ORDER_COLUMNS, ORDER_STATUSES, WAITING
from tsingma.settlement.penalties import late_matching_penalties
from tsingma.settlement.rules import rules_on
from tsingma.settlement.submission import MATCHES, WAITS, faults_of, rejection, submit

Int64 = npt.NDArray[np.int64]

SECONDS_A_DAY = 86_400
REJECTIONS_MAX = 100
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
)


def submit_instructions(house: House, command: SubmitInstructions) -> InstructionsSubmitted:
    """Take in orders, each for itself, match them and charge what matched late."""
    book, settlement, day = house.resolved, house.settlement, house.position.day
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", file=command.source, remedy="open the day first")
    if not settlement.clock_s <= command.time_s < SECONDS_A_DAY:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"second {command.time_s} of the day, it is {settlement.clock_s} already",
            field="time_s",
            remedy=f"{settlement.clock_s} to {SECONDS_A_DAY - 1}",
        )
    sender = participant(house, command.participant) if command.participant else -1
    columns = order_columns(command.columns)
    is_house = sender in (-1, int(book.account_participant[house.internal.house]))
    results = faults_of(columns, book, settlement.orders, sender=-1 if is_house else sender, is_house=is_house)
    bad = np.flatnonzero(results != WAITS)
    rejections = tuple(
        rejection(int(results[item]), item, columns, command.source) for item in bad[:REJECTIONS_MAX].tolist()
    )
    rules = rules_on(to_date(day))
    settling.tick(house, command.time_s)
    taken = submit(
        settlement.instructions, settlement.orders, settlement.links, columns, book, rules, results, day=day,
        second=command.time_s,
    )  # fmt: skip
    penalties = late_matching_penalties(
        settlement.instructions, settlement.claims, settling.now(house).values, rules, taken.matched, day,
        lambda first: settlement_days_between(first, day),
    )  # fmt: skip
    return InstructionsSubmitted(
        waiting=int((taken.results == WAITS).sum()),
        matched=int((taken.results == MATCHES).sum()),
        refused=int(bad.size),
        allegements_removed=taken.allegements_removed,
        late_matching_penalties=penalties,
        results=taken.results.tobytes(),
        numbers=pack(taken.numbers, "i8"),
        rejections=rejections,
    )


def order_columns(packed: dict[str, bytes]) -> dict[str, Column]:
    """Return all columns of orders, unpacked, with defaults; raises Rejected: unknown, missing, of other lengths."""
    unknown = sorted(set(packed) - set(ORDER_COLUMNS))
    if unknown:
        raise refuse(
            RejectionReason.UNKNOWN, "no such column", field=unknown[0], remedy=f"one of {', '.join(ORDER_COLUMNS)}"
        )
    missing = [name for name, (_, default) in ORDER_COLUMNS.items() if default is None and name not in packed]
    if missing:
        raise refuse(RejectionReason.MISSING, "the column is not given", field=missing[0])
    columns = {name: unpack(data, ORDER_COLUMNS[name][0], field=name) for name, data in packed.items()}
    count = columns["reference"].size
    if any(column.size != count for column in columns.values()):
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    for name, (kind, default) in ORDER_COLUMNS.items():
        if name not in columns and default is not None:
            columns[name] = np.full(count, default, kind)
    return columns


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
    SubmitInstructions: submit_instructions,
    ChangeOrder: change_order,
    LinkInstructions: link_instructions,
}
