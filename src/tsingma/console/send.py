"""Sending one order from a page: a form with what the house knows filled in; refusals come back beside their fields."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import numpy as np
from litestar import Request, Response, get, post

from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import Fault, FaultsFound, fault_of
from tsingma.api.reads import Reached, Service
from tsingma.api.writes import carry_out
from tsingma.app.house_reads import of_participant
from tsingma.app.order_intake import Order, outcomes_of
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.console.acts import Entry, faults_of, status_of
from tsingma.console.forms import KEY_FIELD, form_of, key_of, whole_number
from tsingma.console.giving import Paged
from tsingma.console.instructions import new_key
from tsingma.console.page import Page
from tsingma.engine.house import House
from tsingma.journal.events import InstructionsSubmitted
from tsingma.settlement.instruction import KINDS
from tsingma.settlement.orders import REFERENCE_MAX

NUMBERS = ("reference", "quantity", "against_quantity", "pool_size")
FLAGS = ("partial", "hold")
TEXTS = (
    "account_class", "side", "counterparty", "kind", "trade_date", "intended_date", "isin", "currency", "amount",
    "counterparty_account_class", "paid_currency", "against_isin", "priority", "common_reference", "client",
    "counterparty_client", "pool",
)  # fmt: skip
_PLACE = re.compile(r"(.*?) - at `\$\.([a-z_]+)`", re.S)


@get("/send", opt=access(Resource.INSTRUCTIONS, Action.SUBMIT), sync_to_thread=True)
def order_form(page: Paged, reach: Reached) -> Response[str]:
    """Show the form with what the house knows of the sender."""
    return _form(page, reach.sender(), {}, ())


@post("/send", opt=access(Resource.INSTRUCTIONS, Action.SUBMIT))
async def send_order(
    request: Request[Any, Any, Any], page: Paged, service: Service, entry: Entry, reach: Reached
) -> Response[str]:
    """Send the order and go to where it waits or matched, or show the form again with what was refused."""
    form, participant = await form_of(request), reach.sender()
    try:
        order, key = _order(form), key_of(form)
        command = await asyncio.to_thread(
            lambda: service.intake.command([order], participant, f"api/{reach.caller.key}", service.second())
        )
        event = await carry_out(service, entry, reach, key, command)
        outcome = outcomes_of(event, [order]).items[0] if isinstance(event, InstructionsSubmitted) else None
        if outcome is not None and outcome.rejection is not None:
            raise FaultsFound([fault_of(outcome.rejection)])
    except (Rejected, FaultsFound) as refused:
        return await asyncio.to_thread(_form, page, participant, form, faults_of(refused))
    if outcome is not None and outcome.instruction is not None:
        return page.go(f"/console/instructions/{outcome.instruction}")
    return page.go(f"/console/orders?cursor={outcome.order}" if outcome is not None else "/console/orders")


def _form(page: Page, participant: str, form: Mapping[str, str], faults: tuple[Fault, ...]) -> Response[str]:
    classes, reference, day = page.read(lambda house, _at: _known(house, participant))
    first = {
        "reference": str(reference), "trade_date": day, "intended_date": day, "currency": CURRENCIES[0],
        "side": "deliver", "kind": "dvp", "priority": "normal", "partial": "yes",
    }  # fmt: skip
    values = dict.fromkeys((*NUMBERS, *TEXTS, *FLAGS), "") | (dict(form) if form else first)
    wrong: dict[str, Fault] = {}
    for fault in faults:
        wrong.setdefault(fault.field, fault)
    return page.render(
        "send.html", status_of(faults) if faults else HTTPStatus.OK, classes=classes, kinds=KINDS,
        currencies=CURRENCIES, values=values, wrong=wrong, faults=faults, key=form.get(KEY_FIELD) or new_key(),
    )  # fmt: skip


def _known(house: House, participant: str) -> tuple[list[str], int, str]:
    """Return the classes of a member's accounts, a reference it has not used, and the business day."""
    table = house.settlement.orders.table
    used = table["reference"][of_participant(house, table["account"], participant)]
    fresh = int(used.max()) + 1 if used.size else 1
    classes = [str(one) for owner, one in house.resolved.account_index if owner == participant]
    day = str(np.datetime64(house.position.day, "D")) if house.position.day else ""
    return classes, fresh if fresh < REFERENCE_MAX else 1, day


def _order(form: Mapping[str, str]) -> Order:
    """Return the order that a form tells; raises FaultsFound naming the field that is wrong."""
    told: dict[str, object] = {name: form[name] for name in TEXTS if form.get(name)}
    told |= {name: whole_number(form, name) for name in NUMBERS if form.get(name)}
    told |= {name: form.get(name) == "yes" for name in FLAGS}
    if "amount" in told:
        told["amount"] = str(told["amount"]).replace(",", "")
    try:
        return msgspec.convert(told, Order)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        missing = re.search(r"required field `([a-z_]+)`", str(error))
        field = missing[1] if missing else found[2] if found else ""
        reason = RejectionReason.MISSING if missing else RejectionReason.MALFORMED
        detail = "must be filled in" if missing else found[1] if found else str(error)
        raise FaultsFound([Fault(reason, detail, field, form.get(field, "")[:40])]) from None


ROUTES = (order_form, send_order)
