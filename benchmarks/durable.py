"""Durable commands and transfers a second on SQLite and PostgreSQL, in one run, beside the bare databases.

    python benchmarks/durable.py [--rounds 3] [--postgres URL]

Every figure is of work that was flushed to disk before it was answered: encoding, sequence, step, hash chain, journal,
answer; the commands are built beforehand, and every transfer of a figure was booked.
The peers write the same journal rows, made beforehand, with nothing around: sqlite3's ``executemany``, and psycopg's
COPY (``execute`` for single rows), in the same transaction sizes. Of each figure the best of the rounds is shown,
because the disk is shared; what it does at the time is printed first and last. Without --postgres a server is started
in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from itertools import count
from pathlib import Path

import numpy as np
import psycopg

from machine import describe
from tsingma.app.group_commit import GroupCommit
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.journal.commands import Command, LoadReference, PostTransfers
from tsingma.journal.record import GENESIS, chain
from tsingma.simulate.market import simulate_market

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

BATCH = 8_190
COMMANDS = {BATCH: 6, 100: 60, 1: 2_000}  # commands a commit: commits
PRODUCERS = 64
EACH = 400
GOAL_DVP = 350_000
GOAL_P99_MS = 5.0
GOAL_ACKS = 25_000
Batch = list[tuple[str, Command]]
_NAMES = count()


class House:
    """An open house on one store, with accounts that hold money and stock."""

    def __init__(self, place: Path | str) -> None:
        """Open it and load a simulated market."""
        market = simulate_market(1, date(2026, 1, 5), 1, 2_000)
        self.session = Session.open(place)
        self.session.once("reference", lambda: LoadReference(market.book))
        self.session.once("deposits", market.deposits)
        ledger = self.session.house.ledger
        rich = (ledger.floor == 0) & (ledger.balance > 100_000)
        with_money = ledger.owner[rich & (ledger.asset == 0)]
        held, holders = np.unique(ledger.asset[rich & (ledger.asset >= len(CURRENCIES))], return_counts=True)
        self.asset = int(held[np.argmax(holders)])
        self.members = np.intersect1d(with_money, ledger.owner[rich & (ledger.asset == self.asset)])
        self.chance = np.random.default_rng(2)

    def transfers(self, size: int) -> PostTransfers:
        """Return a command of that many transfers of money between different members."""
        debit, credit = self._pairs(size)
        return _post(debit, credit, np.zeros(size, np.int64), self.chance.integers(1, 99, size), np.zeros(size))

    def deliveries(self, size: int) -> PostTransfers:
        """Return a command of that many deliveries versus payment: stock one way, money the other, linked."""
        seller, buyer = self._pairs(size)
        asset = np.tile([self.asset, 0], size)
        amount = np.stack([self.chance.integers(1, 9, size), self.chance.integers(1, 99, size)], 1).ravel()
        debit, credit = np.stack([seller, buyer], 1).ravel(), np.stack([buyer, seller], 1).ravel()
        return _post(debit, credit, asset, amount, np.tile([1, 0], size))

    def batches(self, commits: int, size: int, make: Callable[[int], PostTransfers], each: int) -> list[Batch]:
        """Return commits of ``size`` commands of ``each`` items."""
        return [[(f"command/{next(_NAMES)}", make(each)) for _ in range(size)] for _ in range(commits)]

    def submit(self, batches: Sequence[Batch]) -> tuple[float, list[float]]:
        """Return seconds in all and of each commit."""
        spent = []
        for batch in batches:
            began = time.perf_counter()
            answers = self.session.sequencer.submit(batch)
            spent.append(time.perf_counter() - began)
            booked = sum(event.booked for answer in answers for event in answer.events)
            if booked != sum(len(command.linked) for _, command in batch):
                raise RuntimeError(f"only {booked} transfers of a commit were booked: the members ran out")
        return sum(spent), spent

    def _pairs(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        place = self.chance.integers(0, self.members.size, size)
        other = (place + self.chance.integers(1, self.members.size, size)) % self.members.size
        return self.members[place], self.members[other]


def _post(*columns: np.ndarray) -> PostTransfers:
    return PostTransfers(
        *(pack(column, kind) for column, kind in zip(columns, ("i4", "i4", "i4", "i8", "i1"), strict=True))
    )


def group_commit(house: House) -> float:
    """Return acknowledged commands a second with producers that each wait for every answer."""
    work = house.batches(PRODUCERS, EACH, house.transfers, 1)
    with GroupCommit(house.session.sequencer) as door:

        def produce(batch: Batch) -> None:
            for command_id, command in batch:
                door.submit(command_id, command).result()

        threads = [threading.Thread(target=produce, args=(batch,)) for batch in work]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return PRODUCERS * EACH / (time.perf_counter() - began)


def rows(number: int) -> list[tuple[object, ...]]:
    """Return journal rows like those of single transfers, made beforehand."""
    made, previous = [], GENESIS
    for sequence in range(1, number + 1):
        record = chain(sequence, f"command/{sequence}", bytes(70), bytes(40), previous)
        previous = record.hash
        made.append((record.sequence, record.command_id, record.body, record.answer, record.previous, record.hash))
    return made


_TABLE = (
    "CREATE TABLE journal "
    "(sequence {0} PRIMARY KEY, command_id text UNIQUE, body {1}, answer {1}, previous {1}, hash {1})"
)


def bare_sqlite(folder: Path, size: int, commits: int) -> float:
    """Return rows a second of sqlite3 alone."""
    with sqlite3.connect(folder / f"bare-{next(_NAMES)}.sqlite", isolation_level=None) as connection:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        connection.execute(_TABLE.format("integer", "blob"))
        work = rows(size * commits)
        began = time.perf_counter()
        for start in range(0, len(work), size):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", work[start : start + size])
            connection.execute("COMMIT")
        return len(work) / (time.perf_counter() - began)


def bare_postgres(url: str, size: int, commits: int) -> float:
    """Return rows a second of psycopg alone: COPY, or one INSERT a commit for single rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare.journal; CREATE SCHEMA IF NOT EXISTS bare")
        connection.execute("SET search_path = bare")
        connection.execute(_TABLE.format("bigint", "bytea").encode())
        work = rows(size * commits)
        began = time.perf_counter()
        for start in range(0, len(work), size):
            if size == 1:
                connection.execute("INSERT INTO journal VALUES (%s, %s, %s, %s, %s, %s)", work[start])
                continue
            with connection.cursor().copy("COPY journal FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("int8", "text", "bytea", "bytea", "bytea", "bytea"))
                for row in work[start : start + size]:
                    copy.write_row(row)
        return len(work) / (time.perf_counter() - began)


def disk(folder: Path) -> str:
    """Return what one flushed append of 8 KB takes now."""
    spent = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(500):
            began = time.perf_counter()
            file.write(bytes(8_192))
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - began)
    p50, p99 = np.percentile(spent, [50, 99]) * 1_000
    return f"disk: a flushed append of 8 KB takes p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def measure(house: House, bare: Callable[[int, int], float], figures: dict[str, list[float]]) -> None:
    """Add one round of figures."""

    def add(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    for size, commits in COMMANDS.items():
        seconds, spent = house.submit(house.batches(commits, size, house.transfers, 1))
        add(f"commands/s, {size:,} a commit", size * commits / seconds)
        add(f"  bare rows/s, {size:,} a commit", bare(size, commits))
        if size == 1:
            add("p50 ms of a single durable command", -1_000 * float(np.percentile(spent, 50)))
            add("p99 ms of a single durable command", -1_000 * float(np.percentile(spent, 99)))
    for size, commits in ((BATCH, 40), (100, 400)):
        seconds, _ = house.submit(house.batches(commits, 1, house.transfers, size))
        add(f"transfers/s, {size:,} a command and commit", size * commits / seconds)
    seconds, _ = house.submit(house.batches(40, 1, house.deliveries, BATCH // 2))
    add(f"settled DvP/s, {BATCH // 2:,} linked pairs a command and commit", BATCH // 2 * 40 / seconds)
    add(f"acks/s, group commit, {PRODUCERS} producers", group_commit(house))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})  # threads of one interpreter take turns: on one core they do so more cheaply
    add(f"acks/s, the same on one core, {PRODUCERS} producers", group_commit(house))
    os.sched_setaffinity(0, cores)
    house.session.house.ledger.check()


def verdict(name: str, value: float) -> str:
    """Return the goal of a figure and whether it is met."""
    if name.startswith("settled DvP"):
        return f"goal {GOAL_DVP:,}: {'met' if value >= GOAL_DVP else 'MISSED'}"
    if name.startswith("acks"):
        return f"goal {GOAL_ACKS:,}: {'met' if value >= GOAL_ACKS else 'MISSED'}"
    if name.startswith("p99"):
        return f"goal {GOAL_P99_MS:g} ms: {'met' if value <= GOAL_P99_MS else 'MISSED'}"
    return ""


def main() -> int:
    """Run both stores and print every figure, with its goal, and the ratio to the bare database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="an empty database")
    options = parser.parse_args()
    print(describe("numpy", "numba", "psycopg"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print(disk(folder))
        url = options.postgres or _start(stack)
        for name, place, bare in (
            ("SQLite", folder / "house", lambda size, commits: bare_sqlite(folder, size, commits)),
            ("PostgreSQL", url, lambda size, commits: bare_postgres(url, size, commits)),
        ):
            house, figures = House(place), {}
            for _ in range(options.rounds):
                measure(house, bare, figures)
            house.session.close()
            print(name)
            for figure, values in figures.items():
                best = abs(max(values))
                shown = f"{best:14,.2f}" if " ms " in figure else f"{best:14,.0f}"
                print(f"  {figure:<52}{shown}   {verdict(figure, best)}")
        print(disk(folder))
    return 0


def _start(stack: ExitStack) -> str:
    from postgres_server import databases, start

    return stack.enter_context(databases(stack.enter_context(start(durable=True))))()


if __name__ == "__main__":
    sys.exit(main())
