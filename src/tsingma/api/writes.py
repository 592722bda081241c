"""Routes that change something: send orders, act on instructions and orders. Every one is safe to repeat.

``Idempotency-Key`` names the change among all of its participant: the same key with the same request gets the same
answer, with another request 409. It becomes the id of the command in the journal. Whose change it is comes from the
token's key and from nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, TooManyRequestsException
from litestar.params import HeaderParameter, JSONBody

from tsingma.api.bodies import body_of
from tsingma.api.door import Door, Overloaded, Unanswered
from tsingma.api.guard import Reach, access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import Fault, FaultsFound, fault_of, responses
from tsingma.api.reading import Number, Reached, Service
from tsingma.app.house_service import HouseService
from tsingma.app.instruction_reads import owner_of_order, parties_of_instruction
from tsingma.app.order_intake import FIRST_LINE, ORDERS_MAX, Order, Outcomes, outcomes_of, same_request
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.commands import ChangeInstruction, ChangeOrder, Command, decode
from tsingma.journal.events import (
    Accepted,
    InstructionChanged,
    InstructionsSubmitted,
    OrderChanged,
    Refused,
    decode_answer,
)

CHANGES = responses(404, 408, 409, 413, 422, 429)
KEY_PATTERN = whole("[A-Za-z0-9._:-]{1,100}")
Entry = NamedDependency[Door]
Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="names this change among all of the participant: the same key is carried out once",
    ),
]


class InstructionAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party does to an instruction; ``value``: priority 2 high or 3 normal, or the units of a part."""

    action: Literal[
        "hold", "release", "release-part", "cancel", "keep", "prioritise", "permit-parts", "refuse-parts", "unlink"
    ]
    value: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class OrderAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender does to an order that has no match yet; ``value``: priority 2 high or 3 normal."""

    action: Literal["cancel", "hold", "release", "prioritise", "permit-parts", "refuse-parts"]
    value: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0


class InstructionStatus(msgspec.Struct, frozen=True):
    """How an instruction stands after an action."""

    instruction: int
    status: str


class OrderStatus(msgspec.Struct, frozen=True):
    """How an order stands after an action."""

    order: int
    status: str


@post(
    "/instructions",
    opt={**access(Resource.INSTRUCTIONS, Action.SUBMIT), **body_of(Order | list[Order])},
    responses=CHANGES,
)
async def submit(
    service: Service, entry: Entry, reach: Reached, key: Key, data: JSONBody[Order | list[Order]]
) -> Outcomes:
    """Send one order, or up to a thousand; in a batch each answers for itself, a single one refused is a problem.

    Codes the house does not know refuse the whole request, with every fault.
    """
    orders = data if isinstance(data, list) else [data]
    if len(orders) > ORDERS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(orders)} orders", remedy=f"send at most {ORDERS_MAX} in a request")
    participant = reach.sender()
    try:
        command = service.intake.command(orders, participant, f"api/{reach.caller.key}", service.second())
    except Rejected as rejected:
        raise FaultsFound([_of_order(one, orders) for one in rejected.rejections]) from None
    event = await carry_out(service, entry, reach, key, command)
    if not isinstance(event, InstructionsSubmitted):
        raise conflict(key)
    found = outcomes_of(event, orders)
    first = found.items[0].rejection
    if first is not None and not isinstance(data, list):
        raise FaultsFound([fault_of(first, _value(data, first.field))])
    return found


@post(
    "/instructions/{instruction:int}/actions",
    opt={**access(Resource.INSTRUCTIONS, Action.ACT), **body_of(InstructionAction)},
    responses=CHANGES,
    status_code=200,
)
async def act_on_instruction(
    service: Service, entry: Entry, reach: Reached, key: Key, instruction: Number, data: JSONBody[InstructionAction]
) -> InstructionStatus:
    """Hold, release, cancel ... an instruction to which the caller's participant is party."""
    owners = await asyncio.to_thread(service.read, lambda house, _at: parties_of_instruction(house, instruction))
    reach.require(owners, f"instruction {instruction}")
    command = ChangeInstruction(instruction, data.action, reach.sender(), data.value)
    event = await carry_out(service, entry, reach, key, command)
    if not isinstance(event, InstructionChanged):
        raise conflict(key)
    return InstructionStatus(event.instruction, event.status)


