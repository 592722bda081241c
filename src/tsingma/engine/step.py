"""``step``: one command on the house gives events, or a refusal that changed nothing. No clock, no I/O, no chance.

Every handler checks first and changes after, so that a refusal leaves no trace. A broken invariant is no refusal:
it is raised and stops the house.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.engine import (
    acts,
    barring,
    books,
    closing_out,
    corporate_actions,
    custody,
    day,
    default_fund,
    defaulting,
    derivatives,
    gross,
    instructing,
    intraday_repo,
    issuing,
    links,
    money,
    payment_limits,
    payments,
    pool,
    pool_exchange,
    porting,
    products,
    quota,
    repo,
    resources,
    submitting,
    swaps,
    tokens,
    trading,
)
from tsingma.engine.house import Handlers, House
from tsingma.journal.act_commands import DecideAct
from tsingma.journal.commands import CaptureTrades, Command, PostTransfers
from tsingma.journal.events import Accepted, Answer, Event, Refused
from tsingma.journal.link_order_commands import RouteOrders, UseQuota

# Each engine module lists the commands it carries out: the table of contents of the engine.
_HANDLERS: Handlers = {
    **books.HANDLERS,
    **day.HANDLERS,
    **trading.HANDLERS,
    **derivatives.HANDLERS,
    **swaps.HANDLERS,
    **instructing.HANDLERS,
    **submitting.HANDLERS,
    **resources.HANDLERS,
    **gross.HANDLERS,
    **custody.HANDLERS,
    **quota.HANDLERS,
    **corporate_actions.HANDLERS,
    **issuing.HANDLERS,
    **repo.HANDLERS,
    **products.HANDLERS,
    **tokens.HANDLERS,
    **pool.HANDLERS,
    **pool_exchange.HANDLERS,
    **payments.HANDLERS,
    **payment_limits.HANDLERS,
    **money.HANDLERS,
    **intraday_repo.HANDLERS,
    **links.HANDLERS,
    **acts.HANDLERS,
    **defaulting.HANDLERS,
    **closing_out.HANDLERS,
    **porting.HANDLERS,
    **default_fund.HANDLERS,
}

# Transfers conserve each asset one by one in the kernel, and captured trades and orders over links touch no balance;
# every other command is followed by a proof of the whole ledger, before its record becomes durable.
_LEAVES_BOOKS_TO_KERNEL = (PostTransfers, CaptureTrades, RouteOrders, UseQuota)


def step(house: House, command: Command) -> Answer:
    """Carry out one command and return its answer; raises InvariantBroken when the books contradict themselves."""
    if isinstance(command, DecideAct) and command.decision == "approve":
        return _approve(house, command)
    try:
        if house.defaults.barred:
            barring.require_active(house, command)
        event = _handler(command)(house, command)
    except Rejected as rejected:
        return Refused(rejected.rejections)
    events = (event, *settle_at_once(house, event), *_settle_payments(house))
    if not isinstance(command, _LEAVES_BOOKS_TO_KERNEL):
        house.ledger.check()
    return Accepted(events)


def _approve(house: House, command: DecideAct) -> Answer:
    """Carry out the act that is approved; when it is refused it goes on waiting."""
    try:
        commands = acts.approved_commands(house, command)
    except Rejected as rejected:
        return Refused(rejected.rejections)
    events: list[Event] = []
    for one in commands:
        answer = step(house, one)
        if isinstance(answer, Refused):
            if events:  # they were checked together, so a part of them cannot be refused
                raise InvariantBroken(f"act {command.act} was carried out in part: {answer.rejections[0].message}")
            return answer
        events += answer.events
    return Accepted((acts.decide_act(house, command), *events))


def _settle_payments(house: House) -> tuple[Event, ...]:
    """Settle payments whose payer has money now, and in turn the deliveries that waited for what they paid."""
    found: list[Event] = []
    while more := payments.settle_what_waits(house):
        found += more
        deliveries = settle_at_once(house, more[0])
        if not deliveries:
            break
        found += deliveries
    return tuple(found)


def _handler(command: Command) -> Callable[[House, Any], Event]:
    handler = _HANDLERS.get(type(command))
    if handler is None:
        message = f"{type(command).__name__} is a command of the token ledger"
        raise refuse(RejectionReason.NOT_ALLOWED, message, remedy="send it there")
    return handler


def settle_at_once(house: House, event: Event) -> tuple[Event, ...]:
    """Settle what an event has made ready, where continuous settlement runs: a second event, or none."""
    if not isinstance(event, instructing.WAKES):
        return ()
    return instructing.settle_what_woke(house, event)
