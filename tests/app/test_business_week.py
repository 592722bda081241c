"""The whole way of a week: market, house, proof, replay, recovery, refusal."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.business_day import DayInput, capture, run_day
from tsingma.app.inspect import house_status, replay_house, verify_house
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import JOURNAL_NAME, Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected
from tsingma.journal.commands import LoadReference, OpenDay, SetClosingPrices
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.simulate.market import SimulatedMarket, simulate_market
from tsingma.store.head_mark import mark_path

DAYS = 4
TRADES = 2_000


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """A small simulated market over a few days."""
    return simulate_market(7, date(2026, 1, 5), DAYS, TRADES)


@pytest.fixture(scope="module")
def week(market: SimulatedMarket, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house that has run the whole week with margin."""
    folder = tmp_path_factory.mktemp("week")
    parameters = build_parameters(market.history, FilterSettings())
    with Session.open(folder) as session:
        _start(session, market)
        for day in market.days():
            run_day(session, _input(day), parameters, FixedClock(), Silent())
    return folder


def _start(session: Session, market: SimulatedMarket) -> None:
    session.once("reference", lambda: LoadReference(market.book))
    session.once("deposits", market.deposits)


def _input(day: object) -> DayInput:
    return DayInput(day.date, day.trades, day.close_e4, day.fx_e6)  # type: ignore[attr-defined]


def test_books_close_and_replay(week: Path) -> None:
    """Goal: the week's state is what its journal gives. Method: verify every record, replay from zero and snapshots."""
    assert verify_house(week).faults == []
    replayed = replay_house(week)
    assert replayed["same"] is True
    assert len(replayed["from"]) == 1 + DAYS
    assert replayed["state_hash"] == house_status(week)["state_hash"]


def test_money_and_stock_sum_to_zero_and_something_fails(week: Path) -> None:
    """Goal: conservation, and a market that is not too good. Method: sum the ledger per asset, count open positions."""
    with Session.open(week, read_only=True) as session:
        ledger = session.house.ledger
        totals = np.zeros(int(ledger.asset.max()) + 1, np.int64)
        np.add.at(totals, ledger.asset, ledger.balance)
        assert not totals.any()
        assert (ledger.balance - ledger.held - ledger.pledged >= ledger.floor).all()
        assert (session.house.settlement.positions.open != 0).any()
        assert int(session.house.margin.pledged_cents.sum()) > 0


def test_house_line_is_what_members_owe(week: Path) -> None:
    """Goal: ledger and settlement agree on money. Method: the house's balance against open money."""
    with Session.open(week, read_only=True) as session:
        house = session.house
        positions = house.settlement.positions
        for unit in range(len(CURRENCIES)):
            here = positions.money_currency == unit
            owed = int((positions.due_cents - positions.settled_cents)[here].sum())
            assert int(house.ledger.balance[house.ledger.find(house.internal.cns, unit)]) == -owed


def test_running_a_day_again_changes_nothing(week: Path, market: SimulatedMarket, tmp_path: Path) -> None:
    """Goal: idempotence of a whole day. Method: run the same days again on a copy, compare journal and state hash."""
    shutil.copytree(week, tmp_path / "again")
    before = house_status(tmp_path / "again")
    parameters = build_parameters(market.history, FilterSettings())
    with Session.open(tmp_path / "again") as session:
        records = [run_day(session, _input(day), parameters, FixedClock(), Silent())[0] for day in market.days()]
    after = house_status(tmp_path / "again")
    assert (before["journal_sequence"], before["state_hash"]) == (after["journal_sequence"], after["state_hash"])
    assert records[-1].state_hash == after["state_hash"]
    assert len({record.state_hash for record in records}) == DAYS


def test_cut_off_day_goes_on_where_it_stopped(week: Path, market: SimulatedMarket, tmp_path: Path) -> None:
    """Goal: a day cut off anywhere ends in the same books. Method: cut the journal at every fifth record, rerun."""
    parameters = build_parameters(market.history, FilterSettings())
    whole = house_status(week)
    for cut in range(3, int(str(whole["journal_sequence"])), 5):
        folder = tmp_path / str(cut)
        shutil.copytree(week, folder)
        connection = sqlite3.connect(folder / JOURNAL_NAME)
        for table in ("journal", "snapshot"):
            connection.execute(f"DELETE FROM {table} WHERE sequence > ?", (cut,))
        connection.commit()
        connection.close()
        with pytest.raises(Rejected, match=f"was acknowledged, the journal ends at record {cut}"):
            Session.open(folder)
        mark_path(folder / JOURNAL_NAME).unlink()
        with Session.open(folder) as session:
            for day in market.days():
                run_day(session, _input(day), parameters, FixedClock(), Silent())
            assert session.house.digest().hex() == whole["state_hash"]


def test_changed_byte_is_found_and_named(week: Path, tmp_path: Path) -> None:
    """Goal: tampering is seen. Method: change one byte of the body, answer or hash of one record, verify."""
    for column in ("body", "answer", "previous", "hash"):
        folder = tmp_path / column
        shutil.copytree(week, folder)
        connection = sqlite3.connect(folder / JOURNAL_NAME)
        (data,) = connection.execute(f"SELECT {column} FROM journal WHERE sequence = 9").fetchone()
        changed = bytes([data[0] ^ 1]) + data[1:]
        connection.execute(f"UPDATE journal SET {column} = ? WHERE sequence = 9", (changed,))
        connection.commit()
        connection.close()
        faults = verify_house(folder).faults
        assert any(str(fault).startswith(("record 9:", "record 10:")) for fault in faults), (column, faults)


def test_one_bad_trade_leaves_nothing_behind(market: SimulatedMarket) -> None:
    """Goal: a bad file is refused whole. Method: spoil one of many trades, compare the state hash before and after."""
    with Session.in_memory() as session:
        _start(session, market)
        day = market.day(0)
        session.once("open", lambda: OpenDay(to_day(day.date)))
        counters = np.arange(day.close_e4.size)
        prices = SetClosingPrices(pack(counters, "i4"), pack(day.close_e4, "i8"), day.fx_e6)
        session.once("prices", lambda: prices)
        before, records = session.house.digest(), session.sequencer.sequence
        quantity = day.trades.quantity.copy()
        quantity[1234] = -5
        bad = dataclasses.replace(day.trades, quantity=quantity)
        with pytest.raises(Rejected, match=r":1236: trade 1235: quantity: -5 is not positive"):
            capture(session, dataclasses.replace(_input(day), trades=bad))
        assert session.house.digest() == before
        assert session.sequencer.sequence == records
        assert sum(part.trades for part in capture(session, _input(day))) == TRADES
