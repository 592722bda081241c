"""Buying in what a deliverer fails to deliver: an agent delivers in its place, and it pays what that costs more.

A buy-in starts when the extension period is over; the instruction is held from then on. The agent's delivery settles
against its own price at once; where that is above the price agreed, the failing party owes the difference, and the
agent's costs in any case. What could not be bought is compensated in money: market value less the amount agreed, where
that is more than nothing. Only deliveries against payment: what others are worth, their parties agree elsewhere.
Source: Delegated Regulation (EU) 2018/1229, articles 31, 32, 35, 36 and 37.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES, consideration_cents
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.claims import BUY_IN_COSTS, COMPENSATION, PRICE_DIFFERENCE, Claims
from tsingma.settlement.growing import Growing
from tsingma.settlement.instruction import (
    BY_HOUSE,
    CANCELLED,
    DVP,
    FROM_HOUSE,
    MATCHED,
    ON_HOLD,
    SETTLED,
    Instructions,
)
from tsingma.settlement.links import Links
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]

BUY_IN_STATUSES: tuple[str, ...] = ("running", "bought", "compensated")
RUNNING, BOUGHT, COMPENSATED = range(len(BUY_IN_STATUSES))


@dataclass(frozen=True, slots=True)
class BoughtIn:
    """What a report did: units bought and what they cost, what the failing party owes, what is still to be bought."""

    bought: int
    paid_cents: int
    difference_cents: int
    costs_cents: int
    compensation_cents: int
    left: int

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        return {
            "bought": self.bought,
            "paid_cents": self.paid_cents,
            "price_difference_cents": self.difference_cents,
            "costs_cents": self.costs_cents,
            "compensation_cents": self.compensation_cents,
            "left": self.left,
        }


class BuyIns(Growing):
    """Buy-ins as columns; ``last_day`` is the last on which the agent may report."""

    def __init__(self) -> None:
        """Start without buy-ins."""
        types = {"instruction": "i4", "agent": "i4", "started_day": "i4", "last_day": "i4", "status": "i1",
                 "bought": "i8"}  # fmt: skip
        super().__init__(types, subject="buy-ins")

    def start(
        self, instructions: Instructions, number: int, agent: int, *, day: int, first_day: int, last_day: int
    ) -> int:
        """Appoint an agent for what a failing instruction has open and hold it; returns the buy-in's number.

        ``first_day`` is the first day after the extension period. Raises Rejected: not-allowed before that day, for an
        instruction without securities to deliver, or one that is bought in already.
        """
        table = instructions.table
        if not 0 <= number < len(instructions):
            raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
        fault = ""
        if table["status"][number] in (SETTLED, CANCELLED):
            fault = "it is settled or cancelled"
        elif table["kind"][number] != DVP:
            fault = "only deliveries against payment are bought in"
        elif day < first_day:
            fault = f"the extension period runs for {first_day - day} more days"
        elif self.running(number) >= 0:
            fault = "a buy-in is running already"
        elif agent in (int(table["deliverer"][number]), int(table["receiver"][number])):
            fault = "the agent is a party to it"
        if fault:
            raise refuse(RejectionReason.NOT_ALLOWED, fault, field="instruction", subject=str(number))
        table["holds"][number] |= BY_HOUSE
        if table["status"][number] != ON_HOLD:
            instructions.change(np.array([number], np.int64), ON_HOLD)
        values = {"instruction": number, "agent": agent, "started_day": day, "last_day": last_day}
        return int(self.append(1, values)[0])

    def running(self, number: int) -> int:
        """Return the running buy-in of an instruction, or -1."""
        mine = np.flatnonzero((self.table["instruction"] == number) & (self.table["status"] == RUNNING))
        return int(mine[0]) if mine.size else -1


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent reports: units bought and their price, its costs; whether the rest is compensated in money."""

    quantity: int
    price_e4: int
    costs_cents: int = 0
    compensate: bool = False


