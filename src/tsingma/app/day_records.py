"""What the records of a business day say: what was told and answered between its opening and its close.

A step is known by what it did, so one that was done under another id - by hand, or as an act of the operator before
steps had ids of their own - is found as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tsingma.app.session import Session
from tsingma.basics.dates import to_date, to_day
from tsingma.engine.day_plan import PlanKind, step_id
from tsingma.journal.carried_out import act_body, all_carried_out, events_of
from tsingma.journal.commands import CaptureTrades, OpenDay, SetClosingPrices, decode
from tsingma.journal.events import (
    DayClosed,
    DerivativesMarked,
    Event,
    MarginCalled,
    StepRun,
    TradesCaptured,
    decode_answer,
)
from tsingma.journal.record import Record


class DayRecords:
    """What a day's records say, gathered one by one."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.captured: list[TradesCaptured] = []
        self.steps: list[StepRun] = []
        self.called: MarginCalled | None = None
        self.closed: DayClosed | None = None
        self.marked: DerivativesMarked | None = None
        self.trades: list[CaptureTrades] = []
        self.fx_e6: tuple[int, ...] = ()
        self.last: Record | None = None

    def take(self, record: Record) -> None:
        """Take one record in."""
        closed = self.closed
        self.hear(events_of(decode_answer(record.answer)))
        if self.closed is not closed:
            self.last = record
        for command in all_carried_out(record):
            if isinstance(command, CaptureTrades):
                self.trades.append(command)
            elif isinstance(command, SetClosingPrices):
                self.fx_e6 = command.fx_e6

    def hear(self, events: Iterable[Event]) -> None:
        """Take events in."""
        for event in events:
            match event:
                case TradesCaptured():
                    self.captured.append(event)
                case StepRun():
                    self.steps.append(event)
                case MarginCalled():
                    self.called = event
                case DerivativesMarked():
                    self.marked = event
                case DayClosed():
                    self.closed = event


def records_of_day(session: Session, day: date) -> DayRecords | None:
    """Return what the records of a day say, closed or still open; None for a day that was not opened."""
    found: DayRecords | None = None
    for record in session.store.read(start_of(session, day)):
        opened = opened_by(record)
        if opened is not None:
            if found is not None:
                break
            found = DayRecords() if opened == to_day(day) else None
        if found is not None:
            found.take(record)
            if found.closed is not None:
                break
    return found


def start_of(session: Session, day: date | None) -> int:
    """Return the record to read after: the one before the day's opening where that is known by its id.

    Without a day, the last one of the house is looked for, and all is read where that one is not closed.
    """
    moment = day or (to_date(session.house.position.day) if session.house.position.day else None)
    if moment is None:
        return 0
    record = session.store.find(step_id(to_day(moment), PlanKind.OPEN))
    if record is None or (day is None and session.store.find(step_id(to_day(moment), PlanKind.CLOSE)) is None):
        return 0
    return record.sequence - 1


def opened_by(record: Record) -> int | None:
    """Return the day that a record opens, None for any other; only short bodies are looked into."""
    body = act_body(record) or record.body
    if len(body) > 200:
        return None
    command = decode(body)
    return command.day if isinstance(command, OpenDay) else None
