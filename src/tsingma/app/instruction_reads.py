"""Instructions and orders of a house as those see them who are party to them."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.house_reads import cut, of_participant
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.settlement.instruction import (
    BY_DELIVERER,
    BY_HOUSE,
    BY_RECEIVER,
    CANCELLED,
    FAILING,
    KINDS,
    NOT_TRIED,
    PRIORITIES,
    REASONS,
    SETTLED,
    STATUSES,
)
from tsingma.settlement.orders import ORDER_STATUSES

_WHO = ((BY_DELIVERER, "deliverer"), (BY_RECEIVER, "receiver"), (BY_HOUSE, "house"))


class InstructionState(msgspec.Struct, frozen=True):
    """A matched instruction: what moves against what between which accounts, and how far it is.

    ``asset`` and ``against`` are a currency or ISIN ("" for none), their amounts cents or units.
    """

    instruction: int
    kind: str
    status: str
    deliverer: str
    receiver: str
    asset: str
    quantity: int
    open_quantity: int
    against: str
    against_amount: int
    settled_amount: int
    intended_date: str
    priority: str
    held_by: tuple[str, ...]
    cancel_asked_by: tuple[str, ...]
    reason: str


class InstructionStates(msgspec.Struct, frozen=True):
    """A page of instructions in order of their numbers; the cursor is a number."""

    items: list[InstructionState]
    next: int | None
    at: int


class OrderState(msgspec.Struct, frozen=True):
    """What one side has told the house; ``instruction`` is where it matched, None where it did not."""

    order: int
    reference: int
    status: str
    instruction: int | None
    kind: str
    side: str
    account: str
    counterparty: str
    asset: str
    quantity: int
    against: str
    against_amount: int
    intended_date: str


class OrderStates(msgspec.Struct, frozen=True):
    """A page of orders in order of their numbers; the cursor is a number."""

    items: list[OrderState]
    next: int | None
    at: int


def instructions_of(
    house: House, at: int, participant: str, status: str, cursor: int, limit: int, *, asset: str = "",
    intended: date | None = None, reason: str = "",
) -> InstructionStates:  # fmt: skip
    """Return instructions from number ``cursor`` on, of a participant ("": of everybody) in a status ("": in any).

    ``asset`` (a currency or ISIN) keeps those that move it on either leg, ``intended`` those of that day, ``reason``
    those not settled in time for it. Raises Rejected (unknown) for a participant, status, asset or reason that is none.
    """
    table = house.settlement.instructions.table
    mine = of_participant(house, table["deliverer"], participant) | of_participant(
        house, table["receiver"], participant
    )
    mine &= _is_in(table["status"], STATUSES, status)
    if asset:
        number = _asset_number(house, asset)
        mine &= (table["asset"] == number) | (table["against"] == number)
    if intended is not None:
        mine &= table["intended_day"] == to_day(intended)
    if reason:
        mine &= not_in_time(house) & _is_in(table["reason"], REASONS, reason, "reason")
    found = np.flatnonzero(mine).astype(np.int64)
    chosen, following = cut(found, found, cursor, limit)
    return InstructionStates([instruction_state(house, number) for number in chosen.tolist()], following, at)


def not_in_time(house: House) -> npt.NDArray[np.bool_]:
    """Return which instructions are past their day, or were tried on it in vain, and are open, bool [instructions]."""
    table = house.settlement.instructions.table
    is_open = ~np.isin(table["status"], (SETTLED, CANCELLED))
    tried = (table["intended_day"] <= house.position.day) & (table["reason"] != NOT_TRIED)
    return np.asarray(is_open & ((table["status"] == FAILING) | tried), np.bool_)


def orders_of(house: House, at: int, participant: str, status: str, cursor: int, limit: int) -> OrderStates:
    """Return orders from number ``cursor`` on, of a participant ("": of everybody) in a status ("": in any)."""
    table = house.settlement.orders.table
    mine = of_participant(house, table["account"], participant)
    found = np.flatnonzero(mine & _is_in(table["status"], ORDER_STATUSES, status)).astype(np.int64)
    chosen, following = cut(found, found, cursor, limit)
    return OrderStates([order_state(house, number) for number in chosen.tolist()], following, at)


def parties_of_instruction(house: House, number: int) -> frozenset[str]:
    """Return the codes of the participants on both sides; none when there is no such instruction."""
    table = house.settlement.instructions.table
    if not 0 <= number < len(house.settlement.instructions):
        return frozenset()
    book = house.resolved.book
    return frozenset(book.accounts[int(table[side][number])].participant for side in ("deliverer", "receiver"))


def owner_of_order(house: House, number: int) -> frozenset[str]:
    """Return the code of the participant that sent an order; none when there is no such order."""
    table = house.settlement.orders.table
    if not 0 <= number < len(house.settlement.orders):
        return frozenset()
    return frozenset((house.resolved.book.accounts[int(table["account"][number])].participant,))


def instruction_state(house: House, number: int) -> InstructionState:
    """Return one instruction; raises Rejected (unknown)."""
    instructions = house.settlement.instructions
    if not 0 <= number < len(instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
    cell = {name: int(column[number]) for name, column in instructions.table.items()}
    place = np.array([number])
    return InstructionState(
        instruction=number,
        kind=KINDS[cell["kind"]],
        status=STATUSES[cell["status"]],
        deliverer=house.resolved.account_name(cell["deliverer"]),
        receiver=house.resolved.account_name(cell["receiver"]),
        asset=_asset(house, cell["asset"]),
        quantity=cell["quantity"],
        open_quantity=cell["open_quantity"],
        against=_asset(house, cell["against"]),
        against_amount=int(instructions.second_leg(place)[0]),
        settled_amount=int(instructions.settled_amount(place)[0]),
        intended_date=str(to_date(cell["intended_day"])),
        priority=PRIORITIES[cell["priority"]],
        held_by=_who(cell["holds"]),
        cancel_asked_by=_who(cell["cancels"]),
        reason=REASONS[cell["reason"]],
    )


def order_state(house: House, number: int) -> OrderState:
    """Return one order; raises Rejected (unknown)."""
    if not 0 <= number < len(house.settlement.orders):
        raise refuse(RejectionReason.UNKNOWN, f"there is no order {number}", field="order")
    cell = {name: int(column[number]) for name, column in house.settlement.orders.table.items()}
    return OrderState(
        order=number,
        reference=cell["reference"],
        status=ORDER_STATUSES[cell["status"]],
        instruction=cell["instruction"] if cell["instruction"] >= 0 else None,
        kind=KINDS[cell["kind"]],
        side="deliver" if cell["delivers"] else "receive",
        account=house.resolved.account_name(cell["account"]),
        counterparty=house.resolved.book.participants[cell["counterparty"]].code,
        asset=_asset(house, cell["asset"]),
        quantity=cell["quantity"],
        against=_asset(house, cell["against"]),
        against_amount=cell["against_quantity"] or cell["amount_cents"],
        intended_date=str(to_date(cell["intended_day"])),
    )


def _asset_number(house: House, asset: str) -> int:
    book = house.resolved
    known = (*CURRENCIES, *book.securities)
    if asset not in known:
        raise refuse(RejectionReason.UNKNOWN, f"no asset '{asset}'", field="asset", remedy="an ISIN, or a currency")
    return known.index(asset)


def _asset(house: House, asset: int) -> str:
    return house.resolved.asset_name(asset) if asset >= 0 else ""


def _is_in(
    column: npt.NDArray[np.signedinteger], names: tuple[str, ...], status: str, field: str = "status"
) -> npt.NDArray[np.bool_]:
    if not status:
        return np.ones(column.size, np.bool_)
    if status not in names:
        raise refuse(
            RejectionReason.UNKNOWN, f"no {field} '{status}'", field=field, remedy=f"one of {', '.join(names)}"
        )
    return np.asarray(column == names.index(status), np.bool_)


def _who(bits: int) -> tuple[str, ...]:
    return tuple(name for flag, name in _WHO if bits & flag)
