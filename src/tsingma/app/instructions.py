"""Instructions of a house: send a file of orders, list what waits, tell the story of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.session import Session, name_of_file
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, Amount
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.carried_out import carried_out
from tsingma.journal.commands import SubmitInstructions, decode
from tsingma.journal.events import Accepted, InstructionsSettled, InstructionsSubmitted
from tsingma.messages.instruction_file import FAULTS_MAX, packed, read_instructions
from tsingma.settlement.instruction import (
    BY_DELIVERER,
    BY_HOUSE,
    BY_RECEIVER,
    CANCELLED,
    FAILING,
    KINDS,
    MATCHED,
    ON_HOLD,
    PRIORITIES,
    REASONS,
    SETTLED,
    STATUSES,
)
from tsingma.settlement.orders import WAITING

ORDERS_A_COMMAND = 250_000
_PARTIES = ((BY_DELIVERER, "the deliverer"), (BY_RECEIVER, "the receiver"), (BY_HOUSE, "the house"))


class Sent(msgspec.Struct, frozen=True):
    """What became of a file: orders that wait, matched and were refused; what settled at once; why not, the first."""

    orders: int
    waiting: int
    matched: int
    refused: int
    settled: int
    rejections: tuple[Rejection, ...]


class Waiting(msgspec.Struct, frozen=True):
    """One open instruction or unmatched order, in words; ``number`` counts orders and instructions apart."""

    what: str  # "instruction" or "order"
    number: int
    kind: str
    deliverer: str
    receiver: str
    moves: str
    against: str
    intended: str
    priority: str
    status: str
    reason: str


class Chapter(msgspec.Struct, frozen=True):
    """What one record of the journal did to an instruction."""

    record: int
    day: str
    command: str
    happened: tuple[str, ...]


def send_file(house: Path | str, path: Path, participant: str = "", second: int | None = None) -> Sent:
    """Send the orders of a file to an open house; the same file on the same day is sent only once.

    ``second`` is the time of day; left out, it is the time at which the house stands. Raises Rejected when the file is
    refused (then nothing of it is sent; see also ``require_speaker``) or no day is open; single bad orders are refused
    beside the others.
    """
    with Session.open(house) as session:
        state = session.house
        columns = read_instructions(path, state.resolved)
        require_speaker(columns, state, participant, str(path))
        digest = name_of_file(path.read_bytes(), participant)
        count = columns["reference"].size
        answers = []
        for part, start in enumerate(range(0, count, ORDERS_A_COMMAND)):
            chosen = {name: column[start : start + ORDERS_A_COMMAND] for name, column in columns.items()}
            moment = state.settlement.clock_s if second is None else second
            command = SubmitInstructions(path.name, participant, moment, packed(chosen))
            name = f"{to_date(state.position.day)}/instructions/{digest}/{part}"
            answers.append(session.once(name, lambda command=command: command))  # type: ignore[misc]
    return _sum(answers, count)


def require_speaker(
    columns: Mapping[str, np.ndarray], house: House, participant: str, file: str, lines: Sequence[int] = (),
    field: str = "matched",
) -> None:  # fmt: skip
    """Refuse orders that one participant sends as agreed already, where it does not act for both sides.

    Such an order binds the other side unasked; the house itself (``participant`` "" or its own code) may send what was
    agreed elsewhere. ``lines`` are those of the orders (without, one each after a header), ``field`` is what
    the file calls it. Raises Rejected (not-allowed) naming every such order, at most 100.
    """
    book = house.resolved
    sender = book.participant_index.get(participant, -1)  # an unknown one is refused by the house
    if "matched" not in columns or sender in (-1, int(book.account_participant[house.internal.house])):
        return
    for_both = (columns["counterparty"] == sender) & (book.account_participant[columns["account"]] == sender)
    alone = np.flatnonzero((columns["matched"] != 0) & ~for_both)[:FAULTS_MAX].tolist()
    if alone:
        raise Rejected(
            *(
                Rejection(
                    reason=RejectionReason.NOT_ALLOWED, file=file, line=lines[item] if lines else item + 2, field=field,
                    subject=f"order {int(columns['reference'][item])}",
                    message=f"is sent as agreed already, and {participant} is not on both sides of it",
                    remedy="send your own side to be matched; the house itself sends agreed instructions",
                )
                for item in alone
            )
        )  # fmt: skip


def _sum(answers: list[Accepted], count: int) -> Sent:
    events = [event for answer in answers for event in answer.events]
    taken = [event for event in events if isinstance(event, InstructionsSubmitted)]
    return Sent(
        orders=count,
        waiting=sum(event.waiting for event in taken),
        matched=sum(event.matched for event in taken),
        refused=sum(event.refused for event in taken),
        settled=sum(event.figures["settled"] for event in events if isinstance(event, InstructionsSettled)),
        rejections=tuple(rejection for event in taken for rejection in event.rejections),
    )


def queue(house: Path | str, participant: str = "", limit: int = 100) -> tuple[int, list[Waiting]]:
    """Return how many instructions and orders are open, and the first of them in order of priority and entry."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        table, orders = state.settlement.instructions.table, state.settlement.orders.table
        numbers = np.flatnonzero(np.isin(table["status"], (MATCHED, ON_HOLD, FAILING)))
        waiting = np.flatnonzero(orders["status"] == WAITING)
        if participant:
            index = state.resolved.participant_index.get(participant)
            if index is None:
                raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
            owner = state.resolved.account_participant
            sides = (owner[table[side][numbers]] == index for side in ("deliverer", "receiver"))
            numbers = numbers[np.logical_or(*sides)]
            against = (orders[side][waiting] == index for side in ("participant", "counterparty"))
            waiting = waiting[np.logical_or(*against)]
        order = np.lexsort((numbers, table["priority"][numbers]))
        rows = [_instruction(state, number) for number in numbers[order][:limit].tolist()]
        rows += [_order(state, number) for number in waiting[: max(0, limit - len(rows))].tolist()]
        return int(numbers.size + waiting.size), rows


