"""``step``: one command on the house gives events, or a refusal that changed nothing. No clock, no I/O, no chance.

Every handler checks first and changes after, so that a refusal leaves no trace. A broken invariant is no refusal:
it is raised and stops the house.
"""

from __future__ import annotations

from collections.abc import Callable

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine import books, day, trading
from tsingma.engine.house import House
from tsingma.journal.commands import (
    CallMargin,
    CaptureTrades,
    ChangeInstruction,
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    PostTransfers,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.events import Accepted, Answer, Event, Refused

_HANDLERS: dict[type, Callable[[House, Command], Event]] = {
    LoadReference: books.load_reference,
    DepositAssets: books.deposit_assets,
    PostTransfers: books.post_transfers,
    CallMargin: books.call_margin,
    OpenDay: day.open_day,
    SetClosingPrices: day.set_closing_prices,
    RunStep: day.run_step,
    CloseDay: day.close_day,
    CaptureTrades: trading.capture_trades,
    ChangeInstruction: trading.change_instruction,
}  # type: ignore[dict-item]


def step(house: House, command: Command) -> Answer:
    """Carry out one command and return its answer; raises InvariantBroken when the books contradict themselves."""
    handler = _HANDLERS.get(type(command))
    try:
        if handler is None:
            raise refuse(RejectionReason.UNKNOWN, f"no command of type {type(command).__name__}")
        return Accepted((handler(house, command),))
    except Rejected as rejected:
        return Refused(rejected.rejections)
