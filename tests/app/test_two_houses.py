"""Reads beside the writer: they see every answer given before, nothing half done, and never wait for a long command.

Method: real sessions on one journal; what takes long is held up by an event, so that nothing depends on how fast the
machine is; threads that write and read at once, whose every read is checked against the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tsingma.app.group_commit import GroupCommit
from tsingma.app.session import Session
from tsingma.app.two_houses import TwoHouses
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.journal.commands import DepositAssets, LoadReference, OpenDay, SubmitInstructions
from tsingma.ledger.ledger import Ledger
from tsingma.simulate.market import simulate_market

DAY = to_day(date(2026, 1, 5))
SECONDS = 20.0
DEPOSIT = DepositAssets(pack([3], "i4"), pack([0], "i4"), pack([50], "i8"))  # a command that counts as long


@pytest.fixture(scope="module")
def book() -> LoadReference:
    """A small book."""
    return LoadReference(simulate_market(1, date(2026, 1, 5), 1, 50).book)


@pytest.fixture
def houses(book: LoadReference, tmp_path: Path) -> Iterator[tuple[TwoHouses, Session, Session]]:
    """An open day: both houses, the writer's session and its copy."""
    writer = Session.open(tmp_path / "house")
    writer.submit([("book", book), ("open", OpenDay(DAY))])
    copy = writer.beside(tmp_path / "house")
    both = TwoHouses(writer, copy)
    yield both, writer, copy
    both.close()


def order(number: int, writer: Session) -> SubmitInstructions:
    """Return an order that waits."""
    book = writer.house.resolved
    account = next(row for row, entry in enumerate(book.book.accounts) if entry.participant == "B00001")
    values = {
        "reference": (number, "i8"), "account": (account, "i4"),
        "counterparty": (book.participant_index["B00002"], "i4"),
        "delivers": (1, "i1"), "trade_day": (DAY, "i4"), "intended_day": (DAY + 2, "i4"), "security": (0, "i4"),
        "currency": (0, "i1"), "quantity": (100 + number, "i8"), "amount_cents": (500, "i8"),
    }  # fmt: skip
    columns = {name: pack([value], kind) for name, (value, kind) in values.items()}
    return SubmitInstructions("here", "B00001", writer.house.settlement.clock_s, columns)


@contextmanager
def held(sequencer: Any, name: str) -> Iterator[threading.Event]:
    """Hold a method of a sequencer up until the block ends; yields what is set once it waits."""
    there, go_on, method = threading.Event(), threading.Event(), getattr(sequencer, name)

    def wait_first(*arguments: Any, **named: Any) -> Any:
        there.set()
        assert go_on.wait(SECONDS)
        return method(*arguments, **named)

    setattr(sequencer, name, wait_first)
    try:
        yield there
    finally:
        go_on.set()
        setattr(sequencer, name, method)


def orders_of(session: Session) -> tuple[int, int]:
    """Return the last record and the number of orders."""
    return session.sequencer.sequence, len(session.house.settlement.orders)


def test_a_copy_begins_where_the_writer_stands(houses: tuple[TwoHouses, Session, Session]) -> None:
    """Goal: the journal is recovered once. Method: records, head and state hash of both."""
    _, writer, copy = houses
    assert copy.sequencer.sequence == writer.sequencer.sequence == 2
    assert (copy.sequencer.head, copy.house.digest()) == (writer.sequencer.head, writer.house.digest())


def test_every_read_is_a_record_s_state_and_sees_what_was_answered(
    houses: tuple[TwoHouses, Session, Session],
) -> None:
    """Goal: no read of a batch half done, none that misses an answer. Method: writers and readers at once."""
    both, writer, _ = houses
    door, wrong, done = GroupCommit(both), [], threading.Event()

    def write(first: int) -> None:
        for number in range(first, first + 60):
            door.submit(f"o{number}", order(number, writer)).result()
            at, orders = both.consult(orders_of)
            mine = both.consult(lambda session, n=number: n in session.house.settlement.orders.table["reference"])
            if at - 2 != orders or not mine:
                wrong.append((at, orders, mine))

    def read() -> None:
        while not done.is_set():
            at, orders = both.consult(orders_of)
            if at - 2 != orders:
                wrong.append((at, orders))

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(1 + 60 * place,)) for place in range(4)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(120)
    done.set()
    for thread in readers:
        thread.join(SECONDS)
    door.close()
    assert wrong == []
    assert both.consult(orders_of) == (242, 240)


def test_the_copy_answers_while_the_writer_is_busy_for_long(houses: tuple[TwoHouses, Session, Session]) -> None:
    """Goal: no read waits for a long command. Method: it is held up; the copy was behind, and is brought up before."""
    both, writer, copy = houses
    both.submit([("a", order(1, writer))])
    with held(writer.sequencer, "submit") as there:
        busy = threading.Thread(target=both.submit, args=([("long", DEPOSIT)],))
        busy.start()
        assert there.wait(SECONDS)
        assert both.consult(lambda session: (session is copy, *orders_of(session))) == (True, 3, 1)
    busy.join(SECONDS)
    assert both.consult(orders_of) == (4, 1)


def test_the_writer_s_house_answers_while_the_copy_follows(houses: tuple[TwoHouses, Session, Session]) -> None:
    """Goal: what took long is seen at once, and not waited for twice. Method: the copy's catching up is held up."""
    both, writer, copy = houses
    both.submit([("long", DEPOSIT)])
    with held(copy.sequencer, "catch_up"):
        copy.sequencer._sequence = min(copy.sequencer.sequence, 2)
        assert both.consult(lambda session: (session is writer, *orders_of(session))) == (True, 3, 0)


def test_a_question_leaves_no_ledger_row_open(houses: tuple[TwoHouses, Session, Session]) -> None:
    """Goal: a read changes nothing of either house. Method: one that opens a row to count with, and fails."""
    both, writer, copy = houses

    def count_with(session: Session) -> None:
        ledger: Ledger = session.house.ledger
        ledger.row(5, 7)
        raise ValueError("found out nothing")

    with pytest.raises(ValueError, match="found out nothing"):
        both.consult(count_with)  # the copy is at rest
    assert copy.house.digest() == writer.house.digest()
    both.submit([("long", DEPOSIT)])
    before = writer.house.digest()
    with held(copy.sequencer, "catch_up"):
        copy.sequencer._sequence = min(copy.sequencer.sequence, 2)
        with pytest.raises(ValueError, match="found out nothing"):
            both.consult(count_with)
    assert writer.house.digest() == before


def test_reads_go_on_after_the_writer_stopped(houses: tuple[TwoHouses, Session, Session]) -> None:
    """Goal: what is durable is still read. Method: the store fails in the middle of a batch."""
    both, writer, copy = houses
    writer.store.append = None  # type: ignore[method-assign, assignment]
    with pytest.raises(TypeError):
        both.submit([("a", order(1, writer))])
    assert both.consult(lambda session: (session is copy, *orders_of(session))) == (True, 2, 0)