def report_buy_in(
    buy_ins: BuyIns,
    instructions: Instructions,
    links: Links,
    claims: Claims,
    ledger: Ledger,
    values: Values,
    number: int,
    report: Report,
    day: int,
) -> BoughtIn:
    """Book what the agent bought of an instruction and, where the report says so, settle the rest in money.

    The failed instruction is cancelled; what was neither bought nor compensated is instructed anew, for the same day.
    Raises Rejected: no buy-in runs, too late, more than is open, no price for compensation, insufficient when the agent
    lacks the securities or the receiver the money. Nothing is changed then.
    """
    place = buy_ins.running(number)
    _check_report(buy_ins, instructions, number, place, report, day)
    table, one = instructions.table, np.array([number], np.int64)
    quantity, left = report.quantity, int(table["open_quantity"][number])
    rest, agent = left - quantity, int(buy_ins.table["agent"][place])
    failing, receiver = int(table["deliverer"][number]), int(table["receiver"][number])
    currency, security = int(table["currency"][number]), int(table["security"][number])
    agreed, whole = (
        int(instructions.second_leg_of_part(one, np.array([part], np.int64))[0]) for part in (quantity, left)
    )
    compensated = rest if report.compensate else 0
    value = values.cents(security, compensated, currency)
    if compensated and value is None:
        raise refuse(
            RejectionReason.MISSING,
            "no closing price for what is left",
            field="compensate",
            remedy="set the closing prices first",
        )
    paid = consideration_cents(quantity, report.price_e4) if quantity else 0
    _deliver(ledger, agent, receiver, security, currency, quantity, paid)
    gap = (value or 0) - (whole - agreed) if compensated else 0
    difference, costs, compensation = (
        claims.owe(kind, failing, payee, currency, cents, instruction=number, day=day)
        for kind, payee, cents in (
            (PRICE_DIFFERENCE, receiver, paid - agreed),
            (BUY_IN_COSTS, agent, report.costs_cents),
            (COMPENSATION, receiver, gap),
        )
    )
    if quantity:
        _copy(instructions, number, deliverer=agent, quantity=quantity, amount=paid, status=SETTLED, day=day)
    if rest and not compensated:
        _copy(instructions, number, deliverer=failing, quantity=rest, amount=whole - agreed, status=MATCHED, day=day)
    links.part(instructions, number)
    instructions.change(one, CANCELLED)
    buy_ins.table["status"][place] = COMPENSATED if compensated else BOUGHT
    buy_ins.table["bought"][place] = quantity
    return BoughtIn(quantity, paid, difference, costs, compensation, rest - compensated)


def _check_report(
    buy_ins: BuyIns, instructions: Instructions, number: int, place: int, report: Report, day: int
) -> None:
    if place < 0:
        raise refuse(RejectionReason.NOT_ALLOWED, "no buy-in runs", field="instruction", subject=str(number))
    left = int(instructions.table["open_quantity"][number])
    if not 0 <= report.quantity <= left or (report.quantity and report.price_e4 <= 0) or report.costs_cents < 0:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{report.quantity} bought at {report.price_e4} ten-thousandths, costs {report.costs_cents}; {left} open",
            field="quantity, price_e4, costs_cents",
        )
    if report.quantity and day > int(buy_ins.table["last_day"][place]):
        raise refuse(
            RejectionReason.NOT_ALLOWED, "the agent's time is over", subject=str(number), remedy="compensate in money"
        )


def _deliver(ledger: Ledger, agent: int, receiver: int, security: int, currency: int, quantity: int, paid: int) -> None:
    if not quantity:
        return
    rows = ledger.count
    asset = security + len(CURRENCIES)
    pair = np.array([[agent, receiver], [receiver, agent]], np.int32)
    assets = np.array([asset, currency], np.int32)
    debit, credit = ledger.rows(pair[:, 0], assets), ledger.rows(pair[:, 1], assets)
    if ledger.post_all(debit, credit, np.array([quantity, paid], np.int64)) is not None:
        ledger.close_rows(rows)
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"{quantity} against {paid} cents cannot be delivered",
            field="quantity",
            remedy="the agent needs the securities, the receiver the money",
        )


def _copy(
    instructions: Instructions, number: int, *, deliverer: int, quantity: int, amount: int, status: int, day: int
) -> None:
    table = instructions.table
    names = ("reference", "receiver", "security", "market", "currency", "intended_day", "asset", "against", "kind")
    columns = {name: table[name][number : number + 1].copy() for name in names}
    own = {"deliverer": deliverer, "quantity": quantity, "amount_cents": amount, "status": status,
           "open_quantity": 0 if status == SETTLED else quantity, "matched_day": day, "changed_day": day,
           "settled_day": day if status == SETTLED else 0, "origin": FROM_HOUSE}  # fmt: skip
    instructions.add(**columns, **{name: np.array([value], np.int64) for name, value in own.items()})
