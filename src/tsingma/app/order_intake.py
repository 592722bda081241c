"""Orders told as records, one side each: into a command of the house, and what became of each out of its answer.

The sender is a participant; whatever an order says, it is for that participant's own accounts. What one side may send
as already agreed by both (the column ``matched``) is not among the fields: it would speak for the other side too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejection
from tsingma.journal.commands import Command, SubmitInstructions
from tsingma.journal.events import InstructionsSubmitted
from tsingma.messages.instruction_file import Readers, packed, resolve_rows
from tsingma.reference.book import ResolvedBook
from tsingma.settlement.orders import REFERENCE_MAX
from tsingma.settlement.submission import FAULTS, MATCHES, WAITS

ORDERS_MAX = 1_000  # in one request
FIRST_LINE = 2  # as the house counts: the header of a file is line 1

Text = Annotated[str, msgspec.Meta(max_length=35)]  # ISO 20022, Max35Text
Isin = Annotated[str, msgspec.Meta(pattern="^([A-Z]{2}[A-Z0-9]{9}[0-9])?$")]
Currency = Annotated[str, msgspec.Meta(pattern="^([A-Z]{3})?$")]
Class = Literal["HOUSE", "CLIENT", "OMNIBUS", "SEGREGATED"]
Units = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of an instruction, in the words of the instruction file (``docs/settlement.md``).

    ``amount`` is decimal text with at most two places, ``quantity`` whole units (in pvp: cents of ``paid_currency``).
    """

    reference: Annotated[int, msgspec.Meta(ge=1, lt=REFERENCE_MAX)]
    account_class: Class
    side: Literal["deliver", "receive"]
    counterparty: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9-]{1,16}$")]
    kind: Literal["dvp", "fop", "dwp", "pfod", "pvp", "dvd"]
    trade_date: date
    intended_date: date
    isin: Isin = ""
    quantity: Units = 0
    currency: Currency = ""
    amount: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,16}(\.[0-9]{1,2})?)?$")] = ""
    counterparty_account_class: Class | None = None
    paid_currency: Currency = ""
    against_isin: Isin = ""
    against_quantity: Units = 0
    priority: Literal["high", "normal"] = "normal"
    partial: bool = True
    hold: bool = False
    conditions: tuple[Literal["opt-out", "cum", "ex"], ...] = ()
    common_reference: Text = ""
    client: Text = ""
    counterparty_client: Text = ""
    pool: Text = ""
    pool_size: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one order: where it waits or matched, or why it was refused."""

    reference: int
    outcome: Literal["waits", "matched", "refused"]
    order: int | None = None
    instruction: int | None = None
    rejection: Rejection | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """What became of a request's orders, in their order."""

    waiting: int
    matched: int
    refused: int
    items: list[Outcome]


def command_of(
    orders: Sequence[Order], participant: str, source: str, second: int, book: ResolvedBook, readers: Readers
) -> SubmitInstructions:
    """Return the command that sends orders of a participant at a second of the day.

    Raises Rejected with every fault found in codes and numbers; their ``line`` is the order's place plus FIRST_LINE.
    """
    rows = ((place, _row(order, participant)) for place, order in enumerate(orders, FIRST_LINE))
    columns = resolve_rows(rows, book, "", readers)
    return SubmitInstructions(source, participant, second, packed(columns))


def outcomes_of(event: InstructionsSubmitted, orders: Sequence[Order]) -> Outcomes:
    """Return what became of orders; ``event`` is the house's answer to them."""
    results, numbers = np.frombuffer(event.results, np.int8).tolist(), np.frombuffer(event.numbers, "<i8").tolist()
    items = [_outcome(*one) for one in zip(orders, results, numbers, strict=True)]
    return Outcomes(event.waiting, event.matched, event.refused, items)


def same_request(before: Command, now: Command) -> bool:
    """Return whether two commands ask for the same; when it came in, and by which key, do not count."""
    if isinstance(before, SubmitInstructions) and isinstance(now, SubmitInstructions):
        return msgspec.structs.replace(before, source=now.source, time_s=now.time_s) == now
    return before == now


def _row(order: Order, participant: str) -> dict[str, str]:
    theirs = order.counterparty_account_class
    return {
        "reference": str(order.reference),
        "account": f"{participant}/{order.account_class}",
        "side": order.side,
        "counterparty": order.counterparty,
        "kind": order.kind,
        "quantity": str(order.quantity),
        "trade_date": str(order.trade_date),
        "intended_date": str(order.intended_date),
        "isin": order.isin,
        "currency": order.currency,
        "amount": order.amount,
        "counterparty_account": f"{order.counterparty}/{theirs}" if theirs else "",
        "paid_currency": order.paid_currency,
        "against_isin": order.against_isin,
        "against_quantity": str(order.against_quantity),
        "priority": order.priority,
        "partial": "yes" if order.partial else "no",
        "hold": "yes" if order.hold else "no",
        "conditions": " ".join(order.conditions),
        "common_reference": order.common_reference,
        "client": order.client,
        "counterparty_client": order.counterparty_client,
        "pool": order.pool,
        "pool_size": str(order.pool_size),
    }


def _outcome(order: Order, result: int, number: int) -> Outcome:
    if result == WAITS:
        return Outcome(order.reference, "waits", order=number)
    if result == MATCHES:
        return Outcome(order.reference, "matched", instruction=number)
    field, reason, text, remedy = FAULTS[result - 2]
    name = f"order {order.reference}"
    rejection = Rejection(reason=reason, message=f"{field} {text}", field=field, subject=name, remedy=remedy)
    return Outcome(order.reference, "refused", rejection=rejection)
