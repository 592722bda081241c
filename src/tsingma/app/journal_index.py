"""Where in a served house's journal its days, steps and trades are: read as it grows, a bounded part at a time."""

from __future__ import annotations

import threading
from typing import Literal

import msgspec

from tsingma.app.house_service import HouseService
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.carried_out import act_body
from tsingma.journal.origin import command_bytes
from tsingma.journal.record import Record

RECORDS_A_LOOK = 500
RECORDS_A_QUESTION = 20_000
TRADES = "capture-trades"


class StillReading(Exception):
    """The journal is longer than one question may read; the next one goes on from there."""


class _Head(msgspec.Struct):
    """What the index reads of a command; the rest is passed over."""

    type: str = ""
    day: int = 0
    step: str = ""
    trade_day: int = 0


class StepRecord(msgspec.Struct, frozen=True):
    """A step of the timetable that was run, and the record of it."""

    step: str
    record: int


class DayRecord(msgspec.Struct, frozen=True):
    """A business day: the records that opened and closed it (None: still open), its last record, the steps run."""

    date: str
    state: Literal["open", "closed"]
    opened_at: int
    closed_at: int | None
    last_record: int
    steps: tuple[StepRecord, ...]


class _Day:
    """A day while it is indexed."""

    def __init__(self, day: int, record: int) -> None:
        self.day, self.opened, self.closed, self.last = day, record, 0, record
        self.steps: list[StepRecord] = []
        self.trades: list[int] = []


class JournalIndex:
    """The index of one house, from any thread."""

    def __init__(self, service: HouseService) -> None:
        """Start with nothing read."""
        self._service = service
        self._lock = threading.Lock()
        self._read = 0
        self._days: dict[int, _Day] = {}
        self._open: _Day | None = None

    def days(self) -> list[DayRecord]:
        """Return every day of the house, the newest first; raises StillReading."""
        with self._lock:
            self._catch_up()
            return [
                DayRecord(
                    str(to_date(one.day)), "closed" if one.closed else "open", one.opened, one.closed or None, one.last,
                    tuple(one.steps),
                )
                for one in reversed(self._days.values())
            ]  # fmt: skip

    def last_record(self, day: int) -> int:
        """Return the last record of a day, closed or open; raises Rejected (unknown), StillReading."""
        with self._lock:
            self._catch_up()
            return self._of(day).last

    def trades(self, day: int) -> list[Record]:
        """Return the records that brought a day's trades, in order; raises Rejected (unknown), StillReading."""
        with self._lock:
            self._catch_up()
            numbers = list(self._of(day).trades)
        return [record for number in numbers for record in self._service.records(number - 1, 1)]

    def _of(self, day: int) -> _Day:
        found = self._days.get(day)
        if found is None:
            raise refuse(RejectionReason.UNKNOWN, f"the house had no day {to_date(day)}", field="date")
        return found

    def _catch_up(self) -> None:
        until = self._read + RECORDS_A_QUESTION
        while self._read < self._service.length():
            if self._read >= until:
                raise StillReading(f"record {self._read} of {self._service.length()} is read")
            records = self._service.records(self._read, RECORDS_A_LOOK)
            if not records:
                return
            for record in records:
                self._note(record)
            self._read = records[-1].sequence

    def _note(self, record: Record) -> None:
        head = msgspec.msgpack.decode(command_bytes(act_body(record) or record.body), type=_Head)
        if head.type == "open-day":
            self._open = self._days[head.day] = _Day(head.day, record.sequence)
        if self._open is None:
            return
        self._open.last = record.sequence
        if head.type == "run-step":
            self._open.steps.append(StepRecord(head.step, record.sequence))
        elif head.type == TRADES:
            self._days.get(head.trade_day, self._open).trades.append(record.sequence)
        elif head.type == "close-day":
            self._open.closed = record.sequence
            self._open = None
