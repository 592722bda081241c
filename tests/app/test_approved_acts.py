"""A day that is opened, run and closed by acts under four-eyes is a day like any other to whoever reads the journal.

Method: a house whose every step is proposed by one person and approved by another; beside it one that was told the same
commands. Index, opening record, day report and a later start of the service find the same in both.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tsingma.app.day_journal import day_of_journal
from tsingma.app.house_service import HouseService
from tsingma.app.iso_journal import opening_record, walk
from tsingma.app.journal_index import JournalIndex
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.commands import CloseDay, Command, LoadReference, OpenDay, RunStep, SetClosingPrices, encode
from tsingma.settlement.timetable import timetable
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)
STEPS = [step.name for step in timetable()]


def run(folder: Path, *, by_acts: bool) -> None:
    """Run a day without trades, its commands given as they are or as approved acts."""
    book = simulate_market(1, DAY, 1, 50).book
    counters = len(book.counters)
    prices = SetClosingPrices(
        pack(range(counters), "i4"), pack([100_000] * counters, "i8"), (1_000_000, 1_080_000, 7_800_000, 9_000_000)
    )
    commands: list[Command] = [OpenDay(to_day(DAY)), prices, *map(RunStep, STEPS), CloseDay()]
    with Session.open(folder) as session:
        session.submit([("book", LoadReference(book))])
        for number, command in enumerate(commands, 1):
            if not by_acts:
                session.submit([(f"c{number}", command)])
                continue
            session.submit([(f"p{number}", ProposeAct(encode(command), "chan", "c", number, number + 60))])
            session.submit([(f"d{number}", DecideAct(number, "approve", "lee", "l", number))])


@pytest.mark.parametrize("by_acts", [False, True])
def test_a_day_by_acts_is_found_in_the_journal(tmp_path: Path, by_acts: bool) -> None:
    """Goal: no reader of the journal misses what was approved. Method: as the module says."""
    run(tmp_path, by_acts=by_acts)
    first = 3 if by_acts else 2  # the book, perhaps the proposal, then what opens the day
    with Session.open(tmp_path) as session:
        assert opening_record(session) == first - 1
        told = [before.command for before in walk(session, first - 1)]
        assert [command.step for command in told if isinstance(command, RunStep)] == STEPS
        assert day_of_journal(session).day == DAY
    with HouseService.open(tmp_path, DAY) as service:
        (day,) = JournalIndex(service).days()
        assert (day.date, day.state, day.opened_at) == (str(DAY), "closed", first)
        assert [step.step for step in day.steps] == STEPS
        assert day.closed_at == service.length()
