"""Commands on cleared swaps: list series, novate trades, mark and move the evening's money."""

from __future__ import annotations

import numpy as np

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.clearing.swaps import SwapMark, SwapTrades
from tsingma.engine.derivatives import move_margin, require_open
from tsingma.engine.house import Handlers, House
from tsingma.journal.swap_commands import ListSwaps, MarkSwaps, RegisterSwaps
from tsingma.journal.swap_events import SwapsListed, SwapsMarked, SwapsRegistered

CHECKED = "swaps: payers and receivers cancel in every series, and what was paid for them adds up to nothing"


def list_swaps(house: House, command: ListSwaps) -> SwapsListed:
    """Add series; refused whole when one is a duplicate, over or impossible."""
    house.swaps.add_series(command.series, house.position.day)
    return SwapsListed(len(command.series), len(house.swaps.series))


def register_swaps(house: House, command: RegisterSwaps) -> SwapsRegistered:
    """Check and novate trades of the open day; refused whole when one is bad."""
    require_open(house)
    kinds = {"trade_id": "i8", "series": "i4", "payer": "i4", "receiver": "i4", "notional_cents": "i8", "rate_e6": "i8"}
    columns = [unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in kinds.items()]
    if len({column.size for column in columns}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", subject=command.source)
    trades = SwapTrades(*columns)
    faults = house.swaps.check(trades, house.resolved.account_participant.size, house.position.day)
    if faults:
        raise Rejected(*faults[:100])
    house.swaps.register(trades)
    house.swaps.check_flat()
    notional = sum(trades.notional_cents.tolist())
    return SwapsRegistered(trades.trade_id.size, notional, len(house.swaps.positions))


def mark_swaps(house: House, command: MarkSwaps) -> SwapsMarked:
    """Mark every position and move the money; losers pay what they have, the rest is owed and tried again tomorrow.

    Refused when a series with a position has no mark, or a mark is impossible.
    """
    require_open(house)
    number = unpack(command.series, "i4", field="series").astype(np.int64)
    kinds = {name: "i4" if name == "reset_day" else "i8" for name in SwapMark.__struct_fields__}
    columns = [unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in kinds.items()]
    if {column.size for column in columns} != {number.size} or np.unique(number).size != number.size:
        raise refuse(RejectionReason.MALFORMED, "columns differ in length, or a series is marked twice", field="series")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    marks = {place: SwapMark(*row) for place, row in zip(number.tolist(), rows, strict=True)}
    book, day = house.swaps, house.position.day
    wrong = book.mark_fault(marks, day)
    if wrong is not None:
        raise Rejected(wrong)
    if book.marked_day == day:
        raise refuse(RejectionReason.NOT_ALLOWED, "the swaps of this day are marked already", field="series")
    flows = book.mark(marks, day)
    book.check_flat()
    moved = {}
    for unit in sorted({*flows, *book.owed}):
        taken, given = move_margin(house, book, flows.get(unit, {}), unit)
        name, owed = CURRENCIES[unit], sum(book.owed_in(unit).values())
        moved.update({f"collected_{name}": taken, f"paid_{name}": given, f"owed_{name}": owed})
    return SwapsMarked(len(book.positions), moved)


HANDLERS: Handlers = {ListSwaps: list_swaps, RegisterSwaps: register_swaps, MarkSwaps: mark_swaps}
