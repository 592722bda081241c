"""One instruction's whole story: both orders, what it is linked to, every attempt with its outcome, what would free it.

The past is what the journal gives again from the newest snapshots: replayed aside, within bounds, while the house goes
on. Amounts are cents or units, seconds those of the business day.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.app.house_service import HouseService
from tsingma.app.instruction_reads import InstructionState, OrderState, instruction_state, order_state
from tsingma.basics.dates import to_date
from tsingma.engine.house import House
from tsingma.engine.settling import now
from tsingma.engine.step import step
from tsingma.journal.carried_out import carried_out
from tsingma.journal.commands import ChangeInstruction, Command, LinkInstructions, RunStep, decode
from tsingma.settlement.instruction import CANCELLED, ORIGINS, REASONS, SETTLED, STATUSES
from tsingma.settlement.remedy import what_frees
from tsingma.settlement.timetable import StepKind, TimetableStep, step_named

RECORDS_MAX = 2_000  # replayed for one story
BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 200_000  # instructions and ledger rows of a house whose snapshot is loaded for a story
TRIES = (
    StepKind.NIGHT_SETTLEMENT, StepKind.REAL_TIME_DVP, StepKind.BATCH_SETTLEMENT_RUN, StepKind.PARTIAL_SETTLEMENT,
    StepKind.CONTINUOUS_SETTLEMENT,
)  # fmt: skip
_WATCHED = ("status", "open_quantity", "holds", "cancels", "priority", "partial", "together", "released_quantity")


class Entered(msgspec.Struct, frozen=True):
    """An order of the instruction, with the day and second at which it came in."""

    order: OrderState
    day: str
    second: int


class Lack(msgspec.Struct, frozen=True):
    """What must come in on an account before it can settle."""

    account: str
    asset: str
    lack: int


class Freeing(msgspec.Struct, frozen=True):
    """What settling it at the next run asks for; nothing of it: it is covered and settles then.

    ``members`` are all that settle with or before it, itself too; ``until`` is the last intended day of ``early`` ones.
    """

    members: tuple[int, ...]
    lacks: tuple[Lack, ...]
    on_hold: tuple[int, ...]
    early: tuple[int, ...]
    until: str
    cancelled: tuple[int, ...]


class Moment(msgspec.Struct, frozen=True):
    """A record in which something happened to it; ``outcome``: appears, settles, part, changes, tried."""

    sequence: int
    day: str
    second: int
    command: str
    action: str
    step: str
    who: str
    outcome: str
    status: str
    open_quantity: int
    reason: str


class Past(msgspec.Struct, frozen=True):
    """The moments found behind record ``after`` (0: the whole journal)."""

    after: int
    moments: tuple[Moment, ...]


class Story(msgspec.Struct, frozen=True):
    """An instruction as it stands, and how it came there; ``freeing`` is None once it is settled or cancelled."""

    state: InstructionState
    security_name: str
    origin: str
    matched_day: str
    settled_day: str
    orders: tuple[Entered, ...]
    earlier: tuple[int, ...]
    later: tuple[int, ...]
    together: tuple[int, ...]
    freeing: Freeing | None


def story_of(house: House, number: int) -> Story:
    """Return the story of an instruction as of now; raises Rejected (unknown)."""
    state = instruction_state(house, number)
    settlement, table = house.settlement, house.settlement.instructions.table
    cell = {name: int(column[number]) for name, column in table.items()}
    group = cell["together"]
    members = np.flatnonzero(table["together"] == group).tolist() if group else []
    return Story(
        state=state,
        security_name=_security_name(house, cell["asset"]),
        origin=ORIGINS[cell["origin"]],
        matched_day=_day(cell["matched_day"]),
        settled_day=_day(cell["settled_day"]),
        orders=tuple(_entered(house, cell[side]) for side in ("deliverer_order", "receiver_order") if cell[side] >= 0),
        earlier=tuple(settlement.links.earlier[settlement.links.later == number].tolist()),
        later=tuple(settlement.links.later[settlement.links.earlier == number].tolist()),
        together=tuple(one for one in members if one != number),
        freeing=None if cell["status"] in (SETTLED, CANCELLED) else _freeing(house, number),
    )


def past_of(service: HouseService, number: int) -> Past | None:
    """Return what happened to an instruction, oldest first; None where that would take more than the bounds."""
    found = service.since_snapshot(RECORDS_MAX, ROWS_MAX)
    if found is None or sum(len(record.body) for record in found[1]) > BYTES_MAX:
        return None
    snapshot, records = found
    house = House() if snapshot is None else House.load(snapshot.parts)
    moments = []
    before = _watched(house, number)
    for record in records:
        step(house, decode(record.body))
        after = _watched(house, number)
        if after is not None:
            moment = _moment(house, number, carried_out(record), record.sequence, before, after)
            moments += [moment] if moment is not None else []
        before = after
    return Past(snapshot.sequence if snapshot is not None else 0, tuple(moments))


def _moment(
    house: House, number: int, command: Command, sequence: int, before: tuple[int, ...] | None, after: tuple[int, ...]
) -> Moment | None:
    run = step_named(command.step, house.resolved.markets) if isinstance(command, RunStep) else None
    status, left = after[:2]
    if before is None:
        outcome = "appears"
    elif status == SETTLED and before[0] != SETTLED:
        outcome = "settles"
    elif left < before[1]:
        outcome = "part"
    elif after != before or _is_about(command, number):
        outcome = "changes"
    elif run is not None and _tried(house, number, run):
        outcome = "tried"
    else:
        return None
    reason = int(house.settlement.instructions.table["reason"][number])
    return Moment(
        sequence=sequence, day=_day(house.position.day), second=house.settlement.clock_s,
        command=str(command.__struct_config__.tag), action=str(getattr(command, "action", "")),
        step=run.name if run else "",
        who=str(getattr(command, "participant", "")), outcome=outcome, status=STATUSES[status], open_quantity=left,
        reason=REASONS[reason],
    )  # fmt: skip


def _is_about(command: Command, number: int) -> bool:
    if isinstance(command, ChangeInstruction):
        return command.instruction == number
    return isinstance(command, LinkInstructions) and number in command.instructions


def _tried(house: House, number: int, run: TimetableStep) -> bool:
    """Return whether a run took the instruction up: it is open, due, of its markets and kinds."""
    cell = {name: int(column[number]) for name, column in house.settlement.instructions.table.items()}
    is_open = cell["status"] not in (SETTLED, CANCELLED) and cell["intended_day"] <= house.position.day
    fits = cell["market"] in run.markets and (not run.kinds or cell["kind"] in run.kinds)
    return is_open and fits and run.kind in TRIES


def _watched(house: House, number: int) -> tuple[int, ...] | None:
    table = house.settlement.instructions.table
    if number >= len(house.settlement.instructions):
        return None
    return tuple(int(table[name][number]) for name in _WATCHED)


def _freeing(house: House, number: int) -> Freeing:
    settlement, table = house.settlement, house.settlement.instructions.table
    lender = now(house).lender(settlement)
    freed = what_frees(settlement.instructions, settlement.links, settlement.reservations, house.ledger, lender, number)
    book = house.resolved
    lacks = tuple(Lack(book.account_name(owner), book.asset_name(asset), lack) for owner, asset, lack in freed.lacks)
    until = max((int(table["intended_day"][one]) for one in freed.early), default=0)
    return Freeing(tuple(freed.members.tolist()), lacks, freed.on_hold, freed.early, _day(until), freed.cancelled)


def _entered(house: House, order: int) -> Entered:
    table = house.settlement.orders.table
    return Entered(order_state(house, order), _day(int(table["entered_day"][order])), int(table["entered_s"][order]))


def _security_name(house: House, asset: int) -> str:
    book = house.resolved
    security = asset - (book.asset_count - len(book.securities))
    return book.book.counters[int(book.settlement_counter[security])].name if security >= 0 else ""


def _day(day: int) -> str:
    return str(to_date(day)) if day else ""
