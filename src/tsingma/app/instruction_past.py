"""What happened to an instruction, record by record: replayed aside from a snapshot, within bounds, and then kept.

The first question about an instruction replays the records behind the snapshot; the house it ends with stays aside. A
question that comes back carries only the records since out on it. What is kept is what a fresh replay would tell: when
the replay would begin elsewhere (a new snapshot was written), everything kept is forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tsingma.app.house_service import HouseService
from tsingma.app.instruction_story import day_text
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.carried_out import carried_out
from tsingma.journal.commands import ChangeInstruction, Command, LinkInstructions, RunStep, decode
from tsingma.journal.record import Record
from tsingma.settlement.instruction import CANCELLED, REASONS, SETTLED, STATUSES
from tsingma.settlement.timetable import StepKind, TimetableStep, step_named

RECORDS_MAX = 2_000  # replayed for one story
BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 200_000  # instructions and ledger rows of a house whose snapshot is loaded for a story
TRIES = (
    StepKind.NIGHT_SETTLEMENT, StepKind.REAL_TIME_DVP, StepKind.BATCH_SETTLEMENT_RUN, StepKind.PARTIAL_SETTLEMENT,
    StepKind.CONTINUOUS_SETTLEMENT,
)  # fmt: skip
_WATCHED = ("status", "open_quantity", "holds", "cancels", "priority", "partial", "together", "released_quantity")
PASTS_KEPT = 64


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


@dataclass
class _Aside:
    """A house that a replay ended with: begun at snapshot ``start``, in which ``after`` is what was loaded of it."""

    start: int
    after: int
    seen: int
    read_bytes: int
    house: House


def past_of(service: HouseService, number: int) -> Past | None:
    """Return what happened to an instruction, oldest first; None where that would take more than the bounds."""
    found = _replayed(service, number)
    return None if found is None else Past(found[0].after, tuple(found[1]))


class KeptPasts:
    """The pasts of the instructions last asked about, each equal to what :func:`past_of` would tell; any thread."""

    def __init__(self, service: HouseService, kept: int = PASTS_KEPT) -> None:
        """Start empty; ``kept`` instructions at most."""
        self._service, self._kept = service, kept
        self._lock = threading.Lock()
        self._aside: _Aside | None = None
        self._moments: dict[int, list[Moment]] = {}  # by instruction, the one asked least recently first
        self._told: dict[int, tuple[int, Past]] = {}  # the last answers, each with the record as of which it was given

    def known(self, number: int) -> Past | None:
        """Return a past that is kept and misses no record; None where it must be worked on. Waits for nobody."""
        told = self._told.get(number)
        return told[1] if told is not None and told[0] == self._service.length() else None

    def past(self, number: int) -> Past | None:
        """Return what happened to an instruction, as :func:`past_of`."""
        found = self.known(number)
        return found if found is not None else self._worked_on(number)

    def _worked_on(self, number: int) -> Past | None:
        with self._lock:
            start = self._service.replay_start(RECORDS_MAX, ROWS_MAX)
            if self._aside is None or self._aside.start != start:
                self._forget()
            if number not in self._moments:
                replay = _replayed(self._service, number)
                if replay is None:
                    return None
                aside, moments = replay
                if self._aside is None or self._aside.start != aside.start:
                    self._forget()
                    self._aside = aside
                self._follow(self._aside, aside.seen)
            else:
                moments = self._moments.pop(number)
                self._moments[number] = moments
                self._follow(self._aside, self._service.length())
            return self._keep(number, moments)

    def _keep(self, number: int, moments: list[Moment]) -> Past | None:
        aside = self._aside
        if aside is None or aside.read_bytes > BYTES_MAX:
            self._forget()
            return None
        self._moments[number] = moments
        while len(self._moments) > self._kept:
            gone = next(iter(self._moments))
            del self._moments[gone]
            self._told.pop(gone, None)
        past = Past(aside.after, tuple(moments))
        self._told[number] = (aside.seen, past)
        return past

    def _follow(self, aside: _Aside | None, until: int) -> None:
        """Carry the records up to ``until`` out on the house aside, and note what they did to whatever is kept."""
        if aside is not None and aside.seen < until:
            _carry_out(aside, self._service.records(aside.seen, until - aside.seen), self._moments)

    def _forget(self) -> None:
        self._aside = None
        self._moments.clear()
        self._told.clear()


def _replayed(service: HouseService, number: int) -> tuple[_Aside, list[Moment]] | None:
    """Return the house after a replay from the snapshot, and what happened to an instruction in it."""
    start = service.replay_start(RECORDS_MAX, ROWS_MAX)
    found = service.since_snapshot(RECORDS_MAX, ROWS_MAX)
    if start is None or found is None or sum(len(record.body) for record in found[1]) > BYTES_MAX:
        return None
    snapshot, records = found
    after = snapshot.sequence if snapshot is not None else 0
    aside = _Aside(start, after, after, 0, House() if snapshot is None else House.load(snapshot.parts))
    moments: dict[int, list[Moment]] = {number: []}
    _carry_out(aside, records, moments)
    return aside, moments[number]


def _carry_out(aside: _Aside, records: Iterable[Record], moments: dict[int, list[Moment]]) -> None:
    """Carry records out on a house, and add what they did to each instruction of ``moments`` to its list."""
    house = aside.house
    before = {number: _watched(house, number) for number in moments}
    for record in records:
        step(house, decode(record.body))
        aside.seen, aside.read_bytes = record.sequence, aside.read_bytes + len(record.body)
        for number, found in moments.items():
            after = _watched(house, number)
            if after is not None:
                moment = _moment(house, number, carried_out(record), record.sequence, before[number], after)
                found += [moment] if moment is not None else []
            before[number] = after


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
        sequence=sequence, day=day_text(house.position.day), second=house.settlement.clock_s,
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
