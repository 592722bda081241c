"""The figures of a closed day, read back from the journal: what was told and answered between its opening and close."""

from __future__ import annotations

from datetime import date

import numpy as np

from tsingma.app.business_day import DayInput, DayRecord
from tsingma.app.day_figures import day_figures
from tsingma.app.day_records import DayRecords, opened_by, records_of_day, start_of
from tsingma.app.session import Session
from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.journal.commands import CaptureTrades
from tsingma.journal.record import Record
from tsingma.reports.figures import DayFigures


def day_of_journal(session: Session, day: date | None = None) -> DayFigures:
    """Return the figures of a closed day, the last one without ``day``.

    Raises Rejected (unknown) for a day that was not closed. Times of stages are not in the journal.
    """
    found: DayRecords | None = None
    gathering: DayRecords | None = None
    for record in session.store.read(start_of(session, day)):
        opened = opened_by(record)
        if opened is not None:
            gathering = DayRecords() if day is None or opened == to_day(day) else None
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
    gathering = records_of_day(session, to_date(wanted)) if wanted else None
    if gathering is None:
        raise refuse(RejectionReason.UNKNOWN, f"{to_date(wanted) if wanted else 'no day'} was not opened in this house",
                     field="date", remedy="open the day first")  # fmt: skip
    return _trades(gathering.trades, wanted)


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
