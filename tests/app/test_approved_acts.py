"""A day that is opened, run and closed by acts under four-eyes is a day like any other to whoever reads the journal.

Method: a house whose every step is proposed by one person and approved by another; beside it one that was told the same
commands. Index, opening record, day report and a later start of the service find the same in both.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from tsingma.app.business_day import DayInput, run_day
from tsingma.app.day_journal import day_of_journal
from tsingma.app.day_progress import plan_of_house
from tsingma.app.house_service import HouseService
from tsingma.app.iso_journal import opening_record, walk
from tsingma.app.journal_index import JournalIndex
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.journal.act_commands import DecideAct, ProposeAct
from tsingma.journal.commands import CloseDay, Command, LoadReference, OpenDay, RunStep, SetClosingPrices, encode
from tsingma.settlement.timetable import timetable
from tsingma.simulate.market import simulate_market

DAY = date(2026, 1, 5)
STEPS = [step.name for step in timetable()]


def run(folder: Path, *, by_acts: bool, until: int | None = None) -> None:
    """Run a day without trades up to a command, given as they are or as acts of before steps had ids of their own."""
    book = simulate_market(1, DAY, 1, 50).book
    counters = len(book.counters)
    prices = SetClosingPrices(
        pack(range(counters), "i4"), pack([100_000] * counters, "i8"), (1_000_000, 1_080_000, 7_800_000, 9_000_000)
    )
    commands: list[Command] = [OpenDay(to_day(DAY)), prices, *map(RunStep, STEPS), CloseDay()]
    with Session.open(folder) as session:
        session.submit([("book", LoadReference(book))])
        for number, command in enumerate(commands[:until], 1):
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


@pytest.mark.parametrize("by_acts", [False, True])
@pytest.mark.parametrize("done", [1, 2, 3, 4, 12, len(STEPS) + 2, len(STEPS) + 3])
def test_a_day_of_an_older_journal_is_finished_by_the_batch(tmp_path: Path, by_acts: bool, done: int) -> None:
    """Goal: what was done under other ids is done. Method: k commands under ids of their own, then the batch.

    The day's trades are none, so that a twin that the batch ran alone ends in the same books.
    """
    market = simulate_market(1, DAY, 1, 50)
    brought = DayInput(DAY, market.day(0).trades.part(0, 0), market.day(0).close_e4, market.day(0).fx_e6)
    run(tmp_path / "house", by_acts=by_acts, until=done)
    with Session.open(tmp_path / "house") as session, Session.in_memory() as twin:
        record, _ = run_day(session, brought, None, FixedClock(), Silent())
        again, _ = run_day(session, brought, None, FixedClock(), Silent())
        assert dataclasses.replace(again, stages_ns={}) == dataclasses.replace(record, stages_ns={})
        assert [step.step for step in record.steps] == STEPS
        twin.submit([("book", LoadReference(market.book))])
        wanted, _ = run_day(twin, brought, None, FixedClock(), Silent())
        assert record.closed == wanted.closed
        assert [step.figures for step in record.steps] == [step.figures for step in wanted.steps]
        if done < len(STEPS) + 3:  # else it was closed at other prices
            assert rooms(session) == rooms(twin)
        told = plan_of_house(tmp_path / "house")
        assert {one.state for one in told if one.kind in ("open", "timetable", "close")} == {"done"}
        passed = [one.needs[0] for one in told if one.kind == "together" and one.state == "passed"]
        run_before = STEPS[: max(done - 2, 0)]
        assert set(passed) <= set(run_before[:-1] if done < len(STEPS) + 3 else run_before)
        assert bool(passed) == (done > 3)  # a step that others have followed is not made up for


def rooms(session: Session) -> dict[str, bytes]:
    """Return the state of a house but its acts."""
    return {name: part for name, part in session.house.dump().items() if not name.startswith("acts.")}
