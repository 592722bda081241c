"""One set of tests for every store.

Goal: memory, SQLite and PostgreSQL keep the same promises: order, uniqueness, atomic batches, snapshots, one writer.
Method: the same tests on all; then what only a file can suffer: a foreign file, another version, changed bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.journal.record import GENESIS, Record, chain
from tsingma.journal.store import Snapshot, Store
from tsingma.store.memory import MemoryStore
from tsingma.store.postgres import COPY_ABOVE_RECORDS, PostgresStore
from tsingma.store.sqlite import SqliteStore

Opener = Callable[..., Store]


@pytest.fixture(params=["sqlite", "postgres"])
def durable(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """How to open a new durable house of each kind, as often as wanted; takes ``read_only``."""
    if request.param == "sqlite":
        return partial(SqliteStore, tmp_path / "deep" / "journal.sqlite")
    return partial(PostgresStore, request.getfixturevalue("new_database")())


@pytest.fixture(params=["memory", "sqlite", "postgres", "postgres-copy"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind; PostgreSQL also with every batch written by COPY."""
    if request.param == "memory":
        opened: Store = MemoryStore()
    elif request.param == "sqlite":
        opened = SqliteStore(tmp_path / "journal.sqlite")
    else:
        url = request.getfixturevalue("new_database")()
        opened = PostgresStore(url, copy_above=0 if request.param == "postgres-copy" else COPY_ABOVE_RECORDS)
    yield opened
    opened.close()


def records(count: int, start: int = 1, previous: bytes = GENESIS) -> list[Record]:
    """Return a chain of records."""
    made: list[Record] = []
    for number in range(start, start + count):
        made.append(chain(number, f"command/{number}", b"body", b"answer", previous))
        previous = made[-1].hash
    return made


def test_what_was_appended_is_read_in_order(store: Store) -> None:
    """Goal: reading gives back what was written. Method: two batches, read whole, from the middle and by id."""
    every = records(5)
    assert store.head() is None
    assert list(store.read()) == []
    store.append(every[:1])
    store.append(every[1:])
    assert list(store.read()) == every
    assert list(store.read(3)) == every[3:]
    assert store.head() == every[-1]
    assert store.find("command/2") == every[1]
    assert store.find("command/9") is None
    asked = ["command/9", "command/5", "command/1", 'it\'s "quoted", 青馬']
    assert store.find_all(asked) == {"command/1": every[0], "command/5": every[4]}
    assert store.find_all([]) == {}


def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    """Goal: atomic batches. Method: the second record of a batch repeats an id that is there."""
    every = records(2)
    store.append(every)
    fresh = records(1, 3, every[-1].hash)[0]
    again = chain(4, "command/1", b"other", b"answer", fresh.hash)
    with pytest.raises((Rejected, sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
        store.append([fresh, again])
    assert list(store.read()) == every
    store.append([fresh])
    assert store.head() == fresh


def test_snapshots_are_kept_and_replaced(store: Store) -> None:
    """Goal: snapshots by record. Method: put two and one of them again, read, ask for a missing one."""
    for sequence, content in ((4, b"old"), (2, b"two"), (4, b"new")):
        store.put_snapshot(Snapshot(sequence, b"hash", {"part": content}))
    assert store.snapshots() == [2, 4]
    assert store.snapshot(4) == Snapshot(4, b"hash", {"part": b"new"})
    with pytest.raises(Rejected, match="no snapshot at record 3"):
        store.snapshot(3)


def test_every_byte_is_kept(store: Store) -> None:
    """Goal: bodies are bytes, not text. Method: all 256 values, an empty body, a megabyte, in batches and alone."""
    bodies = [bytes(range(256)), b"", bytes(range(256)) * 4_096]
    made: list[Record] = []
    for number, body in enumerate(bodies * 2, 1):
        made.append(chain(number, f"号/{number}", body, body[::-1], made[-1].hash if made else GENESIS))
    store.append(made[:5])
    store.append(made[5:])
    assert list(store.read()) == made
    assert store.find("号/6") == made[5]


def test_house_survives_closing(durable: Opener) -> None:
    """Goal: durability past the process. Method: write, close twice, open read only and for writing again."""
    every = records(3)
    first = durable()
    first.append(every)
    first.close()
    first.close()
    reader = durable(read_only=True)
    assert list(reader.read()) == every
    with pytest.raises((sqlite3.OperationalError, Rejected), match=r"readonly|reading only"):
        reader.append(records(1, 4, every[-1].hash))
    writer = durable()  # a reader does not keep a writer out
    writer.append(records(1, 4, every[-1].hash))
    assert reader.head() == writer.head()
    reader.close()
    writer.close()


def test_second_writer_is_refused(durable: Opener) -> None:
    """Goal: one writer. Method: open twice, close the first, open again."""
    first = durable()
    with pytest.raises(Rejected, match="another process writes this house"):
        durable()
    first.close()
    durable().close()


def test_reading_does_not_see_what_comes_after_it_began(durable: Opener) -> None:
    """Goal: a reader has one consistent view and keeps no writer out. Method: append in the middle of a reading."""
    every = records(6)
    writer = durable()
    writer.append(every[:4])
    reader = durable(read_only=True)
    reading = reader.read()
    assert next(reading) == every[0]
    writer.append(every[4:])
    assert list(reading) == every[1:4]
    assert list(reader.read(3)) == every[3:]
    reader.close()
    writer.close()


def test_there_must_be_a_house_to_read(durable: Opener) -> None:
    """Goal: reading makes nothing. Method: open a house that does not exist, read only."""
    with pytest.raises(Rejected, match="there is no journal"):
        durable(read_only=True)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    """Goal: nothing but a journal is opened. Method: text, another schema, a later version."""
    text = tmp_path / "text.sqlite"
    text.write_text("trade_id,trade_date\n" * 100, encoding="utf-8")
    with pytest.raises(Rejected, match="this is no journal"):
        SqliteStore(text)
    for script, message in (("CREATE TABLE t (a)", "it has other tables"), ("PRAGMA user_version = 99", "version 99")):
        path = tmp_path / f"{message}.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        with pytest.raises(Rejected, match=message):
            SqliteStore(path)
    text.unlink()
    SqliteStore(text).close()  # a refused open leaves no lock behind


@pytest.mark.parametrize(
    ("change", "sequence"),
    [
        ("parts = CAST(replace(parts, 'content', 'c0ntent') AS BLOB)", 1),
        ("state_hash = x'00'", 1),
        ("sequence = 2", 2),  # moved: its tail would be carried out from the wrong record on
    ],
)
def test_changed_snapshot_is_found(tmp_path: Path, change: str, sequence: int) -> None:
    """Goal: a snapshot is believed only whole and in its place. Method: change bytes, hash or record in the file."""
    path = tmp_path / "journal.sqlite"
    store = SqliteStore(path)
    store.put_snapshot(Snapshot(1, b"hash", {"part": b"content"}))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE snapshot SET {change}")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    with pytest.raises(Rejected, match=f"the snapshot at record {sequence} was changed"):
        store.snapshot(sequence)
    store.close()
