"""A day on PostgreSQL, its connection cut before and after every statement.

Goal: 0 lost, 0 doubled, the same final hash, wherever the connection breaks: also between a commit and its
confirmation. Method: a connection that counts its statements and has the server end it at a chosen one; the house is
opened again and the day sent again from its start by the same ids, as a client that got no answer does. A day of 200
records: book, deposits, transfers singly, in small groups and by COPY, snapshots, the steps and the close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import psycopg
import pytest

from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import (
    CloseDay,
    Command,
    DepositAssets,
    LoadReference,
    OpenDay,
    PostTransfers,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.events import Accepted
from tsingma.journal.record import faults
from tsingma.settlement.timetable import timetable
from tsingma.simulate.market import SimulatedMarket, simulate_market
from tsingma.store.postgres import PostgresStore

RECORDS = 200
COPY_ABOVE = 20
GROUPS = (1, 3, 1, 30, 2, 12, 1, 40)  # commands a commit: statements, and COPY above 20
Group = tuple[tuple[str, Command], ...]


class Cut(psycopg.OperationalError):
    """The connection broke just after a statement that the server carried out."""


class Knife:
    """Counts statements and cuts the connection before or after one of them (0: never)."""

    def __init__(self, url: str, at: int, *, after: bool) -> None:
        """Cut at the ``at``-th statement."""
        self.url, self.at, self.after, self.count = url, at, after, 0

    def connect(self, url: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection whose statements are counted."""
        return psycopg.connect(url, autocommit=True, cursor_factory=counting(self))

    @contextmanager
    def around(self, connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
        """Count one statement, and cut here when it is the one."""
        self.count += 1
        here = self.count == self.at
        if here and not self.after:
            self._cut(connection)
        yield
        if here and self.after:
            self._cut(connection)
            raise Cut("server closed the connection unexpectedly")

    def _cut(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        with psycopg.connect(self.url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))


def counting(knife: Knife) -> type[psycopg.Cursor[tuple[Any, ...]]]:
    """Return a cursor class under the knife; a COPY is one statement, from its start to its last row."""

    class Counting(psycopg.Cursor[tuple[Any, ...]]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            with knife.around(self.connection):
                return super().execute(*arguments, **options)

        def stream(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            with knife.around(self.connection):
                yield from super().stream(*arguments, **options)

        @contextmanager
        def copy(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            with knife.around(self.connection), super().copy(*arguments, **options) as copy:
                yield copy

    return Counting


@cache
def day() -> tuple[Group, ...]:
    """Return the commands of the day, a group a commit."""
    market = simulate_market(5, date(2026, 1, 5), 1, 100)
    close = market.day(0)
    steps = tuple((step.name, RunStep(step.name)) for step in timetable())
    before: list[Group] = [
        (("reference", LoadReference(market.book)),),
        (("deposits", market.deposits()), ("more", DepositAssets(pack([3], "i4"), pack([0], "i4"), pack([9], "i8")))),
        (("open", OpenDay(to_day(date(2026, 1, 5)))), steps[0]),
        (("prices", SetClosingPrices(*_prices(close.close_e4), close.fx_e6)),),
    ]
    after: list[Group] = [steps[1:], (("close", CloseDay()),)]
    left = RECORDS - sum(len(group) for group in before + after)
    chance, members = np.random.default_rng(1), _members(market)
    transfers: list[Group] = []
    while left:
        size = min(GROUPS[len(transfers) % len(GROUPS)], left)
        transfers.append(tuple((f"transfer/{left - item}", _transfer(members, chance)) for item in range(size)))
        left -= size
    return (*before, *transfers, *after)


def _prices(close_e4: np.ndarray) -> tuple[bytes, bytes]:
    return pack(np.arange(close_e4.size), "i4"), pack(close_e4, "i8")


def _members(market: SimulatedMarket) -> np.ndarray:
    """Return twelve accounts that hold money."""
    house = House()
    for command in (LoadReference(market.book), market.deposits()):
        step(house, command)
    return house.ledger.owner[(house.ledger.asset == 0) & (house.ledger.floor == 0)][:12]


def _transfer(members: np.ndarray, chance: np.random.Generator) -> Command:
    debit, credit = chance.choice(members, 2, replace=False).tolist()
    columns = ((debit, "i4"), (credit, "i4"), (0, "i4"), (int(chance.integers(1, 99)), "i8"), (0, "i1"))
    return PostTransfers(*(pack([value], kind) for value, kind in columns))


def run(url: str, knife: Knife) -> bytes:
    """Open the house and send the whole day; returns the final state hash."""
    # A long lease is not renewed within the day, so that the statements are the same ones in every run.
    store = PostgresStore(url, copy_above=COPY_ABOVE, connect=knife.connect, lease_seconds=3_600)
    try:
        session = Session(store)
        for place, group in enumerate(day()):
            answers = session.sequencer.submit(group)
            assert all(isinstance(answer, Accepted) for answer in answers), answers
            if place % 10 == 9:
                session.sequencer.snapshot()
        return session.house.digest()
    finally:
        store.close()


def crash_and_recover(make: Callable[[], str], at: int, *, after: bool, calm: tuple[bytes, bytes]) -> None:
    """Run the day into the cut, then again; compare with the calm run."""
    url = make()
    knife = Knife(url, at, after=after)
    with suppress(Rejected, psycopg.OperationalError):  # the last statement lets the lease go, and may fail unheard
        run(url, knife)
    assert knife.count >= at, "the cut was not reached"
    state = run(url, Knife(url, 0, after=False))
    with psycopg.connect(url, autocommit=True) as connection:
        ids = [row[0] for row in connection.execute("SELECT command_id FROM journal ORDER BY sequence")]
    reader = PostgresStore(url, read_only=True)
    head = reader.head()
    assert list(faults(reader.read())) == []
    reader.close()
    assert ids == [name for group in day() for name, _ in group], f"cut {'after' if after else 'before'} {at}"
    assert head is not None
    assert (state, head.hash) == calm, f"cut {'after' if after else 'before'} statement {at}"


@pytest.fixture(scope="module")
def calm(new_database: Callable[[], str]) -> tuple[bytes, bytes, int]:
    """State hash, record hash and number of statements of a day that nobody cut."""
    url = new_database()
    knife = Knife(url, 0, after=False)
    state = run(url, knife)
    reader = PostgresStore(url, read_only=True)
    head = reader.head()
    reader.close()
    assert head is not None
    assert head.sequence == RECORDS
    return state, head.hash, knife.count


@pytest.mark.slow
def test_some_cuts(new_database: Callable[[], str], calm: tuple[bytes, bytes, int]) -> None:
    """Goal: a part of all cuts on every run. Method: every seventh statement, before and after in turn."""
    state, head, statements = calm
    for at in range(1, statements + 1, 7):
        crash_and_recover(new_database, at, after=at % 2 == 0, calm=(state, head))


@pytest.mark.soak
def test_every_cut(new_database: Callable[[], str], calm: tuple[bytes, bytes, int]) -> None:
    """Goal: exhaustive. Method: before and after every statement of the day, opening and migrations included."""
    state, head, statements = calm
    for at in range(1, statements + 1):
        for after in (False, True):
            crash_and_recover(new_database, at, after=after, calm=(state, head))
    print(f"{2 * statements} cuts at {statements} statements of a day of {RECORDS} records: same hash each time")
