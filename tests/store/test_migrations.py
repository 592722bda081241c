"""A house written by an older program is brought forward; one written by a newer is refused.

Goal: no schema change loses a record or needs a hand. Method: a house made by the first step alone (that is what the
first release wrote), opened by this program, on both stores; then versions from the future.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.journal.record import GENESIS, chain
from tsingma.store.migrations import migrations
from tsingma.store.postgres import PostgresStore
from tsingma.store.sqlite import SqliteStore

RECORD = chain(1, "first", b"body", b"answer", GENESIS)
VALUES = (RECORD.sequence, RECORD.command_id, RECORD.body, RECORD.answer, RECORD.previous, RECORD.hash)


def first_release(path: Path) -> None:
    """Write a house as schema version 1 had it."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in migrations("sqlite")[0].statements:
        connection.execute(statement)
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", VALUES)
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def test_sqlite_house_is_brought_forward(tmp_path: Path) -> None:
    """Goal: an old file keeps its records. Method: version 1 by hand; refused read only, renewed for writing."""
    path = tmp_path / "house.sqlite"
    first_release(path)
    with pytest.raises(Rejected, match=r"version 1, reading needs version 2 \(open it for writing once"):
        SqliteStore(path, read_only=True)
    store = SqliteStore(path)
    assert list(store.read()) == [RECORD]
    store.append([chain(2, "second", b"body", b"answer", RECORD.hash)])
    store.close()
    store = SqliteStore(path, read_only=True)
    assert [record.command_id for record in store.read()] == ["first", "second"]
    store.close()
    connection = sqlite3.connect(path)
    listed = connection.execute("SELECT version, title FROM schema_version ORDER BY version").fetchall()
    assert listed == [(step.version, step.title) for step in migrations("sqlite")]
    connection.close()


def test_step_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    """Goal: a step is whole or not at all. Method: a table of that name is in the way of the second step."""
    path = tmp_path / "house.sqlite"
    first_release(path)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE schema_version (a)")
    connection.close()
    with pytest.raises(Rejected, match="schema_version already exists"):
        SqliteStore(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    connection.close()


def test_postgres_house_is_brought_forward(new_database: Callable[[], str]) -> None:
    """Goal: the same on a server. Method: step 1 by hand with a record, then opened to read and to write."""
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in migrations("postgres")[0].statements:
            connection.execute(statement.encode())
        connection.execute("INSERT INTO schema_version VALUES (1, 'journal and snapshots')")
        connection.execute("INSERT INTO journal VALUES (%s, %s, %s, %s, %s, %s, 1)", VALUES)
        with pytest.raises(Rejected, match="version 1, reading needs version 2"):
            PostgresStore(url, read_only=True)
        store = PostgresStore(url)
        assert list(store.read()) == [RECORD]
        store.close()
        listed = connection.execute("SELECT version, title FROM schema_version ORDER BY version").fetchall()
        assert listed == [(step.version, step.title) for step in migrations("postgres")]
        connection.execute("INSERT INTO schema_version VALUES (99, 'from the future')")
    with pytest.raises(Rejected, match=r"version 99, this program knows 2 \(use the program version that wrote it"):
        PostgresStore(url)


def test_unreachable_server_is_a_refusal() -> None:
    """Goal: a wrong address is told, without its password. Method: a socket folder that is not there."""
    with pytest.raises(Rejected, match="no connection to the database") as refused:
        PostgresStore("postgresql://someone:secret@/house?host=/nowhere", read_only=True)
    assert "secret" not in str(refused.value)


def test_records_are_what_they_were() -> None:
    """Goal: released steps never change. Method: number and title of each, on both stores."""
    assert [(step.version, step.title) for step in migrations("sqlite")] == [
        (1, "journal and snapshots"),
        (2, "schema versions"),
    ]
    assert [(step.version, step.title) for step in migrations("postgres")] == [
        (1, "journal and snapshots"),
        (2, "writer lease"),
    ]
