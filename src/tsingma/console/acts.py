"""What parties do from pages: hold, release, cancel ... an instruction or an order. As over HTTP, once each."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency

from tsingma.api.door import Door
from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import STATUS_OF, Fault, FaultsFound, fault_of
from tsingma.api.reads import Number, Reached, Service
from tsingma.api.writes import InstructionAction, OrderAction, carry_out
from tsingma.app.instruction_reads import owner_of_order, parties_of_instruction
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.console.forms import form_of, key_of, whole_number, wrong_field
from tsingma.console.giving import Paged, Pasts
from tsingma.console.instructions import Working, render_story
from tsingma.journal.commands import ChangeInstruction, ChangeOrder

Entry = NamedDependency[Door]
Asked = Request[Any, Any, Any]


@post("/instructions/{instruction:int}/actions", opt=access(Resource.INSTRUCTIONS, Action.ACT))
async def act_on_instruction(
    request: Asked, page: Paged, service: Service, pasts: Pasts, bench: Working, entry: Entry, reach: Reached,
    instruction: Number,
) -> Response[str]:  # fmt: skip
    """Carry out an action of a party and go back to the instruction, or show it again with what was refused."""
    form = await form_of(request)
    owners = await asyncio.to_thread(service.read, lambda house, _at: parties_of_instruction(house, instruction))
    reach.require(owners, f"instruction {instruction}")
    try:
        told = _as(InstructionAction, form.get("action", ""), whole_number(form, "value"))
        command = ChangeInstruction(instruction, told.action, reach.sender(), told.value)
        await carry_out(service, entry, reach, key_of(form), command)
    except (Rejected, FaultsFound) as refused:
        faults = faults_of(refused)
        return await asyncio.to_thread(render_story, page, pasts, bench, instruction, status_of(faults), faults=faults)
    return page.go(f"/console/instructions/{instruction}")


@post("/orders/{order:int}/actions", opt=access(Resource.ORDERS, Action.ACT))
async def act_on_order(
    request: Asked, page: Paged, service: Service, entry: Entry, reach: Reached, order: Number
) -> Response[str]:
    """Carry out an action of the sender on an order that waits, and go back to the list."""
    form = await form_of(request)
    owners = await asyncio.to_thread(service.read, lambda house, _at: owner_of_order(house, order))
    reach.require(owners, f"order {order}")
    told = _as(OrderAction, form.get("action", ""), whole_number(form, "value"))
    await carry_out(service, entry, reach, key_of(form), ChangeOrder(order, told.action, reach.sender(), told.value))
    return page.go("/console/orders")


def faults_of(refused: Rejected | FaultsFound) -> tuple[Fault, ...]:
    """Return what was refused, as pages show it."""
    if isinstance(refused, FaultsFound):
        return refused.faults
    return tuple(fault_of(one) for one in refused.rejections)


def status_of(faults: tuple[Fault, ...]) -> HTTPStatus:
    """Return the status of a page that shows faults: that of the interface."""
    return STATUS_OF[RejectionReason(faults[0].reason)]


def _as(kind: Any, action: str, value: int) -> Any:
    try:
        return msgspec.convert({"action": action, "value": value}, kind)
    except msgspec.ValidationError as error:
        raise wrong_field("action", str(error), value=action) from None


ROUTES = (act_on_instruction, act_on_order)
