"""``step``: one command on the house gives events, or a refusal that changed nothing. No clock, no I/O, no chance.

Every handler checks first and changes after, so that a refusal leaves no trace. A broken invariant is no refusal:
it is raised and stops the house.
"""

from __future__ import annotations

from tsingma.basics.rejection import Rejected
from tsingma.engine import books, day, derivatives, gross, instructing, resources, trading
from tsingma.engine.house import House
from tsingma.journal.commands import (
    BuyInShort,
    CallMargin,
    CaptureDerivatives,
    CaptureInstructions,
    CaptureTrades,
    ChangeInstruction,
    ChangeOrder,
    CloseDay,
    CollectClaims,
    Command,
    DepositAssets,
    EndReservation,
    LinkInstructions,
    ListSeries,
    LoadReference,
    MarkDerivatives,
    OpenDay,
    PostTransfers,
    ReportBuyIn,
    ReserveAssets,
    RunStep,
    SetClosingPrices,
    SetCreditLine,
    SettleTogether,
    StartBuyIn,
    SubmitInstructions,
)
from tsingma.journal.events import Accepted, Answer, Event, Refused

# Transfers conserve each asset one by one in the kernel, and captured trades touch no balance; every other command is
# followed by a proof of the whole ledger, before its record becomes durable.
_LEAVES_BOOKS_TO_KERNEL = (PostTransfers, CaptureTrades)


def step(house: House, command: Command) -> Answer:
    """Carry out one command and return its answer; raises InvariantBroken when the books contradict themselves."""
    try:
        event = _carry_out(house, command)
    except Rejected as rejected:
        return Refused(rejected.rejections)
    events = (event, *_settle_at_once(house, event))
    if not isinstance(command, _LEAVES_BOOKS_TO_KERNEL):
        house.ledger.check()
    return Accepted(events)


def _settle_at_once(house: House, event: Event) -> tuple[Event, ...]:
    """Settle what an event has made ready, where continuous settlement runs: a second event, or none."""
    if not isinstance(event, instructing.WAKES):
        return ()
    return instructing.settle_what_woke(house, event)


def _carry_out(house: House, command: Command) -> Event:  # one line a command: the table of contents of the engine
    match command:
        case LoadReference():
            return books.load_reference(house, command)
        case DepositAssets():
            return books.deposit_assets(house, command)
        case PostTransfers():
            return books.post_transfers(house, command)
        case CallMargin():
            return books.call_margin(house, command)
        case OpenDay():
            return day.open_day(house, command)
        case SetClosingPrices():
            return day.set_closing_prices(house, command)
        case RunStep():
            return day.run_step(house, command)
        case CloseDay():
            return day.close_day(house, command)
        case CaptureTrades():
            return trading.capture_trades(house, command)
        case ListSeries():
            return derivatives.list_series(house, command)
        case CaptureDerivatives():
            return derivatives.capture_derivatives(house, command)
        case MarkDerivatives():
            return derivatives.mark_derivatives(house, command)
        case ChangeInstruction():
            return instructing.change_instruction(house, command)
        case SubmitInstructions():
            return instructing.submit_instructions(house, command)
        case ChangeOrder():
            return instructing.change_order(house, command)
        case LinkInstructions():
            return instructing.link_instructions(house, command)
        case SetCreditLine():
            return resources.set_credit_line(house, command)
        case ReserveAssets():
            return resources.reserve_assets(house, command)
        case EndReservation():
            return resources.end_reservation(house, command)
        case CollectClaims():
            return resources.collect_claims(house, command)
        case StartBuyIn():
            return resources.start_buy_in(house, command)
        case ReportBuyIn():
            return resources.report_buy_in(house, command)
        case BuyInShort():
            return resources.buy_in_short(house, command)
        case CaptureInstructions():
            return gross.capture_instructions(house, command)
        case SettleTogether():
            return gross.settle_together(house, command)
