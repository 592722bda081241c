"""Orders of one side come in: one command, or a row of commands of one second, each answered for itself.

A command with one order costs as much as one with a thousand, so a row of small ones is taken in together where that
cannot be told from one after the other. See ``submit_together``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack, unpack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine import settling
from tsingma.engine.barring import barred_participants
from tsingma.engine.cycle import settlement_days_between
from tsingma.engine.house import Handlers, House
from tsingma.engine.instructing import participant
from tsingma.journal.commands import SubmitInstructions
from tsingma.journal.events import InstructionsSubmitted
from tsingma.settlement.growing import Column
from tsingma.settlement.orders import ORDER_COLUMNS, WAITING
from tsingma.settlement.penalties import late_matching_penalties
from tsingma.settlement.rules import rules_on
from tsingma.settlement.submission import (
    MATCHES,
    WAITS,
    Moment,
    Submission,
    faults_of,
    known_accounts,
    rejection,
    submit,
)

Int64 = npt.NDArray[np.int64]

SECONDS_A_DAY = 86_400
REJECTIONS_MAX = 100
ANYONE = -1  # the house's own intake, which sends for everybody
_TYPES = {name: np.dtype(kind).newbyteorder("<") for name, (kind, _) in ORDER_COLUMNS.items()}
_REQUIRED = [name for name, (_, default) in ORDER_COLUMNS.items() if default is None]


def submit_instructions(house: House, command: SubmitInstructions) -> InstructionsSubmitted:
    """Take in orders, each for itself, match them and charge what matched late."""
    sender = _sender(house, command)
    columns = order_columns(command.columns)
    return _take_in(house, [command], [sender], columns, [columns["reference"].size])[0]


def submit_together(house: House, commands: Sequence[SubmitInstructions]) -> list[InstructionsSubmitted] | None:
    """Take in commands of one second in one pass, or do nothing and return None where they must go one by one.

    They go one by one when one of them would be refused whole, when an order has a reference that another of them has,
    and when there are orders that are agreed already or pooled, here or among those that wait: a pool settles in the
    command that completes it, and what a neighbour will match must not count for it yet.
    """
    try:
        senders = [_sender(house, command) for command in commands]
    except Rejected:
        return None
    counts = [len(command.columns.get("reference", b"")) // 8 for command in commands]
    columns = _joined(commands, counts)
    if columns is None or any(columns[name].any() for name in ("matched", "pool", "pool_size")):
        return None
    waiting = house.settlement.orders.table
    if waiting["pool"].any() and waiting["pool"][waiting["status"] == WAITING].any():
        return None
    keys = house.resolved.account_participant[known_accounts(columns, house.resolved)[1]].astype(np.int64) << 40
    keys ^= columns["reference"]
    if np.unique(keys).size < keys.size:
        return None
    return _take_in(house, commands, senders, columns, counts)


def order_columns(packed: dict[str, bytes]) -> dict[str, Column]:
    """Return all columns of orders, unpacked, with defaults; raises Rejected: unknown, missing, of other lengths."""
    unknown = sorted(set(packed) - set(ORDER_COLUMNS))
    if unknown:
        raise refuse(
            RejectionReason.UNKNOWN, "no such column", field=unknown[0], remedy=f"one of {', '.join(ORDER_COLUMNS)}"
        )
    missing = [name for name in _REQUIRED if name not in packed]
    if missing:
        raise refuse(RejectionReason.MISSING, "the column is not given", field=missing[0])
    columns = {name: unpack(data, ORDER_COLUMNS[name][0], field=name) for name, data in packed.items()}
    count = columns["reference"].size
    if any(column.size != count for column in columns.values()):
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    for name, (kind, default) in ORDER_COLUMNS.items():
        if name not in columns and default is not None:
            columns[name] = np.full(count, default, kind)
    return columns


def _sender(house: House, command: SubmitInstructions) -> int:
    """Return who sends a command; raises Rejected when it is refused whole."""
    house.resolved  # noqa: B018 - refused first of all: there is no book
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", file=command.source, remedy="open the day first")
    clock_s = house.settlement.clock_s
    if not clock_s <= command.time_s < SECONDS_A_DAY:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"second {command.time_s} of the day, it is {clock_s} already",
            field="time_s",
            remedy=f"{clock_s} to {SECONDS_A_DAY - 1}",
        )
    return participant(house, command.participant) if command.participant else ANYONE


def _joined(commands: Sequence[SubmitInstructions], counts: list[int]) -> dict[str, Column] | None:
    """Return the columns of commands one after the other, with defaults; None when a command has another form."""
    names = set().union(*(command.columns for command in commands))
    if not names.issubset(_TYPES) or any(name not in command.columns for command in commands for name in _REQUIRED):
        return None
    columns: dict[str, Column] = {}
    for name, kind in _TYPES.items():
        default = ORDER_COLUMNS[name][1] or 0
        if name not in names:
            columns[name] = np.full(sum(counts), default, kind)
            continue
        blank = default.to_bytes(kind.itemsize, "little", signed=True)
        parts = [
            blank * count if (given := command.columns.get(name)) is None else given
            for command, count in zip(commands, counts, strict=True)
        ]
        if list(map(len, parts)) != [kind.itemsize * count for count in counts]:
            return None
        columns[name] = np.frombuffer(b"".join(parts), kind)
    return columns


def _take_in(
    house: House, commands: Sequence[SubmitInstructions], senders: list[int], columns: dict[str, Column],
    counts: list[int],
) -> list[InstructionsSubmitted]:  # fmt: skip
    """Take in the orders of commands of one second and return what each is answered."""
    book, settlement, day, second = house.resolved, house.settlement, house.position.day, commands[0].time_s
    came_with = np.repeat(np.arange(len(commands)), counts)
    house_too = int(book.account_participant[house.internal.house])
    sender = np.array([ANYONE if one == house_too else one for one in senders], np.int64)[came_with]
    barred = barred_participants(house) if house.defaults.barred else None
    results = faults_of(columns, book, settlement.orders, sender=sender, is_house=sender == ANYONE, barred=barred)
    rejections = _rejections(commands, counts, columns, results)
    settling.tick(house, second)
    taken = submit(
        settlement.instructions, settlement.orders, settlement.links, columns, book, rules_on(to_date(day)), results,
        Moment(day, second, came_with, len(commands) - 1, settling.delays(house)),
    )  # fmt: skip
    penalties = _penalties(house, taken, len(commands))
    figures = zip(
        *(
            np.bincount(by, minlength=len(commands)).tolist()
            for by in (
                came_with[taken.results == WAITS],
                came_with[taken.results == MATCHES],
                came_with[taken.results > MATCHES],
                taken.removed_by,
            )
        ),
        strict=True,
    )
    codes, numbers, start = taken.results.tobytes(), pack(taken.numbers, "i8"), 0
    events = []
    for place, (count, (waiting, matched, refused, removed)) in enumerate(zip(counts, figures, strict=True)):
        stop = start + count
        event = InstructionsSubmitted(
            waiting=waiting,
            matched=matched,
            refused=refused,
            allegements_removed=removed,
            late_matching_penalties=penalties[place],
            results=codes[start:stop],
            numbers=numbers[8 * start : 8 * stop],
            rejections=rejections.get(place, ()),
        )
        events.append(event)
        start = stop
    return events


def _rejections(
    commands: Sequence[SubmitInstructions], counts: list[int], columns: dict[str, Column], results: npt.NDArray[np.int8]
) -> dict[int, tuple[Rejection, ...]]:
    """Return by command why orders of it are refused, the first hundred of each."""
    if not results.any():
        return {}
    starts = np.cumsum([0, *counts]).tolist()
    found = {}
    for place, command in enumerate(commands):
        run = slice(starts[place], starts[place + 1])
        own, bad = results[run], np.flatnonzero(results[run] != WAITS)
        mine = {name: column[run] for name, column in columns.items()} if bad.size else {}
        found[place] = tuple(
            rejection(int(own[item]), item, mine, command.source) for item in bad[:REJECTIONS_MAX].tolist()
        )
    return found


def _penalties(house: House, taken: Submission, commands: int) -> list[int]:
    """Charge what matched late, command after command, and return the claims each added."""
    settlement, day = house.settlement, house.position.day
    added = [0] * commands
    late = settlement.instructions.table["late"][taken.matched] != 0
    if not late.any():
        return added
    values, rules = settling.now(house).values, rules_on(to_date(day))
    for place in np.unique(taken.matched_by[late]).tolist():
        added[place] = late_matching_penalties(
            settlement.instructions, settlement.claims, values, rules, taken.matched[taken.matched_by == place], day,
            lambda first: settlement_days_between(first, day),
        )  # fmt: skip
    return added


HANDLERS: Handlers = {SubmitInstructions: submit_instructions}
