"""The day's gross payments as payers and payees see them. Money is in cents, securities legs in units."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.house_reads import cut, of_participant
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.settlement.gross_money.queue import PRIORITIES, SETTLED_HOW, STATUSES


class PaymentState(msgspec.Struct, frozen=True):
    """One payment; ``settled_how`` is "" until it settled, times are seconds of the day (None: not yet, or none)."""

    payment: int
    reference: int
    payer: str
    payee: str
    asset: str
    amount: int
    priority: str
    status: str
    settled_how: str
    submitted_second: int
    due_second: int | None
    ended_second: int | None


class PaymentStates(msgspec.Struct, frozen=True):
    """A page of payments of the day in order of their numbers; the cursor is a number."""

    items: list[PaymentState]
    next: int | None
    at: int


def payments_of(house: House, at: int, participant: str, status: str, cursor: int, limit: int) -> PaymentStates:
    """Return payments that a participant ("": anybody) pays or gets; raises Rejected (unknown: participant, status)."""
    table, ledger = house.money.payments.table, house.ledger
    if status and status not in STATUSES:
        remedy = f"one of {', '.join(STATUSES)}"
        raise refuse(RejectionReason.UNKNOWN, f"no status '{status}'", field="status", remedy=remedy)
    mine = of_participant(house, ledger.owner[table["debit"]], participant)
    mine = mine | of_participant(house, ledger.owner[table["credit"]], participant)
    if status:
        mine = mine & (table["status"] == STATUSES.index(status))
    found = np.flatnonzero(mine).astype(np.int64)
    chosen, following = cut(found, found, cursor, limit)
    return PaymentStates([payment_state(house, number) for number in chosen.tolist()], following, at)


def parties_of_payment(house: House, number: int) -> frozenset[str]:
    """Return the codes of payer and payee; none when there is no such payment today."""
    payments, ledger, book = house.money.payments, house.ledger, house.resolved
    if not 0 <= number < len(payments):
        return frozenset()
    owners = [int(ledger.owner[int(payments.table[side][number])]) for side in ("debit", "credit")]
    return frozenset(book.book.accounts[owner].participant for owner in owners)


def payment_state(house: House, number: int) -> PaymentState:
    """Return one payment; raises Rejected (unknown)."""
    payments, ledger, book = house.money.payments, house.ledger, house.resolved
    if not 0 <= number < len(payments):
        raise refuse(RejectionReason.UNKNOWN, f"there is no payment {number} today", field="payment")
    cell = {name: int(column[number]) for name, column in payments.table.items()}
    return PaymentState(
        payment=number, reference=cell["reference"], payer=book.account_name(int(ledger.owner[cell["debit"]])),
        payee=book.account_name(int(ledger.owner[cell["credit"]])),
        asset=book.asset_name(int(ledger.asset[cell["debit"]])), amount=cell["amount"],
        priority=PRIORITIES[cell["priority"]], status=STATUSES[cell["status"]], settled_how=SETTLED_HOW[cell["how"]],
        submitted_second=cell["submitted_s"], due_second=cell["due_s"] if cell["due_s"] >= 0 else None,
        ended_second=cell["ended_s"] if cell["ended_s"] >= 0 else None,
    )  # fmt: skip