@post(
    "/orders/{order:int}/actions",
    opt={**access(Resource.ORDERS, Action.ACT), **body_of(OrderAction)},
    responses=CHANGES,
    status_code=200,
)
async def act_on_order(
    service: Service, entry: Entry, reach: Reached, key: Key, order: Number, data: JSONBody[OrderAction]
) -> OrderStatus:
    """Cancel, hold, release ... an order of the caller's participant that has no match yet."""
    owners = await asyncio.to_thread(service.read, lambda house, _at: owner_of_order(house, order))
    reach.require(owners, f"order {order}")
    command = ChangeOrder(order, data.action, reach.sender(), data.value)
    event = await carry_out(service, entry, reach, key, command)
    if not isinstance(event, OrderChanged):
        raise conflict(key)
    return OrderStatus(event.order, event.status)


async def carry_out(service: HouseService, entry: Door, reach: Reach, key: str, command: Command) -> Any:
    """Return the first event of the house's answer, or of the one it gave to this key before; raises Rejected."""
    participant = reach.sender()
    return await carry_out_as(
        service, entry, reach, key, command, participant, f"api/{participant}/{key}", same_request
    )


async def carry_out_as(
    service: HouseService, entry: Door, reach: Reach, key: str, command: Command, sender: str, command_id: str,
    is_same: Callable[[Command, Command], bool],
) -> Any:  # fmt: skip
    """Return the first event of the answer to a sender's command under an id, or of the answer given before.

    ``is_same`` tells whether a command under the same id asks for the same. Raises Rejected, 429, 503.
    """
    try:
        answer = await entry.answer(sender, command_id, reach.signed(command))
    except Overloaded:
        raise TooManyRequestsException(
            "too many changes wait: send fewer at a time", headers={"Retry-After": "1"}
        ) from None
    except Unanswered:
        detail = "no answer in time: ask again with the same Idempotency-Key, it is carried out once"
        raise HTTPException(detail, status_code=503, headers={"Retry-After": "5"}) from None
    if isinstance(answer, Refused) and _is_repeat(answer, command_id):
        record = await asyncio.to_thread(service.find, command_id)
        if record is not None and is_same(decode(record.body), command):
            answer = decode_answer(record.answer)
    if isinstance(answer, Accepted):
        return answer.events[0]
    raise Rejected(*[_without_id(one, command_id, key) for one in answer.rejections])


def _is_repeat(refused: Refused, command_id: str) -> bool:
    first = refused.rejections[0]
    return first.reason is RejectionReason.CONFLICT and first.subject == command_id


def _without_id(rejection: Rejection, command_id: str, key: str) -> Rejection:
    if rejection.subject != command_id:
        return rejection
    return msgspec.structs.replace(rejection, subject=key, field=rejection.field or "Idempotency-Key")


def conflict(key: str) -> FaultsFound:
    """Return the problem of a key that was used for something else."""
    message = "the key was used for another change"
    return FaultsFound([Fault(RejectionReason.CONFLICT, message, "Idempotency-Key", key, remedy="choose a new key")])


def _of_order(rejection: Rejection, orders: list[Order]) -> Fault:
    place = rejection.line - FIRST_LINE
    if not 0 <= place < len(orders):
        return fault_of(rejection)
    return fault_of(rejection, _value(orders[place], rejection.field), place)


def _value(order: Order, field: str) -> str:
    """Return what an order says in the field of a rejection; accounts are told by their class."""
    names = {"account": "account_class", "counterparty_account": "counterparty_account_class", "security": "isin",
             "amount_cents": "amount", "intended_day": "intended_date"}  # fmt: skip
    return str(getattr(order, names.get(field, field), ""))


ROUTES = (submit, act_on_instruction, act_on_order)
