"""Steps of a day under four-eyes: the commands that an approval brings along are those that were proposed.

An act names the step, the hashes of its commands, and counts and totals of them. Both are checked against the commands
when it is approved, here and not at the door: so what the second person saw is what is carried out, on the day it was
proposed for, once.
"""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.clearing.capture import gross_by_currency
from tsingma.clearing.trades import Trades, from_command
from tsingma.engine.day_plan import PlanKind, kind_of
from tsingma.engine.house import House
from tsingma.engine.trading import check_trades
from tsingma.journal.act_commands import RunDayStep
from tsingma.journal.commands import (
    CallMargin,
    CaptureDerivatives,
    CaptureTrades,
    CloseDay,
    Command,
    MarkDerivatives,
    OpenDay,
    RunStep,
    SetClosingPrices,
    decode,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions

CONTENTS_MAX = 64  # commands of one step: 16 million trades fill them
TEXT_LENGTH_MAX = 200
HASH_BYTES = 32
_HALF_BITS = 32  # sums of halves of 64-bit columns cannot overflow

TELLS: dict[PlanKind, type[Command]] = {
    PlanKind.OPEN: OpenDay,
    PlanKind.CORPORATE_ACTIONS: RunCorporateActions,
    PlanKind.TIMETABLE: RunStep,
    PlanKind.PRICES: SetClosingPrices,
    PlanKind.TRADES: CaptureTrades,
    PlanKind.DERIVATIVE_TRADES: CaptureDerivatives,
    PlanKind.DERIVATIVE_MARKS: MarkDerivatives,
    PlanKind.MARGIN_CALL: CallMargin,
    PlanKind.CLOSE: CloseDay,
}


def hash_of(body: bytes) -> bytes:
    """Return the SHA-256 by which an act names a command's journal body (32 bytes)."""
    return hashlib.sha256(body).digest()


def require_step(house: House, told: RunDayStep) -> PlanKind:
    """Return what a proposed step does; raises Rejected for one that a day does not have, or that is told wrongly.

    What settles together after a step is found by the house itself and is no act.
    """
    kind = kind_of(told.name, None if house.book is None else house.resolved.markets)
    if kind not in TELLS:
        raise refuse(RejectionReason.NOT_ALLOWED, "the house does this itself after the step", field="step",
                     subject=told.name)  # fmt: skip
    sizes = {len(content) for content in told.contents} | ({len(told.file)} if told.file else set())
    if sizes != {HASH_BYTES} or len(told.contents) > (CONTENTS_MAX if kind is PlanKind.TRADES else 1):
        raise refuse(RejectionReason.MALFORMED, "is no list of SHA-256 of what would be carried out", field="contents")
    if max(len(told.name), len(told.source)) > TEXT_LENGTH_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {TEXT_LENGTH_MAX} characters", field="source")
    return kind


def commands_of(house: House, told: RunDayStep, bodies: tuple[bytes, ...]) -> tuple[Command, ...]:
    """Return the commands that an approval of a step carries out; changes nothing.

    Raises Rejected: conflict (they are not those that were proposed, or their figures are not), not-allowed (another
    day), and what is wrong with trades: those that fill several commands are taken in whole or not at all.
    """
    kind = require_step(house, told)
    if tuple(hash_of(body) for body in bodies) != told.contents:
        raise _changed(told, "what would be carried out now is not what was proposed")
    try:
        commands = tuple(decode(body) for body in bodies)
    except msgspec.DecodeError:
        raise refuse(RejectionReason.MALFORMED, "is no command", field="bodies") from None
    for command in commands:
        if not isinstance(command, TELLS[kind]) or getattr(command, "step", told.name) != told.name:
            message = f"{type(command).__name__} is not what '{told.name}' does"
            raise refuse(RejectionReason.NOT_ALLOWED, message, field="bodies")
    _require_day(house, told, commands)
    if figures_of(house, commands) != told.figures:
        raise _changed(told, "its counts and totals are not those that were proposed")
    if len(commands) > 1:
        check_trades(house, _joined(commands))
    return commands


def figures_of(house: House, commands: tuple[Command, ...]) -> dict[str, int]:
    """Return counts and totals of a step's commands, as who approves it sees them: units, and cents by currency.

    Raises Rejected (malformed, unknown) where columns are none, or name nothing.
    """
    figures: dict[str, int] = {}
    for command in commands:
        for name, value in _figures(house, command).items():
            figures[name] = figures.get(name, 0) + value
    return figures


def _figures(house: House, command: Command) -> dict[str, int]:
    match command:
        case CaptureTrades():
            trades = from_command(command)
            outside = (trades.counter < 0) | (trades.counter >= house.resolved.counter_currency.size)
            if outside.any():
                number = int(trades.counter[outside][0])
                raise refuse(RejectionReason.UNKNOWN, f"no counter {number}", field="instrument", file=trades.source)
            amounts = gross_by_currency(trades, house.resolved)
            values = {f"value_{CURRENCIES[unit]}_cents": cents for unit, cents in enumerate(amounts) if cents}
            return {"trades": len(trades), "units": _total(trades.quantity, "quantity"), **values}
        case SetClosingPrices():
            prices = unpack(command.price_e4, "i8", field="price_e4")
            rates = {f"rate_{unit}_e6": rate for unit, rate in zip(CURRENCIES, command.fx_e6, strict=False)}
            return {"prices": int(prices.size), **rates}
        case CaptureDerivatives():
            contracts = unpack(command.quantity, "i8", field="quantity")
            return {"trades": int(contracts.size), "contracts": _total(contracts, "quantity")}
        case MarkDerivatives():
            return {"prices": len(unpack(command.price_e4, "i8", field="price_e4")), "index_e4": command.index_e4}
        case CallMargin():
            cents = unpack(command.requirement_cents, "i8", field="requirement_cents")
            return {"accounts": int(cents.size), "requirement_HKD_cents": _total(cents, "requirement_cents")}
        case _:
            return {}


def _total(column: npt.NDArray[np.int64], field: str) -> int:
    """Return the sum of a column; raises Rejected (out-of-range) where 64 bits do not hold it."""
    found = (int((column >> _HALF_BITS).sum()) << _HALF_BITS) + int((column & (2**_HALF_BITS - 1)).sum())
    if abs(found) >= 2**63:
        raise refuse(RejectionReason.OUT_OF_RANGE, "these add up beyond 64 bits", field=field, remedy="split them")
    return found


def _require_day(house: House, told: RunDayStep, commands: tuple[Command, ...]) -> None:
    day, position = to_date(told.day), house.position
    if isinstance(commands[0], OpenDay):
        if commands[0].day != told.day:
            raise refuse(RejectionReason.NOT_ALLOWED, f"it opens another day than {day}", field="day")
    elif not position.is_open or position.day != told.day:
        stands = f"the house stands at {to_date(position.day)}" if position.day else "it had no day yet"
        message = f"{day} is not open: {stands}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, subject=told.name, remedy="propose it for the open day")


def _joined(commands: tuple[Command, ...]) -> Trades:
    parts = [from_command(command) for command in commands if isinstance(command, CaptureTrades)]
    if len({part.trade_day for part in parts}) != 1:
        raise refuse(RejectionReason.CONFLICT, "these are trades of several days", field="trade_day")
    names = Trades.__slots__[2:]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return Trades(parts[0].source, parts[0].trade_day, *columns)


def _changed(told: RunDayStep, message: str) -> Rejected:
    return refuse(RejectionReason.CONFLICT, message, subject=told.name,
                  remedy="withdraw or reject it, and propose it again")  # fmt: skip