def _instruction(house: House, number: int) -> Waiting:
    table = house.settlement.instructions.table
    cell = {name: int(column[number]) for name, column in table.items()}
    second = int(house.settlement.instructions.second_leg(np.array([number]))[0])
    return Waiting(
        what="instruction",
        number=number,
        kind=KINDS[cell["kind"]],
        deliverer=house.resolved.account_name(cell["deliverer"]),
        receiver=house.resolved.account_name(cell["receiver"]),
        moves=_amount(house, cell["asset"], cell["open_quantity"]),
        against=_amount(house, cell["against"], second),
        intended=str(to_date(cell["intended_day"])),
        priority=PRIORITIES[cell["priority"]],
        status=STATUSES[cell["status"]],
        reason=REASONS[cell["reason"]] if not cell["holds"] else f"held by {_who(cell['holds'])}",
    )


def _order(house: House, number: int) -> Waiting:
    table = house.settlement.orders.table
    cell = {name: int(column[number]) for name, column in table.items()}
    own = house.resolved.account_name(cell["account"])
    other = house.resolved.book.participants[cell["counterparty"]].code
    return Waiting(
        what="order",
        number=number,
        kind=KINDS[cell["kind"]],
        deliverer=own if cell["delivers"] else other,
        receiver=other if cell["delivers"] else own,
        moves=_amount(house, cell["asset"], cell["quantity"]),
        against=_amount(house, cell["against"], cell["against_quantity"] or cell["amount_cents"]),
        intended=str(to_date(cell["intended_day"])),
        priority=PRIORITIES[cell["priority"]],
        status="waiting",
        reason="no match yet" if not cell["alleged"] else "no match yet, alleged",
    )


def story(house: Path | str, number: int) -> tuple[Waiting, list[Chapter]]:
    """Return an instruction as it stands and everything that happened to it, by replaying the journal.

    Raises Rejected (unknown) when there is no such instruction.
    """
    with Session.open(house, read_only=True) as session:
        state = session.house
        if not 0 <= number < len(state.settlement.instructions):
            known = len(state.settlement.instructions)
            raise refuse(
                RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction",
                remedy=f"0 to {known - 1}" if known else "the house has none yet",
            )  # fmt: skip
        table = state.settlement.instructions.table
        orders = (int(table["deliverer_order"][number]), int(table["receiver_order"][number]))
        return _instruction(state, number), list(_chapters(session, number, orders))


def _chapters(session: Session, number: int, orders: tuple[int, int]) -> Iterator[Chapter]:
    house = House()
    before: dict[str, int] = {}
    known: set[int] = set()
    for record in session.store.read():
        step(house, decode(record.body))
        command = carried_out(record)
        happened = []
        for side, order in zip(("deliverer", "receiver"), orders, strict=True):
            if 0 <= order < len(house.settlement.orders) and order not in known:
                known.add(order)
                happened.append(f"the {side}'s order {order} came in")
        instructions = house.settlement.instructions
        if number < len(instructions):
            now = {name: int(column[number]) for name, column in instructions.table.items()}
            now["paid"] = int(instructions.settled_amount(np.array([number]))[0])
            happened += _differences(house, before, now)
            before = now
        if happened:
            tag = str(getattr(command, "step", "")) or command.__struct_config__.tag
            yield Chapter(record.sequence, str(to_date(house.position.day)), str(tag), tuple(happened))


def _differences(house: House, before: dict[str, int], now: dict[str, int]) -> list[str]:
    """Return what changed in an instruction's row, in words."""
    if not before:
        deliverer, receiver = (house.resolved.account_name(now[side]) for side in ("deliverer", "receiver"))
        moves, against = _amount(house, now["asset"], now["quantity"]), ""
        if now["against"] >= 0:
            second = now["against_quantity"] or now["amount_cents"]
            against = f" against {_amount(house, now['against'], second)}"
        held = f", held by {_who(now['holds'])}" if now["holds"] else ""
        return [f"{deliverer} delivers {moves or 'nothing'} to {receiver}{against}: {KINDS[now['kind']]}{held}"]
    said = []
    if now["status"] not in (SETTLED, CANCELLED):
        for name, asked in (("holds", "held"), ("cancels", "cancellation asked")):
            if now[name] != before[name]:
                said.append(f"{asked} by {_who(now[name])}" if now[name] else f"no longer {asked}")
    if now["priority"] != before["priority"]:
        said.append(f"priority {PRIORITIES[now['priority']]}")
    if now["open_quantity"] != before["open_quantity"]:
        part = before["open_quantity"] - now["open_quantity"]
        said.append(f"{part:,} settled, {now['open_quantity']:,} left")
    if now["status"] != before["status"]:
        said.append(STATUSES[now["status"]])
    if now["reason"] != before["reason"] and now["status"] in (MATCHED, FAILING):
        said.append(REASONS[now["reason"]])
    return said


def _amount(house: House, asset: int, amount: int) -> str:
    if asset < 0:
        return ""
    if asset < len(CURRENCIES):
        return str(Amount(amount, CURRENCIES[asset]))
    return f"{amount:,} {house.resolved.asset_name(asset)}"


def _who(bits: int) -> str:
    return " and ".join(name for flag, name in _PARTIES if bits & flag)
