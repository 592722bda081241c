"""The figures of a closed day, read back from the journal: what was told and answered between its opening and close."""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.app.business_day import DayInput, DayRecord
from tsingma.app.day_figures import day_figures
from tsingma.app.session import Session
from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.journal.carried_out import act_body, carried_out
from tsingma.journal.commands import CaptureTrades, OpenDay, SetClosingPrices, decode
from tsingma.journal.events import Accepted, DayClosed, MarginCalled, StepRun, TradesCaptured, decode_answer
from tsingma.journal.record import Record
from tsingma.reports.figures import DayFigures


class _Day:
    """What a day's records say, gathered one by one."""

    def __init__(self) -> None:
        self.captured: list[TradesCaptured] = []
        self.steps: list[StepRun] = []
        self.called: MarginCalled | None = None
        self.closed: DayClosed | None = None
        self.trades: list[CaptureTrades] = []
        self.fx_e6: tuple[int, ...] = ()
        self.last: Record | None = None

    def take(self, record: Record) -> None:
        """Take one record in."""
        answer = decode_answer(record.answer)
        for event in answer.events if isinstance(answer, Accepted) else ():
            if isinstance(event, TradesCaptured):
                self.captured.append(event)
            elif isinstance(event, StepRun):
                self.steps.append(event)
            elif isinstance(event, MarginCalled):
                self.called = event
            elif isinstance(event, DayClosed):
                self.closed, self.last = event, record
        command = carried_out(record)
        if isinstance(command, CaptureTrades):
            self.trades.append(command)
        elif isinstance(command, SetClosingPrices):
            self.fx_e6 = command.fx_e6


def day_of_journal(session: Session, day: date | None = None) -> DayFigures:
    """Return the figures of a closed day, the last one without ``day``.

    Raises Rejected (unknown) for a day that was not closed. Times of stages are not in the journal.
    """
    found: _Day | None = None
    gathering: _Day | None = None
    for record in session.store.read(_start(session, day)):
        opened = _opened(record)
        if opened is not None:
            gathering = _Day() if day is None or opened == to_day(day) else None
        if gathering is not None:
            gathering.take(record)
            if gathering.closed is not None:
                found, gathering = gathering, None
                if day is not None:
                    break
    if found is None or found.closed is None or found.last is None:
        which = "no day" if day is None else str(day)
        raise refuse(RejectionReason.UNKNOWN, f"{which} was closed in this house", field="date",
                     remedy="close the day first")  # fmt: skip
    moment = to_date(found.closed.day)
    told = DayRecord(
        date=moment, captured=found.captured, steps=found.steps, called=found.called, closed=found.closed,
        stages_ns={}, state_hash=_state_hash(session, found.last), sequence=found.last.sequence,
        head=found.last.hash.hex(),
    )  # fmt: skip
    trades = _trades(found.trades, found.closed.day)
    return day_figures(told, DayInput(moment, trades, np.zeros(0, np.int64), found.fx_e6), session.house.resolved)


def trades_of_journal(session: Session, day: date | None = None) -> Trades:
    """Return the trades captured on a day, open or closed; the one the house stands at without ``day``.

    Raises Rejected (unknown) for a day that was not opened.
    """
    wanted = session.house.position.day if day is None else to_day(day)
    gathering: _Day | None = None
    for record in session.store.read(_start(session, None if not wanted else to_date(wanted))):
        opened = _opened(record)
        if opened is not None:
            if gathering is not None:
                break
            gathering = _Day() if opened == wanted else None
        if gathering is not None:
            gathering.take(record)
    if gathering is None:
        raise refuse(RejectionReason.UNKNOWN, f"{to_date(wanted) if wanted else 'no day'} was not opened in this house",
                     field="date", remedy="open the day first")  # fmt: skip
    return _trades(gathering.trades, wanted)


def _start(session: Session, day: date | None) -> int:
    """Return the record to read after: the one before the day's opening where that is known by its name."""
    moment = day or (to_date(session.house.position.day) if session.house.position.day else None)
    record = None if moment is None else session.store.find(f"{moment}/open")
    if record is None or (day is None and session.store.find(f"{moment}/close") is None):
        return 0
    return record.sequence - 1


def _opened(record: Record) -> int | None:
    """Return the day that a record opens, None for any other; only short bodies are looked into."""
    body = act_body(record) or record.body
    if len(body) > 200:
        return None
    command = decode(body)
    return command.day if isinstance(command, OpenDay) else None


def _trades(commands: list[CaptureTrades], day: int) -> Trades:
    columns = [
        np.concatenate([unpack(getattr(one, name), kind, field=name) for one in commands])
        if commands
        else np.zeros(0, np.dtype(kind))
        for name, kind in COLUMN_TYPES.items()
    ]
    return Trades("journal", day, *columns)


def _state_hash(session: Session, record: Record) -> str:
    if record.sequence in session.store.snapshots():
        return session.store.snapshot(record.sequence).state_hash.hex()
    if record.sequence == session.sequencer.sequence:
        return session.house.digest().hex()
    return session.sequencer.replay(until=record.sequence).digest().hex()
