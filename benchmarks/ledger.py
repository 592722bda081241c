"""Durable transfers a second through the sequencer and SQLite, in batches of 8,190 and of 1, beside plain SQL.

    python benchmarks/ledger.py

A batch is one command: journalled with its chain, synchronised to disk, then answered. The peer does what a plain
ledger table does in the same transaction sizes and with the same durability: two updates and an insert a transfer.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from machine import describe
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.journal.commands import LoadReference, PostTransfers
from tsingma.simulate.market import simulate_market

BATCH = 8_190
GOALS = {BATCH: 1_000_000, 1: 4_000}


def transfers(
    accounts: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (debit, credit, amount) of random transfers between different accounts."""
    debit = accounts[chance.integers(0, accounts.size, count)]
    shift = chance.integers(1, accounts.size, count)
    credit = accounts[(np.searchsorted(accounts, debit) + shift) % accounts.size]
    return debit, credit, chance.integers(1, 1_000, count)


def ours(folder: Path, batch: int, batches: int) -> float:
    """Return durable transfers a second."""
    market = simulate_market(1, date(2026, 1, 5), 1, 2_000)
    chance = np.random.default_rng(2)
    with Session.open(folder / f"house-{batch}") as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        ledger = session.house.ledger
        accounts = np.sort(ledger.owner[(ledger.asset == 0) & (ledger.floor == 0)])
        commands = []
        for number in range(batches):
            debit, credit, amount = transfers(accounts, batch, chance)
            zeros = np.zeros(batch, np.int64)
            command = PostTransfers(
                pack(debit, "i4"), pack(credit, "i4"), pack(zeros, "i4"), pack(amount, "i8"), pack(zeros, "i1")
            )
            commands.append((f"transfers/{number}", command))
        began = time.perf_counter()
        for entry in commands:
            session.sequencer.submit([entry])
        seconds = time.perf_counter() - began
        session.house.ledger.check()
    return batch * batches / seconds


def peer(folder: Path, batch: int, batches: int) -> float:
    """Return durable transfers a second of a plain ledger table in SQLite."""
    connection = sqlite3.connect(folder / f"peer-{batch}.sqlite", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT;"
        "CREATE TABLE transfer (id INTEGER PRIMARY KEY, debit INTEGER, credit INTEGER, amount INTEGER) STRICT;"
    )
    accounts = np.arange(360)
    connection.executemany("INSERT INTO account VALUES (?, ?)", [(int(account), 10**9) for account in accounts])
    chance = np.random.default_rng(2)
    work = [tuple(column.tolist() for column in transfers(accounts, batch, chance)) for _ in range(batches)]
    began = time.perf_counter()
    for debit, credit, amount in work:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE account SET balance = balance - ? WHERE id = ?", zip(amount, debit, strict=True))
        connection.executemany(
            "UPDATE account SET balance = balance + ? WHERE id = ?", zip(amount, credit, strict=True)
        )
        connection.executemany(
            "INSERT INTO transfer (debit, credit, amount) VALUES (?, ?, ?)", zip(debit, credit, amount, strict=True)
        )
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return batch * batches / seconds


def main() -> None:
    """Run both in both batch sizes and print rates, ratios and whether the goals are met."""
    print(describe("numpy", "numba"))
    with tempfile.TemporaryDirectory() as scratch:
        for batch, batches in ((BATCH, 200), (1, 5_000)):
            mine = ours(Path(scratch), batch, batches)
            theirs = peer(Path(scratch), batch, batches if batch == 1 else 20)
            verdict = "met" if mine >= GOALS[batch] else "MISSED"
            print(f"durable transfers in batches of {batch:,}")
            print(f"  tsingma {mine:14,.0f} /s   goal {GOALS[batch]:,}: {verdict}")
            print(f"  plain SQL {theirs:12,.0f} /s   ratio {mine / theirs:.1f}")


if __name__ == "__main__":
    sys.exit(main())
