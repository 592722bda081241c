"""The business day at a glance: timetable, queue, fails and why, calls, quotas, proofs; of all or of one participant.

Money is in cents of its currency, securities in units. All of it is true as of one record.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.day_progress import FindAll, StepStanding, steps_of_day
from tsingma.app.house_reads import MarginCall, Quota, calls_of, of_participant, quotas_of
from tsingma.app.house_service import HouseService
from tsingma.app.instruction_reads import not_in_time
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.day_plan import PlanKind
from tsingma.engine.house import House
from tsingma.journal.carried_out import events_of
from tsingma.journal.events import DayClosed, decode_answer
from tsingma.journal.record import Record
from tsingma.settlement.instruction import REASONS, STATUSES
from tsingma.settlement.orders import ORDER_STATUSES
from tsingma.settlement.timetable import timetable

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CALLS_SHOWN = 12
FAILS_SHOWN = 12


class StepState(msgspec.Struct, frozen=True):
    """One step of the day: when, what it does, and whether it is done, next, open to be done, later or passed over."""

    name: str
    kind: str
    second: int
    state: StepStanding
    assumed: bool


class QueueRow(msgspec.Struct, frozen=True):
    """Instructions in one status: how many, and the money of their second legs by currency (cents)."""

    status: str
    number: int
    amounts: tuple[tuple[str, int], ...]


class FailRow(msgspec.Struct, frozen=True):
    """Instructions past their day in which one reason stands, how many and how much (cents by currency)."""

    reason: str
    number: int
    amounts: tuple[tuple[str, int], ...]


class ShortRow(msgspec.Struct, frozen=True):
    """A net position that has not delivered: units still owed, since when, and their value at the last price."""

    account: str
    security: str
    open: int
    since: str
    value_cents: int
    currency: str


class Closed(msgspec.Struct, frozen=True):
    """What the house proved when it last closed a day, and the record that holds the proof."""

    day: str
    record: int
    hash: str
    checked: tuple[str, ...]


class Glance(msgspec.Struct, frozen=True):
    """All of it; ``orders`` counts orders by status, ``short_positions`` counts more than ``shorts`` shows."""

    steps: tuple[StepState, ...]
    queue: tuple[QueueRow, ...]
    orders: tuple[tuple[str, int], ...]
    fails: tuple[FailRow, ...]
    shorts: tuple[ShortRow, ...]
    short_positions: int
    calls: tuple[MarginCall, ...]
    calls_open: int
    lacks_cents: int
    quotas: dict[str, list[Quota]]


def glance_of(house: House, at: int, participant: str, find_all: FindAll, *, with_calls: bool = True) -> Glance:
    """Return the glance of a participant's lines ("": of everybody's); raises Rejected (unknown) for no participant.

    ``find_all`` reads the journal by command ids.
    """
    instructions, orders = house.settlement.instructions, house.settlement.orders
    table = instructions.table
    mine = of_participant(house, table["deliverer"], participant)
    mine |= of_participant(house, table["receiver"], participant)
    own_orders = of_participant(house, orders.table["account"], participant)
    counts = np.bincount(orders.table["status"][own_orders], minlength=len(ORDER_STATUSES)).tolist()
    late = mine & not_in_time(house)
    shorts = _shorts(house, participant)
    calls = calls_of(house, at, participant, 0, max(1, house.margin.account.size)).items if with_calls else []
    lacking = sorted((one for one in calls if one.lacks_cents), key=lambda one: -one.lacks_cents)
    return Glance(
        steps=steps_of(house, at, find_all),
        queue=tuple(
            QueueRow(name, int((mine & (table["status"] == status)).sum()),
                     _amounts(house, mine & (table["status"] == status)))
            for status, name in enumerate(STATUSES)
        ),
        orders=tuple(zip(ORDER_STATUSES, counts, strict=True)),
        fails=tuple(
            FailRow(name, int((late & (table["reason"] == reason)).sum()),
                    _amounts(house, late & (table["reason"] == reason)))
            for reason, name in enumerate(REASONS)
            if (late & (table["reason"] == reason)).any()
        ),
        shorts=shorts[:FAILS_SHOWN],
        short_positions=len(shorts),
        calls=tuple(lacking[:CALLS_SHOWN]),
        calls_open=len(lacking),
        lacks_cents=sum(one.lacks_cents for one in lacking),
        quotas=quotas_of(house),
    )  # fmt: skip


def steps_of(house: House, at: int, find_all: FindAll) -> tuple[StepState, ...]:
    """Return the plan of the day with how far it is as of a record; ``find_all`` reads the journal by command ids.

    What the house does by itself after a step is left out, and corporate actions where there are none.
    """

    def known(ids: Sequence[str]) -> dict[str, Record]:
        return {name: record for name, record in find_all(ids).items() if record.sequence <= at}

    assumed = {step.name: step.assumed for step in timetable(house.resolved.markets)}
    told = [one for one in steps_of_day(house, known) if one.kind != PlanKind.TOGETHER]
    return tuple(
        StepState(one.step, one.kind, _second(one.time), one.state, assumed.get(one.step, True))
        for one in told
        if one.kind != PlanKind.CORPORATE_ACTIONS or one.state != "passed"
    )


def next_step(house: House) -> str:
    """Return the step of the timetable that comes next, "" when all are run or no day is open."""
    position = house.position
    names = [step.name for step in timetable(house.resolved.markets) if step.name not in position.steps_run]
    return names[0] if names and position.is_open else ""


def _second(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def last_closed(service: HouseService, day: str, *, is_open: bool) -> Closed | None:
    """Return what was proved when ``day`` closed (or, while it is open, nothing); reads the journal by its id."""
    record = None if is_open or not day else service.find(f"{day}/close")
    events = events_of(decode_answer(record.answer)) if record is not None else ()
    event = events[0] if events else None
    if record is None or not isinstance(event, DayClosed):
        return None
    return Closed(str(to_date(event.day)), record.sequence, record.hash.hex(), event.checked)


def _amounts(house: House, chosen: Bools) -> tuple[tuple[str, int], ...]:
    """Return the second legs in money of instructions, by currency, where there is any."""
    instructions = house.settlement.instructions
    numbers = np.flatnonzero(chosen)
    against, cents = instructions.table["against"][numbers], instructions.second_leg(numbers)
    sums = [(name, int(cents[against == unit].sum())) for unit, name in enumerate(CURRENCIES)]
    return tuple((name, total) for name, total in sums if total)


def _shorts(house: House, participant: str) -> tuple[ShortRow, ...]:
    """Return net positions that owe stock since before the open day, or today after the last run; dearest first."""
    book, lines = house.resolved, house.settlement.positions
    mine = of_participant(house, lines.account, participant)
    late = mine & (lines.open < 0) & (lines.since_day < house.position.day)
    found = []
    for place in np.flatnonzero(late).tolist():
        security, left = int(lines.security[place]), -int(lines.open[place])
        counter = int(book.settlement_counter[security])
        value = left * int(house.price_e4[counter]) // 100
        found.append(
            ShortRow(
                book.account_name(int(lines.account[place])), book.securities[security], left,
                str(to_date(int(lines.since_day[place]))), value, CURRENCIES[int(book.counter_currency[counter])],
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.value_cents, one.account, one.security)))
